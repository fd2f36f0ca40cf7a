"""The study of walls: its surface, its gradients, and what training does there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.studies.registry import make_figure
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects import cliff
from experiments.studies.subjects.cliff import (
    SamePath,
    SolvesFew,
    SolvesMost,
    Thrown,
    Training,
    WallHeight,
)

NO_RUNS = StudyRuns({}, {})


def loss_at(w: complex, b: complex) -> complex:
    x: complex = cliff.START
    for _ in range(cliff.STEPS):
        x = w / (1 + np.exp(-x)) + b
    return complex((1 / (1 + np.exp(-x)) - cliff.TARGET) ** 2)


@pytest.mark.parametrize(("w", "b"), [(4.0, -2.0), (5.5, -3.1), (6.9, -1.2), (3.1, -3.9)])
def test_the_gradient_is_that_of_complex_steps(w: float, b: float) -> None:
    found = cliff.surface(np.array([w]), np.array([b]))
    assert found.loss[0] == pytest.approx(loss_at(w, b).real, rel=1e-12)
    assert found.by_w[0] == pytest.approx(loss_at(w + 1e-30j, b).imag / 1e-30, rel=1e-9)
    assert found.by_b[0] == pytest.approx(loss_at(w, b + 1e-30j).imag / 1e-30, rel=1e-9)


def test_a_plain_step_follows_the_gradient_and_a_clipped_one_is_no_longer_than_its_norm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cliff, "UPDATES", 3)
    w, b = cliff.random_starts(0, 40)
    found = cliff.surface(w, b)
    plain, clipped = (cliff.train((w, b), kind) for kind in ("plain", "clipped"))
    np.testing.assert_allclose(plain.w[1], w - cliff.RATE * found.by_w, rtol=1e-9)
    np.testing.assert_allclose(plain.b[1], b - cliff.RATE * found.by_b, rtol=1e-9)
    np.testing.assert_allclose(plain.loss[0], found.loss, rtol=1e-9)
    norms = np.hypot(found.by_w, found.by_b)
    scale = np.minimum(1, cliff.CLIP_NORM / norms)
    assert (scale < 1).any()
    assert (scale == 1).any()
    np.testing.assert_allclose(clipped.w[1], w - cliff.RATE * scale * found.by_w, rtol=1e-9)


def test_criteria_decide_both_ways() -> None:
    assert WallHeight(times=100, points=100).decide(NO_RUNS).verdict == "holds"
    assert WallHeight(times=1e9, points=100).decide(NO_RUNS).verdict == "fails"
    clipped: dict[str, Any] = {"training": "clipped", "seed": 1, "starts": 40}
    assert Thrown(**clipped, some=False).decide(NO_RUNS).verdict == "holds"
    assert Thrown(**clipped, some=True).decide(NO_RUNS).verdict == "fails"
    assert SolvesMost(**clipped, loss=0.01).decide(NO_RUNS).verdict == "holds"
    assert SolvesMost(**clipped, loss=1e-30).decide(NO_RUNS).verdict == "fails"
    assert SolvesFew(**clipped, loss=0.01).decide(NO_RUNS).verdict == "fails"
    same: dict[str, Any] = {"seed": 1, "starts": 10, "first": "plain"}
    assert SamePath(second="computed_only", **same).decide(NO_RUNS).verdict == "holds"
    assert SamePath(second="clipped", **same).decide(NO_RUNS).verdict == "fails"


def test_the_surface_and_the_paths_on_it_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cliff, "UPDATES", 5)
    w, b = 6.2, -2.5
    labels: dict[Training, str] = {"clipped": "short steps", "plain": "long steps"}
    arguments = {"w": w, "b": b, "labels": labels}
    axes, colours = make_figure("error_surface", arguments).draw("title", NO_RUNS).axes
    (image,) = axes.collections
    losses = np.asarray(image.get_array())
    corners = cliff.surface(*np.meshgrid(cliff.W_RANGE, cliff.B_RANGE)).loss
    np.testing.assert_allclose(losses[:: len(losses) - 1, :: len(losses) - 1], corners)
    assert "σ(x_50) − 0.7" in colours.get_ylabel()
    assert (axes.get_xlim(), axes.get_ylim()) == (cliff.W_RANGE, cliff.B_RANGE)
    shown = axes.get_legend_handles_labels()[1]
    lines = [line for line in axes.lines if line.get_linestyle() == "-"]
    for kind, line, text in zip(labels, lines, shown, strict=True):
        path = cliff.train((np.array([w]), np.array([b])), kind)
        np.testing.assert_allclose(np.asarray(line.get_xydata()), np.hstack([path.w, path.b]))
        longest = np.hypot(np.diff(path.w[:, 0]), np.diff(path.b[:, 0])).max()
        assert text == f"{labels[kind]}: longest step {longest:.3g}, ends at {path.loss[-1, 0]:.3g}"
    starts = [np.asarray(line.get_xydata()) for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(starts, [[[w, b]]] * 2)
