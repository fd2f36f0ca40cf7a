"""At most 5 % wrong verdicts on null claims, by the criteria's own code and over whole studies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.config.compose import load_config
from experiments.reporting.claims import Claim, Finding
from experiments.runs.directory import RunDirectory
from experiments.runs.final_loss import FinalLoss
from experiments.runs.onset import Onset
from experiments.runs.run import Run
from experiments.statistics.verdicts import LEVEL, Verdict
from experiments.studies.correction import with_corrections
from experiments.studies.decisions import decide
from experiments.studies.looks import Looks
from experiments.studies.registry import make_criterion
from experiments.studies.runs import StudyRuns
from experiments.studies.spec import ClaimSpec
from tests.statistics.rates import at_most

TRIALS = 1000
FLOORS = {"none": 0.6, "lag 17": 0.4}
CONFIG = load_config("lag_17")
Random = np.random.Generator


def run_of(label: str, floors: Mapping[str, float], **results: Any) -> Run:
    """A run that is nowhere, with these results in place of what it would read."""
    summary = {"floors": floors, "probe": results.pop("probe", None)}
    run = Run(label, RunDirectory(Path("nowhere")), CONFIG, summary)
    run.__dict__.update(results)  # where cached_property keeps them
    return run


def losses(label: str, values: Iterable[float], floors: Mapping[str, float]) -> Run:
    finals = {seed: FinalLoss(value, 1, 1) for seed, value in enumerate(values)}
    return run_of(label, floors, finals=finals)


def verdicts(kind: str, draw: Callable[[Random], list[Run]], **arguments: Any) -> list[Verdict]:
    """The verdicts of many studies, each with new runs."""
    criterion, random = make_criterion(kind, arguments), np.random.default_rng(0)
    return [
        criterion.decide(StudyRuns({run.label: run for run in draw(random)})).verdict
        for _ in range(TRIALS)
    ]


@pytest.mark.parametrize("seeds", [3, 10])
@pytest.mark.parametrize("expected_is", ["exact", "one_run"])
def test_a_loss_at_the_end_of_its_tolerance(seeds: int, expected_is: str) -> None:
    spread, tolerance, found = 0.01, 0.05, []
    random = np.random.default_rng(seeds)
    for _ in range(TRIALS):
        luck = spread * random.standard_normal() if expected_is == "one_run" else 0.0
        run = losses("a", 0.5 + tolerance + spread * random.standard_normal(seeds), {})
        arguments = {"run": "a", "expected": 0.5 + luck, "tolerance": tolerance}
        criterion = make_criterion("final_loss", {**arguments, "expected_is": expected_is})
        found.append(criterion.decide(StudyRuns({"a": run})).verdict)
    assert at_most(0.05, [verdict == "holds" for verdict in found])
    assert at_most(0.05, [verdict == "fails" for verdict in found])
    assert "holds" in found


def test_a_loss_that_only_the_minority_reaches() -> None:
    """A share of 0.45 learned, and these are exactly where they are claimed to be."""

    def draw(random: Random) -> list[Run]:
        learned = random.random(10) < 0.45
        return [losses("a", np.where(learned, 0.42, 0.6) + random.normal(0, 1e-3, 10), FLOORS)]

    arguments = {"run": "a", "expected": 0.42, "expected_is": "exact", "tolerance": 0.01}
    found = verdicts("final_loss", draw, **arguments)
    assert at_most(0.05, [verdict == "holds" for verdict in found])


@pytest.mark.parametrize("seeds", [3, 10])
def test_a_difference_of_equal_runs(seeds: int) -> None:
    def draw(random: Random) -> list[Run]:
        shared = random.normal(0.5, 0.03, seeds)
        return [losses(name, shared + random.normal(0, 0.01, seeds), {}) for name in "ab"]

    found = verdicts("lowers_loss", draw, run="a", against="b")
    assert at_most(0.05, [verdict != "undecided" for verdict in found])


@pytest.mark.parametrize("seeds", [5, 10, 20])
def test_a_lag_that_half_of_the_seeds_learn(seeds: int) -> None:
    def draw(random: Random) -> list[Run]:
        learned = random.random(seeds) < 0.5
        effects = [[{"lag": 17, "learned": answer}] for answer in learned]
        probe = [{"seed": seed, "effects": each} for seed, each in enumerate(effects)]
        return [run_of("a", {}, probe=probe)]

    found = verdicts("learned", draw, run="a", lags=[17], others=[])
    for wrong in ("holds", "fails"):
        assert at_most(0.05, [verdict == wrong for verdict in found])


def onsets(label: str, updates: Iterable[float]) -> Run:
    found = {seed: Onset(int(at), int(at), float(at), True) for seed, at in enumerate(updates)}
    return run_of(label, FLOORS, onsets=found)


def test_runs_that_learn_equally_soon() -> None:
    def draw(random: Random) -> list[Run]:
        return [onsets(name, 1e4 * np.exp(random.normal(0, 0.5, 10))) for name in "ab"]

    found = verdicts("learns_sooner", draw, run="a", against="b", axis="updates")
    assert at_most(0.05, [verdict != "undecided" for verdict in found])


def until(label: str, times: NDArray[np.float64], end: float) -> Run:
    """A run whose seeds learn at these times, if that is before the end."""
    found = {
        seed: Onset(int(min(at, end)), int(min(at, end)), float(min(at, end)), bool(at < end))
        for seed, at in enumerate(times)
    }
    return run_of(label, FLOORS, onsets=found)


@pytest.mark.parametrize("end", [1e4, 2e4])
def test_runs_that_learn_equally_soon_if_at_all(end: float) -> None:
    """Training ends where half of the seeds have learned, or most of them."""

    def draw(random: Random) -> list[Run]:
        return [until(name, 1e4 * np.exp(random.normal(0, 0.5, 20)), end) for name in "ab"]

    found = verdicts("learns_sooner", draw, run="a", against="b", axis="updates")
    assert at_most(0.025, [verdict == "holds" for verdict in found])


def test_runs_that_differ_by_the_factor_itself_if_they_learn_at_all() -> None:
    def draw(random: Random) -> list[Run]:
        times = 1e5 * np.exp(random.normal(0, 0.1, (2, 20)))
        return [until("a", 1.5 * times[0], 1.7e5), until("b", times[1], 1.7e5)]

    arguments = {"run": "a", "against": "b", "axis": "updates", "factor": 1.5}
    found = verdicts("learns_as_soon", draw, **arguments)
    for wrong in ("holds", "fails"):
        assert at_most(0.05, [verdict == wrong for verdict in found])


def test_runs_that_differ_by_the_factor_itself() -> None:
    def draw(random: Random) -> list[Run]:
        times = 1e5 * np.exp(random.normal(0, 0.1, (2, 10)))
        return [onsets("a", 1.5 * times[0]), onsets("b", times[1])]

    arguments = {"run": "a", "against": "b", "axis": "updates", "factor": 1.5}
    found = verdicts("learns_as_soon", draw, **arguments)
    for wrong in ("holds", "fails"):
        assert at_most(0.05, [verdict == wrong for verdict in found])
    assert "holds" in found


def test_artbp_that_is_off_by_its_margin() -> None:
    unbiased = make_criterion("unbiased", {"cut_probability": 0.1, "num_steps": 12})
    random = np.random.default_rng(3)
    judge: Callable[[list[float], float], Finding] = unbiased.judge  # type: ignore[attr-defined]
    found = [judge(random.normal(1.1, 0.1, 20).tolist(), 1.0).verdict for _ in range(TRIALS)]
    for wrong in ("holds", "fails"):
        assert at_most(0.05, [verdict == wrong for verdict in found])


CLAIMS = [
    ClaimSpec.model_validate(
        {
            "id": f"c{place}",
            "source": "s",
            "claim": "c",
            "criterion": "lowers_loss",
            "arguments": {"run": f"a{place}", "against": f"b{place}"},
        }
    )
    for place in range(8)
]


def equal_runs(random: Random, seeds: int) -> StudyRuns:
    """A pair of equal runs for each claim."""
    names = [f"{side}{place}" for side in "ab" for place in range(len(CLAIMS))]
    return StudyRuns({name: losses(name, random.normal(0.5, 0.01, seeds), {}) for name in names})


def test_a_study_of_null_claims_has_a_wrong_verdict_in_five_percent_of_cases() -> None:
    random = np.random.default_rng(4)
    studies: list[list[Claim]] = []
    for _ in range(TRIALS):
        runs = equal_runs(random, 5)
        studies.append(with_corrections([decide(spec, runs) for spec in CLAIMS]))
    raw, corrected = (
        [any(getattr(claim, key) != "undecided" for claim in claims) for claims in studies]
        for key in ("verdict", "verdict_corrected")
    )
    assert not at_most(0.05, raw)  # 1 - 0.95 ** 8 = 34 %
    assert at_most(0.05, corrected)


def test_looking_again_and_again_keeps_the_error_rate() -> None:
    random, planned, batch = np.random.default_rng(5), 8, 4
    wrong, wrong_without = [], []
    for _ in range(TRIALS // 2):
        pair = {name: random.normal(0.5, 0.01, planned * batch) for name in ("a0", "b0")}
        looks = Looks(CLAIMS[:1], planned, None, {}, {})
        naive = []
        for look in range(1, planned + 1):
            runs = StudyRuns({k: losses(k, v[: look * batch], {}) for k, v in pair.items()})
            looks.take(runs, decide)
            naive.append(decide(CLAIMS[0], runs, LEVEL).verdict != "undecided")
        assert looks.level == LEVEL / planned
        wrong.append(looks.claims["c0"].verdict != "undecided")
        wrong_without.append(any(naive))
    assert at_most(0.05, wrong)
    assert not at_most(0.05, wrong_without)
