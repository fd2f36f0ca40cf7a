"""Reports: one HTML file with its figures inside, no network access, and all text escaped."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.paths import TEMPLATES
from experiments.reporting.chart import Chart
from experiments.reporting.claims import Claim
from experiments.reporting.glossary import words_in
from experiments.reporting.verdicts import SIGNS, by_verdict, tally
from experiments.runs.files import write_atomic


class ReportFigure(NamedTuple):
    """A figure with its caption, and its data if it can be interactive."""

    title: str
    caption: str
    pictures: Sequence[str]  # PNGs in base64; a printed page shows all of them
    chart: Chart | None = None  # replaces the pictures on a screen
    id: str = ""  # the target of links

    @classmethod
    def from_file(
        cls, path: Path, title: str, caption: str, chart: Chart | None = None
    ) -> ReportFigure:
        """Make a figure of the PNG at `path`, whose name becomes the figure's id."""
        return cls.from_files([path], title, caption, chart)

    @classmethod
    def from_files(
        cls, paths: Sequence[Path], title: str, caption: str, chart: Chart | None = None
    ) -> ReportFigure:
        """Make a figure of several PNGs that one chart replaces, such as one for each axis.

        A PNG that could not be drawn is left out.
        """
        there = [path for path in paths if path.exists()]
        pictures = [base64.b64encode(path.read_bytes()).decode() for path in there]
        return cls(title, caption, pictures, chart, paths[0].stem)


class Table(NamedTuple):
    """A table with its title and caption."""

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
    answer: Sequence[str] = ()  # sentences at the top; the count of verdicts is added
    figure_of: Mapping[str, str] = MappingProxyType({})  # a figure's id by the claim's id


def write_report(path: Path, report: Report) -> None:
    """Render the report into one self-contained file."""
    write_atomic(path, _render(report))


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
    """A number formatted for reading, with twelve digits if it is exact; text unchanged."""
    if value is None:
        return ""
    if isinstance(value, float) and exact:
        return f"{value:.12g}"
    if isinstance(value, float):
        if value and abs(value) < 1e-3:
            return f"{value:.2g}"
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def interval_text(low: float | None, high: float | None) -> str:
    """An interval for reading; empty without one. An interval of a ratio may have one end."""
    if low is None and high is None:
        return ""
    if high is None:
        return f"{shown(low)} or more"
    return f"{shown(high)} or less" if low is None else f"{shown(low)} to {shown(high)}"


def anchor(name: str, kind: str) -> str:
    """The id of an element: "claim-k5_fails"."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}"


def with_code(escaped: str) -> str:
    """Text that is escaped for HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escaped))


def _render(report: Report) -> str:
    """The whole page. Every string of the report is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {
        "shown": shown,
        "interval": interval_text,
        "anchor": anchor,
        "with_code": with_code,
        "sign": SIGNS.__getitem__,
    }
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    charted = any(figure.chart for figure in report.figures)
    styles = ["uplot/uPlot.min.css"] * charted + ["report.css"]
    scripts = ["page.js"] + ["uplot/uPlot.iife.min.js", "charts.js"] * charted
    texts = [(TEMPLATES / name).read_text("utf-8") for name in scripts]
    return environment.get_template("report.html.j2").render(
        report=report,
        by_verdict=by_verdict(report.claims),
        tally=tally(report.claims),
        words=words_in("\n".join(_texts(report))),
        style="\n".join((TEMPLATES / name).read_text("utf-8") for name in styles),
        scripts=texts,
        script_hashes=" ".join(map(_hash, texts)),
    )


def _hash(script: str) -> str:
    """The hash by which the page's security policy allows this script and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _texts(report: Report) -> Iterator[str]:
    """All texts of a report, for the glossary, except the configs, which name every key."""
    yield from (report.title, *report.introduction, *report.answer)
    for figure in report.figures:
        yield from (figure.title, figure.caption)
    for claim in report.claims:
        yield from ("claim, verdict", claim.claim, claim.note)
    for table in report.tables:
        yield from (table.caption, *table.columns)
        yield from (str(cell) for row in table.rows for cell in row)
