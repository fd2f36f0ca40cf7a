"""A report as an HTML page: the template's filters, its scripts, and its counts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from experiments.paths import TEMPLATES
from experiments.reporting.claims import Claim
from experiments.reporting.glossary import words_in

if TYPE_CHECKING:
    from experiments.reporting.report import Report

# In the order of a report: what needs attention first.
SIGNS = {"fails": "✗", "undecided": "?", "not_run": "–", "holds": "✓"}
COUNTED = {  # one, several
    "fails": ("fails", "fail"),
    "undecided": ("is undecided", "are undecided"),
    "not_run": ("was not run", "were not run"),
    "holds": ("holds", "hold"),
}


def render_page(report: Report) -> str:
    """The whole page. Every string of the report is escaped."""
    from experiments.reporting.report import shown

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"shown": shown, "anchor": anchor, "sign": SIGNS.__getitem__}
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
        # Files of the program itself, not of a run.
        style=Markup("\n".join((TEMPLATES / name).read_text("utf-8") for name in styles)),
        scripts=[Markup(text) for text in texts],
        script_hashes=Markup(" ".join(map(_hash, texts))),
    )


def anchor(name: str, kind: str) -> str:
    """The id of an element: "claim-k5_fails"."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}"


def by_verdict(claims: Sequence[Claim]) -> dict[str, list[Claim]]:
    """The claims by verdict, in the order of SIGNS; a verdict of none has an empty list."""
    return {verdict: [claim for claim in claims if claim.verdict == verdict] for verdict in SIGNS}


def tally(claims: Sequence[Claim]) -> str:
    """ "9 of 12 claims hold. 1 fails, 2 are undecided." """
    counts = {verdict: len(found) for verdict, found in by_verdict(claims).items()}
    holds = counts.pop("holds")
    if holds == len(claims):
        return "The claim holds." if holds == 1 else f"All {holds} claims hold."
    rest = [f"{n} {COUNTED[verdict][n > 1]}" for verdict, n in counts.items() if n]
    several = "claims" if len(claims) > 1 else "claim"
    return f"{holds} of {len(claims)} {several} {COUNTED['holds'][holds != 1]}. {', '.join(rest)}."


def _hash(script: str) -> str:
    """The name by which the page allows this script, and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _texts(report: Report) -> Iterator[str]:
    """The words of a report, for the glossary; configs aside, which would name every key."""
    yield from (report.title, *report.introduction, *report.answer)
    for figure in report.figures:
        yield from (figure.title, figure.caption)
    for claim in report.claims:
        yield from ("claim, verdict", claim.claim, claim.note)
    for table in report.tables:
        yield from (table.caption, *table.columns)
        yield from (str(cell) for row in table.rows for cell in row)
