"""How to write a text so that the shell and Hydra leave it as it is."""

from __future__ import annotations

import shlex

from hydra.core.override_parser.types import Quote, QuotedString

LITERAL = "write \\${ for a text with ${ in it"


def quoted_override(key: str, value: str) -> str:
    """key=value as it is typed where the value is a text with special characters."""
    literal = value.replace("${", "\\${")
    quote = Quote.single if '"' in value else Quote.double
    return _for_shell(f"{key}={QuotedString(literal, quote).with_quotes()}")


def _for_shell(text: str) -> str:
    """The text as one word of a POSIX shell, in the quotes that are easier to read."""
    if "'" not in text:
        return f"'{text}'"
    if "!" in text:  # history expansion of interactive shells
        return shlex.quote(text)
    for special in '\\"$`':
        text = text.replace(special, f"\\{special}")
    return f'"{text}"'
