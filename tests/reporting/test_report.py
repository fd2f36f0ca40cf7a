"""experiments/reporting/report.py: one file, the answer first, and no text that acts as HTML."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pytest

from experiments.paths import TEMPLATES
from experiments.reporting.chart import curve_chart
from experiments.reporting.claims import Claim, Outcome
from experiments.reporting.learning_curves import Series
from experiments.reporting.pictures import save_figure
from experiments.reporting.report import (
    Report,
    ReportFigure,
    Table,
    anchor,
    link_figures,
    write_report,
)
from experiments.reporting.style import new_figure
from experiments.reporting.verdicts import SIGNS, tally
from tests.handmade import FLOORS, finished_run

ODD = "</script><img src=x onerror=alert(1)> & \"quoted\" 'too' \u2028 {{ 1 + 1 }}"
VOID = {"meta", "img", "br", "link", "hr", "input"}
CHROMIUM = shutil.which("chromium")


class Page(HTMLParser):
    """Every element of a page, its texts, and whether every one that opens is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)

    def attributes(self, name: str) -> list[str]:
        """The values of an attribute, over all elements."""
        return [value for _, found in self.elements if (value := found.get(name)) is not None]


def claim(name: str, verdict: str) -> Claim:
    (known,) = (each for each in get_args(Outcome) if each == verdict)
    return Claim(name, "a blog", f"the claim {name}", 0.5, 0.4, 0.3, 0.6, 3, known, "a note")


def charted(folder: Path, label: str = "a run") -> ReportFigure:
    """Curves of two seeds, with their picture."""
    run = finished_run(folder / "run", "run", [[0.6, 0.5, 0.4], [0.7, 0.4, 0.3]])
    save_figure(new_figure(), folder / "curves.png")
    chart = curve_chart([Series(label, run.curves)], FLOORS)
    return ReportFigure.from_file(folder / "curves.png", "the curves", "a caption", chart)


def written(folder: Path, **fields: Any) -> str:
    empty = Report("a title", ["an introduction"], [], [], [], {"run": "key: 1"}, {"python": "3"})
    write_report(folder / "report.html", empty._replace(**fields))
    return (folder / "report.html").read_text("utf-8")


def test_exact_numbers_have_twelve_digits_and_measured_ones_four(tmp_path: Path) -> None:
    measured = claim("times", "holds")._replace(measured=1 / 7, seeds=0)
    exact = claim("floor", "holds")._replace(measured=2 / 7, seeds=0, exact=True)
    page = written(tmp_path, claims=[measured, exact])
    assert ">0.1429<" in page
    assert ">0.285714285714<" in page


def test_the_answer_comes_before_all_else_and_links_to_rows_and_figures(tmp_path: Path) -> None:
    claims = [claim("a", "holds"), claim("b", "fails"), claim("c", "not_run")]
    figure = charted(tmp_path)
    text = written(
        tmp_path, claims=claims, figures=[figure], figure_of={"b": figure.id}, answer=["So it is."]
    )
    order = [
        "So it is.", "1 of 3 claims holds", "an introduction", "<figure", '<h2 id="claims"',
        '<h2 id="configs"',
    ]  # fmt: skip
    assert sorted(order, key=text.index) == order
    ids = Page(text).attributes("id")
    assert len(ids) == len(set(ids))
    targets = [link[1:] for link in Page(text).attributes("href")]
    assert {"claim-a", "claim-b", "claim-c", "figure-curves"} <= set(targets) <= set(ids)
    answer = text[: text.index("an introduction")]
    assert answer.index("the claim b") < answer.index("the claim c") < answer.index("the claim a")


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        (["holds"], "The claim holds."),
        (["holds"] * 3, "All 3 claims hold."),
        (["fails"], "The claim fails."),
        (["not_run"] * 2, "All 2 claims were not run."),
        (["not_run", "fails"], "None of 2 claims holds. 1 fails, 1 was not run."),
        (["holds", "fails", "fails", "not_run"], "1 of 4 claims holds. 2 fail, 1 was not run."),
    ],
)
def test_the_tally_is_a_sentence(verdicts: list[str], sentence: str) -> None:
    assert tally([claim(str(place), verdict) for place, verdict in enumerate(verdicts)]) == sentence


def test_every_verdict_has_a_sign_and_a_color() -> None:
    assert set(get_args(Outcome)) <= set(SIGNS)
    style = (TEMPLATES / "report.css").read_text("utf-8")
    assert all(f".{verdict} {{" in style for verdict in SIGNS)


def test_a_claim_is_linked_to_the_first_figure_that_shows_the_most_of_its_runs() -> None:
    figures = {"first": ["a", "b"], "second": ["a", "b"], "third": ["a", "b", "c"]}
    claims = {"one": ["a"], "all": ["a", "c"], "none": ["d"], "exact": []}
    assert link_figures(claims, figures) == {"one": "first", "all": "third"}
    assert link_figures({"one": ["a"]}, {}) == {}


