"""Influence balancing: the influence that each style sees, against algebra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.runs.directory import RunDirectory
from experiments.runs.run import Run
from experiments.studies.entries import Criterion
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.influence_balancing import training
from experiments.studies.subjects.influence_balancing.gradients import LongRun, Turns, Unbiased
from experiments.studies.subjects.influence_balancing.influence import (
    OPTIMUM,
    StyleName,
    exact_influence,
    influences_by_lag,
    measured_influence,
    style_and_window,
)
from experiments.studies.subjects.influence_balancing.training import EndsAtOptimum, MovesAway
from rnn_graphs.cells.influence_balancing import linear_system
from rnn_graphs.config import TruncationConfig
from rnn_graphs.truncation.credit import definition

NO_RUNS = StudyRuns({})


def test_in_the_long_run_the_influence_is_minus_six() -> None:
    assert influences_by_lag(1000).sum() == pytest.approx(-6, abs=1e-12)
    assert LongRun(depth=300, expected=-6.0).decide(NO_RUNS).verdict == "holds"
    assert LongRun(depth=300, expected=-5.9).decide(NO_RUNS).verdict == "fails"
    A, b = linear_system(23)
    assert np.linalg.solve(np.eye(23) - A, OPTIMUM * b)[0] == pytest.approx(1)


@pytest.mark.parametrize("depth", [1, 2, 7, 30])
@pytest.mark.parametrize("name", ["bptt", "tf_style", "williams_peng"])
def test_what_is_measured_is_what_the_credit_matrix_says(name: StyleName, depth: int) -> None:
    truncation, num_steps = style_and_window(name, depth)
    credit = definition(truncation, num_steps)
    steps, losses = np.arange(credit.shape[1]), np.arange(num_steps)
    lags = losses[:, None] + truncation.context_steps - steps
    by_lag = np.where(lags >= 0, influences_by_lag(2 * depth + 1)[np.maximum(lags, 0)], 0)
    expected = (credit * by_lag).sum() / num_steps
    assert measured_influence(truncation, num_steps) == pytest.approx(expected, abs=1e-9)
    assert exact_influence(name, [depth])[0] == pytest.approx(expected, abs=1e-9)


SIGNS: list[tuple[StyleName, int, int]] = [
    ("bptt", 40, 41),
    ("tf_style", 109, 110),
    ("williams_peng", 25, 30),
]


def test_the_signs_turn_where_the_literature_says() -> None:
    for name, wrong, right in SIGNS:
        before, after = exact_influence(name, [wrong, right])
        assert before > 0 > after
    turns = Turns(style="bptt", wrong=40, right=41)
    assert turns.decide(NO_RUNS).verdict == "holds"
    assert turns.expectation() == "wrong at 40, right at 41"
    assert Turns(style="bptt", wrong=39, right=40).decide(NO_RUNS).verdict == "fails"


def test_the_mean_of_artbp_is_the_full_gradient() -> None:
    assert Unbiased(cut_probability=0.1, num_steps=12).decide(NO_RUNS).verdict == "holds"


def test_a_biased_style_would_be_found_out() -> None:
    short = measured_influence(TruncationConfig(kind="tf_style", depth=4), 12)
    assert abs(short - measured_influence(TruncationConfig(kind="full"), 12)) > 1


def test_a_style_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="arguments of turns: style: expected 'bptt', 'tf_style'"):
        make_criterion("turns", {"style": "full", "wrong": 1, "right": 2})


class TestTheta:
    """θ of the checkpoints is given by hand."""

    def decide(
        self,
        criterion: Criterion,
        thetas: list[float],
        monkeypatch: pytest.MonkeyPatch,
        *changes: str,
    ) -> str:
        config = load_config("influence_balancing", changes)
        run = Run("run", RunDirectory(Path("nowhere")), config, {})
        monkeypatch.setattr(training, "final_thetas", lambda _: thetas)
        return criterion.decide(StudyRuns({"run": run})).verdict

    @pytest.mark.parametrize(("theta", "verdict"), [(-0.166, "holds"), (-0.15, "fails")])
    def test_a_run_without_chance_is_decided_by_one_seed(
        self, theta: float, verdict: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ends = EndsAtOptimum(run=RunName("run"), expected=-1 / 6, tolerance=0.001)
        assert self.decide(ends, [theta], monkeypatch) == verdict

    def test_a_run_with_chance_by_the_share_of_its_seeds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        artbp = "truncation.kind=artbp", "truncation.cut_probability=0.02"
        ends = EndsAtOptimum(run=RunName("run"), expected=-1 / 6, tolerance=0.01)
        good, bad = -0.166, 3.0
        for thetas, verdict in (
            ([good] * 8, "holds"), ([good] * 4 + [bad] * 4, "undecided"), ([bad] * 8, "fails"),
        ):  # fmt: skip
            assert self.decide(ends, thetas, monkeypatch, *artbp) == verdict

    @pytest.mark.parametrize(
        ("theta", "verdict"), [(0.6, "holds"), (-0.9, "holds"), (0.4, "fails")]
    )
    def test_away_is_further_from_the_optimum_than_it_began(
        self, theta: float, verdict: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.decide(MovesAway(run=RunName("run")), [theta], monkeypatch) == verdict

    def test_a_run_of_another_task_has_no_theta(self) -> None:
        planned = {"run": PlannedRun("run", load_config("lag_17"))}
        with pytest.raises(ValueError, match="run run: expected task influence_balancing; got bin"):
            MovesAway(run=RunName("run")).check(planned)
