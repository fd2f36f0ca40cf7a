"""Definitions of the words that a report uses.

The file is a copy of docs/glossary.md, which the installed program lacks; a test keeps the two
equal.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from experiments.paths import TEMPLATES

ROW = re.compile(
    r"^\| \*\*(?P<word>[^*]+)\*\*(?: \((?P<short>[^)]+)\))? \| (?P<meaning>.+) \|$", re.M
)


class Word(NamedTuple):
    """An entry of the glossary."""

    word: str
    short: str | None  # another name for it
    meaning: str

    def is_in(self, text: str) -> bool:
        """Whether a text uses the word, in the singular or the plural."""
        names = [re.escape(name) for name in (self.word, self.short) if name]
        return bool(re.search(rf"(?<!\w)({'|'.join(names)})s?(?!\w)", text, re.IGNORECASE))


def read_glossary() -> list[Word]:
    """Every word, in the order of the glossary."""
    text = (TEMPLATES / "glossary.md").read_text("utf-8").replace("`", "")
    return [Word(*match.group("word", "short", "meaning")) for match in ROW.finditer(text)]


def words_in(text: str) -> list[Word]:
    """The words of the glossary that a text uses."""
    return [word for word in read_glossary() if word.is_in(text)]
