"""One HTML file that shows everything: figures inside, no network, all text escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from experiments.reporting.chart import Chart
from experiments.reporting.claims import Claim
from experiments.reporting.page import render_page
from experiments.runs.files import write_atomic


class ReportFigure(NamedTuple):
    """A picture with its words, and the numbers behind it where it can be interactive."""

    title: str
    caption: str
    pictures: Sequence[str]  # PNGs, base64; all of them are printed
    chart: Chart | None = None  # takes the place of the pictures on a screen
    id: str = ""  # links name it

    @classmethod
    def from_file(
        cls, path: Path, title: str, caption: str, chart: Chart | None = None
    ) -> ReportFigure:
        """Take in the PNG at `path`, whose name is the figure's id."""
        return cls.from_files([path], title, caption, chart)

    @classmethod
    def from_files(
        cls, paths: Sequence[Path], title: str, caption: str, chart: Chart | None = None
    ) -> ReportFigure:
        """Take in several PNGs that one chart shows, such as one for each of its axes."""
        pictures = [base64.b64encode(path.read_bytes()).decode() for path in paths]
        return cls(title, caption, pictures, chart, paths[0].stem)


class Table(NamedTuple):
    """A table with its words."""

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[float | str]]


class Report(NamedTuple):
    """The content of a report."""

    title: str
    introduction: Sequence[str]  # paragraphs
    figures: Sequence[ReportFigure]
    claims: Sequence[Claim]
    tables: Sequence[Table]
    configs: Mapping[str, str]  # YAML by the run's name
    environment: Mapping[str, str]
    answer: Sequence[str] = ()  # sentences above all else; the verdicts are counted without it
    figure_of: Mapping[str, str] = MappingProxyType({})  # a figure's id by the claim's id


def write_report(path: Path, report: Report) -> None:
    """Render the report into one self-contained file."""
    write_atomic(path, render_page(report))


def link_figures(
    claims: Mapping[str, Sequence[str]], figures: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """For each claim, by id, the first figure that shows the most of its runs.

    Both map an id to the names of runs. A claim with none of its runs in any figure is left out.
    """
    found = {}
    for claim, runs in claims.items():
        shared = {figure: len(set(runs) & set(names)) for figure, names in figures.items()}
        best = max(shared, key=shared.__getitem__, default=None)
        if best is not None and shared[best]:
            found[claim] = best
    return found


def shown(value: Any, exact: bool = False) -> str:
    """A number as a reader wants it, with twelve digits where it is exact; text as it is."""
    if value is None:
        return ""
    if isinstance(value, float) and exact:
        return f"{value:.12g}"
    if isinstance(value, float):
        if value and abs(value) < 1e-3:
            return f"{value:.2g}"
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)
