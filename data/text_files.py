"""Text files: UTF-8 to text, in one form for files and prompts, and the text that Python ships."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from data.task import DataError

PYTHON_DOCS = "pydoc_data.topics"
END_OF_LINE = "<eos>"
MARK = "\ufeff"  # the byte order mark; inside a text it comes from files that were joined
NULS = 0.2  # of the bytes: more than any text in UTF-8 has
OWN_END = re.compile(rf"(?<!\S)(?:{END_OF_LINE}|</s>)[^\S\n]*(?=\n)")
BLANK_LINE = re.compile(r"^[^\S\n]*\n", re.MULTILINE)


def python_docs() -> str:
    """Every topic of `help()`, by name. The text differs between versions of Python."""
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise DataError(
            f"{PYTHON_DOCS}: this Python comes without it; give a text of your own by "
            "task.source=file task.path=FILE"
        ) from error
    return "\n".join(topics[name] for name in sorted(topics))


def decode(name: str, content: bytes) -> str:
    """The text of a file in UTF-8, in the one form. Raises DataError for other encodings."""
    hint = "; it looks like UTF-16, which another program can save as UTF-8"
    is_marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: expected text in UTF-8, found the byte 0x{content[error.start]:02x} "
            f"at place {error.start:,}{hint if is_marked else ''}"
        ) from error
    nuls = content.count(0)
    if nuls > NULS * len(content):
        raise DataError(
            f"{name}: expected text in UTF-8, found {nuls:,} zeros among {len(content):,} "
            f"bytes{hint}"
        )
    return in_one_form(text)


def in_one_form(text: str) -> str:
    """Every kind of line end becomes \\n, and no line begins with a byte order mark."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(f"^{MARK}+", "", lines, flags=re.MULTILINE) if MARK in lines else lines


class Lines(NamedTuple):
    """Text in which each line's end stands for one <eos>."""

    text: str
    notes: tuple[str, ...]  # on what was changed


def without_own_ends(lines: Lines) -> Lines:
    """Drop an <eos> or </s> that a file has at the end of a line, which is one already."""
    text, count = OWN_END.subn("", lines.text)
    note = f"{count:,} lines end in <eos> or </s>; each line's end counts once"
    return Lines(text, (*lines.notes, *([note] if count else [])))


def without_blank_lines(lines: Lines) -> Lines:
    """Drop lines without a word, in files of one sentence a line."""
    text, count = BLANK_LINE.subn("", lines.text)
    note = f"{count:,} blank lines are left out; each would be a sentence of its own"
    return Lines(text, (*lines.notes, *([note] if count else [])))