def test_nothing_is_loaded_and_only_its_own_scripts_run(tmp_path: Path) -> None:
    text = written(tmp_path, figures=[charted(tmp_path)], tables=[Table("t", "", ["a"], [["1"]])])
    page = Page(text)
    for value in (*page.attributes("src"), *page.attributes("href"), *page.attributes("srcset")):
        assert value.startswith(("data:image/png;base64,", "#"))
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", text)
    assert {tag for tag, _ in page.elements}.isdisjoint({"link", "iframe", "object", "embed"})
    policy = next(value for value in page.attributes("content") if "default-src" in value)
    assert "default-src 'none'" in policy
    own = [script for script in page.scripts if not script.startswith("{")]
    digests = [hashlib.sha256(script.encode()).digest() for script in own]
    hashes = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
    assert re.findall(r"'sha256-[^']+'", policy) == hashes
    assert len(own) == 3


def test_a_report_without_curves_carries_no_library(tmp_path: Path) -> None:
    assert "uPlot" not in written(tmp_path)
    assert "uPlot" in written(tmp_path, figures=[charted(tmp_path)])
    assert (tmp_path / "report.html").stat().st_size < 200_000


def test_the_library_is_there_with_its_license() -> None:
    assert "MIT License" in (TEMPLATES / "uplot" / "LICENSE").read_text("utf-8")


def test_all_text_is_shown_as_text(tmp_path: Path) -> None:
    odd = Claim(ODD, ODD, ODD, ODD, ODD, None, None, 1, "holds", ODD)
    figure = charted(tmp_path, ODD)._replace(title=ODD, caption=ODD, id=ODD)
    text = written(
        tmp_path, title=ODD, introduction=[ODD], figures=[figure], claims=[odd], answer=[ODD],
        tables=[Table(ODD, ODD, [ODD], [[ODD]])], configs={ODD: ODD}, environment={ODD: ODD},
        figure_of={ODD: ODD},
    )  # fmt: skip
    page = Page(text)
    assert not page.attributes("onerror")
    assert text.count("</script") == sum(tag == "script" for tag, _ in page.elements)
    assert "<title>" + str(html.escape(ODD))[:20] in text
    assert anchor(ODD, "claim") in page.attributes("id")


def test_the_data_block_is_json_equal_to_the_curves_whatever_their_names(tmp_path: Path) -> None:
    figure = charted(tmp_path, ODD)
    text = written(tmp_path, figures=[figure])
    (block,) = (script for script in Page(text).scripts if script.startswith("{"))
    assert figure.chart is not None
    assert json.loads(block) == json.loads(json.dumps(figure.chart.as_json()))
    assert json.loads(block)["lines"][0]["label"] == ODD
    assert "<" not in block
    assert "\u2028" not in block


def test_without_scripts_every_picture_is_shown(tmp_path: Path) -> None:
    """Only a script puts a figure's chart in the place of its picture."""
    text = written(tmp_path, figures=[charted(tmp_path)])
    page = Page(text)
    (image,) = (found for tag, found in page.elements if tag == "img")
    assert str(image["src"]).startswith("data:image/png;base64,iVBOR")
    assert not [found for tag, found in page.elements if tag == "figure" and "class" in found]
    (chart,) = (found for _, found in page.elements if found.get("class") == "chart")
    assert "hidden" in chart
    hiding = re.findall(r"([^{}\n]+)\{ display: none; \}", (TEMPLATES / "report.css").read_text())
    assert [rule for rule in hiding if "static" in rule] == ["figure.live .static "]


def test_words_of_the_report_are_defined_and_no_others(tmp_path: Path) -> None:
    text = written(tmp_path, introduction=["The onset of each seed."], configs={"a": "stride: 1"})
    assert "<dt>onset</dt>" in text
    assert "<dt>stride</dt>" not in text


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_draws_the_chart_and_makes_tables_sortable(tmp_path: Path) -> None:
    table = Table("t", "", ["a"], [["1"], ["2"]])
    written(tmp_path, figures=[charted(tmp_path)], tables=[table])
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'profile'}",
    ]
    done = subprocess.run(
        [str(CHROMIUM), *options, "--virtual-time-budget=5000", "--dump-dom",
         (tmp_path / "report.html").as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    drawn = done.stdout
    assert 'class="live"' in drawn
    assert "<canvas" in drawn
    assert re.search(r'<th><button type="button" title="sort">a</button>', drawn)
    assert "a run (2 seeds)" in drawn


def test_what_stands_between_backticks_is_code_and_the_rest_is_escaped(tmp_path: Path) -> None:
    report = Report("t", ["`a<b` & `c`, 5 ` 6"], [], [], [], {}, {})
    write_report(tmp_path / "report.html", report)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "<code>a&lt;b</code> &amp; <code>c</code>, 5 ` 6" in text
