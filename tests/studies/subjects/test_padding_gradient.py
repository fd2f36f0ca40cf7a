"""The criterion on the gradient that padding changes, on gradients made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.gradients import first
from experiments.reporting.claims import Finding
from experiments.runs.directory import RunDirectory
from experiments.runs.run import Run
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.padding_gradient import GradientApart

APART = (0.2, 0.3, 0.4)  # of each seed


def by_hand(config: Config, seed: int) -> NDArray[np.float64]:
    """g = (3, 4), of length 5; with padding=none, ĝ lies APART times 5 away from it."""
    apart = APART[seed] if config.graph.padding == "none" else 0.0
    return np.array([3.0, 4.0 + 5 * apart])


def decide(monkeypatch: pytest.MonkeyPatch, run: str, against: str, at_least: float) -> Finding:
    """The finding on two runs of three seeds, named by their padding."""
    monkeypatch.setattr(first, "first_gradient", by_hand)
    runs = {
        padding: Run(
            padding,
            RunDirectory(Path(padding)),
            load_config("captions", ["training.seeds=3", f"graph.padding={padding}"]),
            {},
        )
        for padding in (run, against)
    }
    criterion = GradientApart.model_validate({"run": run, "against": against, "at_least": at_least})
    return criterion.decide(StudyRuns(runs))


def test_the_value_is_the_mean_over_seeds_relative_to_the_gradient_of_against(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = decide(monkeypatch, "none", "mask", 0.1)
    assert found.value == pytest.approx(0.3)
    assert found.seeds == 3
    turned = decide(monkeypatch, "mask", "none", 0.1)
    lengths = [np.hypot(3, 4 + 5 * apart) for apart in APART]
    expected = np.mean([5 * apart / length for apart, length in zip(APART, lengths, strict=True)])
    assert turned.value == pytest.approx(expected)


# The 95 % interval of 0.2, 0.3 and 0.4 is 0.05 to 0.55.
@pytest.mark.parametrize(
    ("at_least", "verdict"), [(0.01, "holds"), (0.25, "undecided"), (0.9, "fails")]
)
def test_it_holds_where_the_interval_lies_above_the_bound(
    monkeypatch: pytest.MonkeyPatch, at_least: float, verdict: str
) -> None:
    assert decide(monkeypatch, "none", "mask", at_least).verdict == verdict


def test_equal_gradients_are_not_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    found = decide(monkeypatch, "mask", "sequence_length", 0.1)
    assert (found.value, found.verdict) == (0, "fails")
