"""A comparison as Markdown, LaTeX or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from experiments.comparison.cells import record, short_columns
from experiments.comparison.table import Comparison
from experiments.console import finite, plain

SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}  # fmt: skip


def as_markdown(compared: Comparison, _notes: Sequence[str]) -> str:
    """A table for GitHub and most blogs. The best and groups tied with it are bold."""
    shown = short_columns(compared)
    lines = [
        "| " + " | ".join(_pipe(column.title) for column in shown) + " |",
        "|" + "|".join(" --- " for _ in shown) + "|",
    ]
    for line in compared.lines:
        cells = [_pipe(column.cell(line)) for column in shown]
        if line.is_at_the_top:
            place = [column.title for column in shown].index(compared.ranking.title)
            cells[place] = f"**{cells[place]}**"
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_latex(compared: Comparison, _notes: Sequence[str]) -> str:
    """A tabular for the package booktabs. The best and groups tied with it are bold."""
    shown = short_columns(compared)
    lines = [
        rf"\begin{{tabular}}{{{'l' * len(shown)}}}",
        r"\toprule",
        " & ".join(_latex(column.title) for column in shown) + r" \\",
        r"\midrule",
    ]
    for line in compared.lines:
        cells = [_latex(column.cell(line)) for column in shown]
        if line.is_at_the_top:
            place = [column.title for column in shown].index(compared.ranking.title)
            cells[place] = rf"\textbf{{{cells[place]}}}"
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def as_json(compared: Comparison, notes: Sequence[str]) -> str:
    """Every number of comparison.csv, with the ranking and the notes; null for nan."""
    ranking = compared.ranking
    content: dict[str, Any] = {
        "ranked_by": ranking.by,
        "higher_is_better": ranking.higher_is_better,
        "keys": compared.keys,
        "groups": [record(line, compared) for line in compared.lines],
        "notes": list(notes),
    }
    return json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False)


FORMATS: Mapping[str, Callable[[Comparison, Sequence[str]], str]] = {
    "md": as_markdown,
    "latex": as_latex,
    "json": as_json,
}


def _pipe(text: str) -> str:
    return plain(text).replace("|", "\\|")


def _latex(text: str) -> str:
    """The text escaped for LaTeX; a mean with its half-width becomes mathematics."""
    escaped = "".join(SPECIAL.get(character, character) for character in plain(text))
    return re.sub(r"([+-]?[\d.,]+) ± ([\d.,]+)", r"$\1 \\pm \2$", escaped)
