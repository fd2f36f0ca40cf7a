"""Pictures that no setting and no text of a user spoils, and what learning curves show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from numpy.typing import NDArray

from experiments.reporting import learning_curves
from experiments.reporting.learning_curves import Series, learning_curve_figure, thinned
from experiments.reporting.pictures import own_style, render, save_figure, save_picture
from experiments.reporting.style import COLORS, draw_title, new_figure, pen
from experiments.runs.curves import Curves
from tests.conftest import ROOT


def curve() -> Curves:
    updates = np.array([10, 20])
    losses = np.array([[0.7, 0.5]])
    return Curves(updates, updates, losses, losses, [0])


def long_curves(count: int) -> Curves:
    """Two seeds of noise, one of which ends early."""
    stream = np.random.default_rng(0)
    updates = np.arange(10, 10 * count + 10, 10)
    losses = stream.normal(0.5, 0.02, (2, count)) + np.exp(-np.arange(count) / (count / 20))
    losses[1, -count // 10 :] = np.nan
    seconds = np.cumsum(stream.gamma(0.1, 1, (2, count)), axis=1)  # as uneven as a busy machine
    seconds[np.isnan(losses)] = np.nan
    return Curves(updates, updates, seconds, losses, [0, 1])


@pytest.mark.parametrize("axis", ["updates", "seconds"])
def test_a_long_line_keeps_its_ends_and_its_extremes(axis: str) -> None:
    x, losses = long_curves(200_000).against(axis)
    kept, drawn = thinned(x, losses)
    assert len(kept) < len(x) / 4
    assert (kept[0], kept[-1]) == (x[0], x[-1])
    np.testing.assert_array_equal(drawn, losses[:, np.searchsorted(x, kept)])
    scale = learning_curves.STRETCHES / (x[-1] - x[0])
    whole, thin = (np.floor((each - x[0]) * scale) // 4 for each in (x, kept))
    for pixel in range(learning_curves.STRETCHES // 4):
        for row, short in zip(losses, drawn, strict=True):
            there, left = row[whole == pixel], short[thin == pixel]
            assert left.size == there.size == 0 or np.array_equal(
                [np.fmin.reduce(left), np.fmax.reduce(left)],
                [np.fmin.reduce(there), np.fmax.reduce(there)],
                equal_nan=True,
            )


def test_a_picture_of_a_thinned_line_is_that_of_all_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(name: str) -> NDArray[np.float64]:
        with own_style():
            series = [Series("a", long_curves(100_000))]
            save_figure(learning_curve_figure("loss", series, {}), tmp_path / name)
        return np.asarray(imread(tmp_path / name))

    thin = drawn("thin.png")
    monkeypatch.setattr(learning_curves, "STRETCHES", 1_000_000)
    difference = np.abs(thin - drawn("all.png"))
    assert difference.mean() < 1e-3
    assert (difference.max(axis=-1) > 0.2).mean() < 1e-3


def picture(path: Path, title: str) -> NDArray[np.float64]:
    """The pixels of learning curves that are drawn as a run draws them."""
    with own_style():
        save_figure(learning_curve_figure(title, [Series(title, curve())], {"none": 0.6}), path)
    return np.asarray(imread(path))


@pytest.mark.parametrize(
    "title",
    ["$x_$", "$", "costs $5 and $6", r"$\\frac{1$", "李明 の実験", "a_b^c {d} %", r"\\alpha"],
)
def test_a_user_s_text_is_drawn_as_it_is_written(tmp_path: Path, title: str) -> None:
    assert picture(tmp_path / "a.png", title).std() > 0


def test_dollars_are_no_mathematics(tmp_path: Path) -> None:
    drawn = [picture(tmp_path / f"{number}.png", title) for number, title in enumerate(TITLES)]
    assert not np.array_equal(drawn[0], drawn[1])


TITLES = (r"$\mathrm{x}$", "x")


@pytest.mark.parametrize(
    "settings",
    [
        {"text.usetex": True},
        {"figure.figsize": [1.0, 1.0], "axes.grid": True, "lines.linewidth": 9.0},
        {"axes.facecolor": "black", "savefig.bbox": "tight", "font.size": 40.0},
        {"backend": "pdf", "savefig.format": "svg"},
    ],
)
def test_a_user_s_settings_change_no_picture(tmp_path: Path, settings: dict[Any, Any]) -> None:
    plain = picture(tmp_path / "plain.png", "loss")
    with matplotlib.rc_context():
        matplotlib.rcParams.update(settings)
        before = dict(matplotlib.rcParams)
        drawn = picture(tmp_path / "drawn.png", "loss")
        assert dict(matplotlib.rcParams) == before
    np.testing.assert_array_equal(drawn, plain)


@pytest.mark.parametrize("backend", ["module://not_installed.backend", "inline", "nonsense"])
def test_a_notebook_s_backend_is_no_hindrance(tmp_path: Path, backend: str) -> None:
    program = (
        "from pathlib import Path\n"
        "from experiments.reporting.pictures import save_figure\n"
        "from experiments.reporting.style import new_figure\n"
        "save_figure(new_figure(), Path('figure.png'))\n"
    )
    drawn = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"MPLBACKEND": backend, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert drawn.stderr == ""
    assert (tmp_path / "figure.png").exists()


ELSEWHERE = (
    "\u1d81"  # a letter that DejaVu Sans lacks and STIXGeneral has; both come with matplotlib
)
NOWHERE = "\U000f1234"  # for private use


def texts_of(title: str) -> dict[str, list[str]]:
    """Each text of a picture that is drawn with this title, and the fonts it is drawn in."""
    with own_style():
        figure = new_figure()
        axes = figure.subplots()
        axes.set_title(title)
        axes.set_xticks([0, 1], [title, "plain"])
        render(figure)
    labels = [axes.title, *axes.get_xticklabels()]
    return {label.get_text(): list(label.get_fontfamily()) for label in labels}


def test_a_character_that_the_font_lacks_is_drawn_in_another() -> None:
    assert "STIXGeneral" in texts_of(f"a {ELSEWHERE}")[f"a {ELSEWHERE}"]
    assert texts_of("plain") == {"plain": ["sans-serif"]}


def test_the_values_of_a_key_are_no_mathematics() -> None:
    assert list(texts_of("$x_$")) == ["$x_$", "plain"]


def test_a_character_that_no_font_has_is_an_escape() -> None:
    assert list(texts_of(f"a {NOWHERE} {ELSEWHERE}")) == [f"a \\U000f1234 {ELSEWHERE}", "plain"]


def test_a_picture_that_cannot_be_drawn_is_a_line_of_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> Figure:
        raise RuntimeError("no\nfont")

    path = tmp_path / "a.png"
    assert save_picture(new_figure, path)
    assert not save_picture(fail, path)
    assert not path.exists()
    assert capsys.readouterr().err == f"warning: {path}: cannot be drawn: RuntimeError: no font\n"


def test_powers_of_ten_stay_powers() -> None:
    pixels = []
    for scale in ("log", "linear"):
        with own_style():
            figure = new_figure()
            axes = figure.subplots()
            axes.plot([1, 10, 100], [1e-5, 1e-3, 1e-1])
            axes.set_yscale(scale)
            png = render(figure)
            labels = [label for label in axes.get_yticklabels() if "$" in label.get_text()]
        assert bool(labels) == (scale == "log")
        assert all(label.get_parse_math() for label in labels)
        pixels.append(png)
    assert pixels[0] != pixels[1]


def test_no_two_of_many_lines_look_alike() -> None:
    looks = [pen(index) for index in range(3 * len(COLORS))]
    assert len(set(looks)) == len(looks)
    assert {look.dashes for look in looks[: len(COLORS)]} == {"-"}


MANY_KEYS = ", ".join(f"section.a_long_name_of_key_{number}=0.00{number}" for number in range(9))


@pytest.mark.parametrize("count", [1, 3, 7])
def test_titles_and_labels_of_many_keys_fit_the_picture(count: int) -> None:
    series = [Series(f"{MANY_KEYS}, {number}", curve()) for number in range(count)]
    figure = learning_curve_figure(f"training loss, {MANY_KEYS}", series, {"none": 0.69})
    render(figure)
    width, height = figure.bbox.size
    axes = figure.axes[0]
    texts = [child for child in axes.get_children() if isinstance(child, Text)]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    for text in (text for text in texts if text.get_text()):
        box = text.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1, text.get_text()
        assert -1 <= box.y0 <= box.y1 <= height + 1, text.get_text()
    assert axes.get_window_extent().width > width / 2
    assert axes.get_window_extent().height > height / 3


def test_a_narrow_picture_has_a_narrow_title() -> None:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    draw_title(axes, MANY_KEYS)
    render(figure)
    titles = [child for child in axes.get_children() if isinstance(child, Text)]
    assert max(title.get_window_extent().x1 for title in titles) <= figure.bbox.width
