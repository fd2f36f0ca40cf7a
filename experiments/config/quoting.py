"""How to write a text so that the shell, Hydra and OmegaConf leave it as it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString

LITERAL = "write \\${ for a text with ${ in it"


def quoted_override(key: str, value: str) -> str:
    """key=value as it is typed where the value is a text with special characters."""
    literal = escaped(value)
    quote = Quote.single if '"' in value else Quote.double
    return _for_shell(f"{key}={QuotedString(literal, quote).with_quotes()}")


def escaped(value: Any) -> Any:
    """The value with each ${ of its texts, at any depth, written so that it stays text."""
    return _in_texts(value, r"(\\*)\$\{", lambda found: rf"{found[1] * 2}\${{")


def unescaped(value: Any) -> Any:
    """The inverse of `escaped`. A ${ that was not escaped, of an earlier version, stays."""
    return _in_texts(value, r"(?<!\\)((?:\\\\)*)\\\$\{", lambda found: f"{found[1][::2]}${{")


def _in_texts(value: Any, pattern: str, replace: Callable[[re.Match[str]], str]) -> Any:
    if isinstance(value, dict):
        return {key: _in_texts(each, pattern, replace) for key, each in value.items()}
    if isinstance(value, list):
        return [_in_texts(each, pattern, replace) for each in value]
    return re.sub(pattern, replace, value) if isinstance(value, str) else value


def _for_shell(text: str) -> str:
    """The text as one word of a POSIX shell, in the quotes that are easier to read."""
    if "'" not in text:
        return f"'{text}'"
    if "!" in text:  # history expansion of interactive shells
        return shlex.quote(text)
    for special in '\\"$`':
        text = text.replace(special, f"\\{special}")
    return f'"{text}"'
