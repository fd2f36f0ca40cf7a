"""Fluctuation: rows that rise, and rows that only seem to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.config.compose import load_config
from experiments.reporting.claims import Finding, NotRun
from experiments.statistics.sampling_noise import binary_loss_variance
from experiments.studies.planned import PlannedRun
from experiments.studies.subjects.fluctuation import flat_range, largest_rise, row_error
from tests.handmade import finished_run
from tests.studies.subjects.entries import check_on_lag_17, decide, make

ROWS = 100
SYMBOLS = 100 * 200  # a row of the blog's run of num_steps 1: 100 updates of 200 rows
Losses = NDArray[np.float64]


def frozen_rows(seeds: int, key: int = 0) -> Losses:
    """Rows of a frozen model of the blog's task: i.i.d., with the exact variance of a symbol.

    It knows lag 3, and not lag 8.
    """
    truth = np.array([[0.5, 0.25], [1.0, 0.75]])  # P(y = 1) by the inputs at lag 3 and lag 8
    model = np.broadcast_to(truth.mean(1, keepdims=True), truth.shape)
    error = (binary_loss_variance([3, 8], truth, model) / SYMBOLS) ** 0.5
    noise: Losses = error * np.random.default_rng(key).standard_normal((seeds, ROWS))
    return 0.5192 + noise


def does_not_settle(folder: Path, losses: Losses, rise: float = 0.01) -> Finding:
    run = finished_run(folder, "run", losses.tolist())
    return decide("does_not_settle", run, run="run", rise=rise)


def test_a_frozen_model_rises_by_its_noise_and_is_not_called_unsettled(tmp_path: Path) -> None:
    rows = frozen_rows(10)
    late = rows[:, ROWS // 2 :]
    rises = np.max(late - np.minimum.accumulate(late, axis=1), axis=1)
    assert (rises > 0.01).sum() >= 9  # by the measured rise alone the claim would hold
    found = does_not_settle(tmp_path, rows)
    assert (found.value, found.verdict) == ("0 of 10", "undecided")
    assert "10 may or may not" in found.note


def test_frozen_seeds_rarely_count() -> None:
    rises = [largest_rise(losses) for losses in frozen_rows(400)]
    assert sum(each.at_least >= 0.01 for each in rises) == 0
    # Even the smallest rise is claimed for at most a share 1 - SURE of them.
    assert np.mean([each.at_least > 0 for each in rises]) <= 0.01 + 3 * (0.01 / 400) ** 0.5


def test_a_frozen_model_with_little_noise_settles(tmp_path: Path) -> None:
    rows = 0.4 + (frozen_rows(10) - 0.5192) / 10
    assert does_not_settle(tmp_path, rows).verdict == "fails"


@pytest.mark.parametrize(
    ("rising", "verdict"), [(10, "holds"), (9, "holds"), (5, "undecided"), (0, "undecided")]
)
def test_waves_higher_than_the_noise_do_not_settle(
    rising: int, verdict: str, tmp_path: Path
) -> None:
    waves = 0.05 * np.sin(np.arange(ROWS) / 5)
    rows = frozen_rows(10)
    rows[:rising] += waves
    found = does_not_settle(tmp_path, rows)
    assert (found.value, found.verdict) == (f"{rising} of 10", verdict)


def test_the_error_of_a_row_comes_from_its_neighbours() -> None:
    noise = np.random.default_rng(1).standard_normal((200, 50))
    assert row_error(noise).mean() == pytest.approx(1, abs=0.02)
    drift = noise + np.linspace(0, 3, 50)
    assert row_error(drift).mean() == pytest.approx(1, abs=0.03)


def test_noise_alone_is_within_its_range() -> None:
    noise = np.random.default_rng(2).standard_normal((2000, 30))
    inside = np.ptp(noise, axis=-1) <= flat_range(30) * row_error(noise)
    assert inside.mean() == pytest.approx(0.99, abs=3 * (0.01 * 0.99 / 2000) ** 0.5 + 0.002)


def test_a_short_last_row_does_not_count(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [[0.4] * 10] * 6)
    rows = [*run.rows, *(r._replace(updates=105, loss=0.9) for r in run.rows if r.updates == 100)]
    run.__dict__["rows"] = rows  # where cached_property keeps it
    assert decide("does_not_settle", run, run="run", rise=0.01).verdict == "fails"


def test_two_rows_tell_nothing_of_their_noise(tmp_path: Path) -> None:
    with pytest.raises(NotRun, match="run run: fewer than 3 rows"):
        does_not_settle(tmp_path, np.array([[0.6, 0.5, 0.4, 0.5]]))


def test_a_run_that_will_have_two_late_rows_is_refused_before_it_is_trained() -> None:
    criterion = make("does_not_settle", run="a", rise=0.01)
    planned = {
        every: {"a": PlannedRun("a", load_config("lag_17", [f"logging.every={every}"]))}
        for every in (400, 500)  # of 2000 updates
    }
    criterion.check(planned[400])
    with pytest.raises(ValueError, match="run a: expected 3 rows of 500 updates"):
        criterion.check(planned[500])


def test_handmade_rows_are_a_run_of_whole_rows() -> None:
    assert load_config("lag_17").logging.every == 10


class TestStaysAbove:
    @pytest.mark.parametrize(
        ("below", "verdict"), [(0, "holds"), (1, "holds"), (5, "undecided"), (10, "fails")]
    )
    def test_it_is_a_share_of_the_seeds(self, below: int, verdict: str, tmp_path: Path) -> None:
        low, high = [0.6, 0.41, 0.6], [0.6, 0.5, 0.6]
        run = finished_run(tmp_path, "run", [low] * below + [high] * (10 - below))
        found = decide("stays_above", run, run="run", known="lag 17", margin=0.05)
        assert found.verdict == verdict
        assert found.value == f"{10 - below} of 10"
        assert "seeds that stay above 0.4500" in found.note

    def test_a_short_last_row_does_not_fall_below(self, tmp_path: Path) -> None:
        run = finished_run(tmp_path, "run", [[0.6, 0.5, 0.6]] * 10)
        short = [r._replace(updates=31, loss=0.1) for r in run.rows if r.updates == 30]
        run.__dict__["rows"] = [*run.rows, *short]  # where cached_property keeps it
        found = decide("stays_above", run, run="run", known="lag 17", margin=0.05)
        assert found.value == "10 of 10"

    def test_a_floor_that_a_run_will_not_have_is_named_before_it_is_trained(self) -> None:
        with pytest.raises(ValueError, match=r"known: expected .*; got lag"):
            check_on_lag_17("stays_above", known="lag", margin=0)


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        (
            "stays_above",
            {"known": "lag 3", "margin": 0.02},
            "above “lag 3” + 0.02 in ≥ 0.5 of seeds",
        ),
        ("does_not_settle", {"rise": 0.01}, "rises ≥ 0.01 in ≥ 0.5 of seeds"),
    ],
)
def test_what_is_expected_is_made_of_the_limits(
    kind: str, arguments: dict[str, object], expected: str
) -> None:
    assert make(kind, run="a", **arguments).expectation() == expected
