"""A condition on runs, such as `graph.num_steps>10 and status=complete`.

    condition  = conjunction ("or" conjunction)*
    conjunction = factor ("and" factor)*
    factor     = "not" factor | "(" condition ")" | KEY operator VALUE
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">="

A value is a number, true, false, null, a word, or any text in quotes. Two numbers compare as
numbers, all else as text. A key that a run lacks is null there. Nothing is evaluated as code.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from experiments.config.catalog import nearest
from experiments.config.flat import shown_value
from experiments.errors import UsageError

TOKEN = re.compile(
    r"""\s*(?:(?P<operator><=|>=|!=|==|=|<|>)|(?P<parenthesis>[()])"""
    r"""|(?P<quoted>"[^"]*"|'[^']*')|(?P<word>[^\s()<>=!"']+))"""
)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
WORDS = ("and", "or", "not")
MOST_NESTED = 100

Values = Mapping[str, Any]  # of one run, by key
Condition = Callable[[Values], bool]


class Token(NamedTuple):
    """A part of a condition."""

    kind: str  # operator, parenthesis, quoted, word or end
    text: str
    column: int  # counted from 1


class Query(NamedTuple):
    """A parsed condition."""

    holds: Condition
    keys: list[Token]  # that it names

    def check_keys(self, known: Iterable[str]) -> None:
        """Raise UsageError, with the place, for a key that is not among the known ones."""
        names = list(known)
        for key in self.keys:
            if key.text not in names:
                raise _error(key.column, f"{key.text}: unknown key{nearest(key.text, names)}")


def parse_query(text: str) -> Query:
    """The condition as a function of a run's values. Raises UsageError with the column."""
    parser = _Parser(_tokens(text))
    condition = parser.condition()
    parser.expect_end()
    return Query(condition, parser.keys)


class _Parser:
    """Recursive descent over the tokens, a method for each line of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self.keys: list[Token] = []
        self._tokens = tokens
        self._place = 0
        self._nested = 0

    def condition(self) -> Condition:
        parts = [self._conjunction()]
        while self._takes("or"):
            parts.append(self._conjunction())
        return lambda values: any(part(values) for part in parts)

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise _expected("'and', 'or' or the end", self._next)

    def _conjunction(self) -> Condition:
        parts = [self._factor()]
        while self._takes("and"):
            parts.append(self._factor())
        return lambda values: all(part(values) for part in parts)

    def _factor(self) -> Condition:
        self._nested += 1
        if self._nested > MOST_NESTED:
            raise _error(self._next.column, f"nested more than {MOST_NESTED} deep")
        if self._takes("not"):
            negated = self._factor()
            found: Condition = lambda values: not negated(values)  # noqa: E731
        elif self._takes("("):
            found = self.condition()
            if not self._takes(")"):
                raise _expected("')'", self._next)
        else:
            found = self._comparison()
        self._nested -= 1
        return found

    def _comparison(self) -> Condition:
        key, sign, value = self._take(), self._take(), self._take()
        if key.kind != "word" or key.text in WORDS:
            raise _expected("a key", key)
        if sign.kind != "operator":
            raise _expected(f"one of {' '.join(OPERATORS)}", sign)
        if value.kind not in ("word", "quoted") or value.text in WORDS:
            raise _expected("a value", value)
        self.keys.append(key)
        is_quoted = value.kind == "quoted"
        text = value.text[1:-1] if is_quoted else value.text
        number = None if is_quoted else _number(text)
        if sign.text[0] in "<>" and number is None:
            raise _expected(f"a number after {sign.text}", value)
        return lambda values: _compare(values.get(key.text), sign.text, text, number)

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._place += 1
        return token

    def _takes(self, text: str) -> bool:
        """Step over the next token if it is this one."""
        found = self._next.text == text and self._next.kind in ("word", "parenthesis")
        self._place += found
        return found


def _tokens(text: str) -> list[Token]:
    found, place = [], 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None:
            column = place + len(text[place:]) - len(text[place:].lstrip())
            raise _error(column + 1, f"not understood: {text[column:]!r}")
        kind = str(match.lastgroup)
        found.append(Token(kind, match[kind], match.start(kind) + 1))
        place = match.end()
    return [*found, Token("end", "", len(text) + 1)]


def _number(word: str) -> int | float | None:
    """The number that a word is; None for any other word."""
    kinds: tuple[Callable[[str], int | float], ...] = (int, float)
    for kind in kinds:
        try:
            return kind(word)
        except ValueError:
            continue
    return None


def _compare(found: Any, sign: str, text: str, number: int | float | None) -> bool:
    """A run's value with one that was given: as numbers, where both are, or else as text."""
    if _is_number(found) and number is not None:
        return OPERATORS[sign](found, number)
    if sign[0] in "<>":  # the run's value is no number, so it is on neither side
        return False
    if found is None or isinstance(found, bool):  # YAML and overrides take True and NULL too
        text = text.lower()
    texts = _as_text(found), text
    if isinstance(found, list):  # the command line has [16,16], a config [16, 16]
        texts = _without_spaces(texts[0]), _without_spaces(texts[1])
    return OPERATORS[sign](*texts)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else shown_value(value)


def _without_spaces(items: str) -> str:
    """A list as text, without the spaces around its brackets and commas."""
    return re.sub(r"\s*([\[\],])\s*", r"\1", items)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _expected(what: str, got: Token) -> UsageError:
    return _error(got.column, f"expected {what}, got {got.text or 'the end'}")


def _error(column: int, reason: str) -> UsageError:
    return UsageError(f"--where, column {column}: {reason}")
