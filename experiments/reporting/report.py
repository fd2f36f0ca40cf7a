"""One HTML file that shows everything: figures inside, no network, all text escaped."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.paths import TEMPLATES
from experiments.reporting.claims import Claim, count_verdicts
from experiments.runs.files import write_atomic


class ReportFigure(NamedTuple):
    """A PNG with its words."""

    title: str
    caption: str
    png: str  # base64

    @classmethod
    def from_file(cls, path: Path, title: str, caption: str) -> ReportFigure:
        """Take in the PNG at `path`."""
        return cls(title, caption, base64.b64encode(path.read_bytes()).decode())


class Table(NamedTuple):
    """A table with its words."""

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[float | str]]


class Report(NamedTuple):
    """What a report shows, in this order."""

    title: str
    introduction: Sequence[str]  # paragraphs
    figures: Sequence[ReportFigure]
    claims: Sequence[Claim]
    tables: Sequence[Table]
    configs: Mapping[str, str]  # YAML by the run's name
    environment: Mapping[str, str]


def write_report(path: Path, report: Report) -> None:
    """Render the report into one self-contained file."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["shown"] = shown
    environment.filters["count_verdicts"] = count_verdicts
    write_atomic(path, environment.get_template("report.html.j2").render(report=report))


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
