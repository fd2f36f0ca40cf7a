"""Tables and text on the terminal. Text from users and files is printed literally."""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import json
import math
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len  # columns of the terminal: wide characters take two

from experiments.errors import UsageError

MAX_LINES = 3  # of a row or the header; if one needs more, rows are printed as blocks
GAPS = (2, 1)  # spaces between columns: two, or one if only that makes the table fit
INDENT = "    "  # of folded lines in a block
SHORTEST = 24  # columns of a shortened path
LEFT_OUT = "..."  # in the middle of a shortened path; every terminal has these characters
NUMBER = re.compile(r"[-+−]?\.?\d\S*( \S+){0,2}")  # "9 of 10", "0.4100 ± 0.0127", "12 ms"
Rows = Sequence[Sequence[str]]

_QUIET: contextvars.ContextVar[bool] = contextvars.ContextVar("quiet", default=False)


def plain(text: str) -> str:
    """The text on one line, with control characters such as escape sequences made visible."""
    line = " ".join(text.split())
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in line
    )


def print_written(text: str) -> None:
    """Print the text of a model: as it is in a pipe or a file, and safely on a terminal.

    There, control characters other than tabs and ends of lines are made visible.
    """
    if is_terminal():
        text = "".join(
            each.encode("unicode_escape").decode("ascii") if _is_control(each) else each
            for each in text
        )
    print(text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" and character not in "\n\t"


def is_terminal() -> bool:
    """Whether standard output is a terminal, where long lines are hard to read."""
    return sys.stdout.isatty()


def print_table(columns: Sequence[str], rows: Rows) -> None:
    """Print rows under a header, or each row as a block if the columns do not fit.

    Text wraps between words; a number stays on one line with its unit or interval. On a terminal,
    paths are shortened in the middle if that makes the table fit and they stay different; nothing
    else is left out. The width is that of the terminal; in a pipe or a file it is COLUMNS, or else
    80.
    """
    width = shutil.get_terminal_size().columns
    shown: Rows = [[plain(cell) for cell in row] for row in rows]
    if is_terminal():
        shown = _with_short_paths(columns, shown, width)
    for gap in GAPS:
        if widths := _fit(columns, shown, width, gap):
            lines = _table(columns, shown, widths, " " * gap)
            break
    else:
        lines = _blocks(columns, shown, width)
    print("\n".join(lines), flush=True)


def print_text(text: str) -> None:
    """Print a paragraph in lines that fit the width of `print_table`."""
    width = shutil.get_terminal_size().columns
    print("\n".join(_fold(plain(text), width)), flush=True)


def print_line(text: str) -> None:
    """Print text on one line; on a terminal, on as many as its width needs."""
    width = shutil.get_terminal_size().columns
    lines = _fold(plain(text), width, INDENT) if is_terminal() else [plain(text)]
    print("\n".join(lines), flush=True)


def shortened(path: str, room: int) -> str:
    """At most `room` characters of a path: a third of its start, and more of its end."""
    if len(path) <= room or room <= len(LEFT_OUT) + 1:
        return path
    kept = room - len(LEFT_OUT)
    return f"{path[: kept // 3]}{LEFT_OUT}{path[kept // 3 - kept :]}"


def _with_short_paths(columns: Sequence[str], rows: Rows, width: int) -> Rows:
    """The rows, with the paths of the first column shortened by what a table is too wide."""
    if not rows or not any("/" in row[0] for row in rows):
        return rows
    cells = list(zip(columns, *rows, strict=True))
    others = sum(max(map(_longest_part, column)) + GAPS[0] for column in cells[1:])
    room = max(SHORTEST, width - others)
    short = [shortened(row[0], room) for row in rows]
    if len(set(short)) < len({row[0] for row in rows}):  # they differ in what would be left out
        return rows
    return [[path, *row[1:]] for path, row in zip(short, rows, strict=True)]


def _fit(columns: Sequence[str], rows: Rows, width: int, gap: int) -> list[int] | None:
    """The width of each column of a table that fits; None if it would be hard to read.

    The widest columns of text are narrowed first.
    """
    cells = list(zip(columns, *rows, strict=True))
    least = [max(map(_longest_part, column)) for column in cells]
    widths = [max(map(cell_len, column)) for column in cells]
    for _ in range(sum(widths) + gap * (len(widths) - 1) - width):
        place = max(range(len(widths)), key=lambda n: (widths[n] > least[n], widths[n]))
        if widths[place] == least[place]:
            return None
        widths[place] -= 1
    lines = max(
        len(_fold(text, limit))
        for column, limit in zip(cells, widths, strict=True)
        for text in column
    )
    return widths if lines <= MAX_LINES else None


def _table(columns: Sequence[str], rows: Rows, widths: Sequence[int], gap: str) -> list[str]:
    """The header, a rule and the rows; columns that are mostly numbers are aligned right."""
    cells = zip(*rows, strict=True) if rows else [()] * len(columns)
    right = [_is_mostly_numbers(column) for column in cells]
    lines = _row(columns, widths, right)
    lines.append(["-" * width for width in widths])
    for row in rows:
        lines += _row(row, widths, right)
    return [gap.join(line).rstrip() for line in lines]


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[list[str]]:
    """The lines of a row, each as a list of padded cells."""
    folded = [_fold(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for parts in itertools.zip_longest(*folded, fillvalue=""):
        lines.append(
            [
                " " * (width - cell_len(part)) + part if is_right else _padded(part, width)
                for part, width, is_right in zip(parts, widths, right, strict=True)
            ]
        )
    return lines


def _blocks(columns: Sequence[str], rows: Rows, width: int) -> list[str]:
    """A block of lines for each row: `column: cell`, as many on a line as fit.

    Short cells of one column are aligned, so that numbers can still be compared.
    """
    cells = [
        [f"{name}: {cell}" for cell in found] for name, *found in zip(columns, *rows, strict=True)
    ]
    sizes = [max(map(cell_len, column), default=0) for column in cells]
    lines: list[str] = []
    for row in rows:
        line = ""
        for name, cell, size in zip(columns, row, sizes, strict=True):
            text = f"{name}: {cell}" if cell else ""
            if line.strip() and cell_len(line) + cell_len(text) > width:
                lines += _fold(line, width, INDENT)
                line = "  "
            line += _padded(text, min(size, width // 2)) + " " * GAPS[0]
        lines += _fold(line, width, INDENT) if line.strip() else []
    return lines


def _fold(text: str, width: int, indent: str = "") -> list[str]:
    """The text in lines of this width, split between words.

    A longer word stays whole, except on a terminal. All lines but the first begin with `indent`.
    """
    text = text.rstrip()
    if cell_len(text) <= width:
        return [text]
    first, *words = text.split(" ")
    lines = [first]
    for word in words:
        if lines[-1].strip() and cell_len(f"{lines[-1]} {word}") > width:
            lines.append(indent + word)
        else:
            lines[-1] += f" {word}"
    if is_terminal():
        return [part for line in lines for part in _cut(line, width, indent)]
    return lines


def _cut(line: str, width: int, indent: str) -> list[str]:
    """The line in pieces of this width, cut after a separator of paths if there is one."""
    pieces = []
    while cell_len(line) > width > len(indent):
        end = width
        while cell_len(line[:end]) > width:  # wide characters take two columns
            end -= 1
        separator = max(line.rfind(mark, 0, end) for mark in "/,") + 1
        end = separator if separator > end // 2 else end
        pieces.append(line[:end])
        line = indent + line[end:]
    return [*pieces, line]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _is_mostly_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return 2 * sum(bool(NUMBER.fullmatch(cell)) for cell in filled) > len(filled)


def _longest_part(cell: str) -> int:
    """The length of the longest part of a cell that stays on one line."""
    parts = [cell] if NUMBER.fullmatch(cell) else cell.split()
    return max(map(cell_len, parts), default=0)


def print_json(value: Any) -> None:
    """Print a value as indented JSON. Numbers that JSON lacks, such as nan, become null."""
    print(json.dumps(finite(value), indent=2, allow_nan=False), flush=True)


def is_confirmed(question: str, yes: bool) -> bool:
    """Whether the user agrees, by --yes or by answering y on a terminal.

    Raises UsageError if there is neither --yes nor a terminal.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{plain(question)} There is no terminal to ask on; expected --yes")
    print(f"{plain(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextlib.contextmanager
def quietly(quiet: bool) -> Iterator[None]:
    """Hide progress within the block if `quiet`. Results and errors are still shown."""
    token = _QUIET.set(quiet)
    try:
        yield
    finally:
        _QUIET.reset(token)


def is_quiet() -> bool:
    """Whether progress is hidden."""
    return _QUIET.get()


def finite(value: Any) -> Any:
    """The value for JSON: a number that JSON lacks, such as nan, becomes null."""
    if isinstance(value, dict):
        return {str(key): finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
