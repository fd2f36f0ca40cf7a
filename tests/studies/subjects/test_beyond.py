"""Criteria and figures on credit beyond the window, on runs that are small or made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.gradients.state_memory import explained, readout_data
from experiments.runs.run import read_run
from experiments.studies.registry import make_criterion, make_figure
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.closeness import cosines
from experiments.studies.subjects.state_memory import explained_shares
from experiments.training.runner import train
from tests.conftest import SMALL

SHORT = (
    *SMALL, "training.epochs=1", "training.seeds=2", "graph.num_steps=1", "logging.every=100",
    "logging.tensorboard=false", "model.state_size=8",
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> StudyRuns:
    """Untrained weights, and 1000 updates of rtrl with a large rate."""
    folder, found = tmp_path_factory.mktemp("runs"), {}
    for name, keys in (
        ("drawn", ["optimizer.learning_rate=1.0e-9"]),
        ("trained", ["truncation.kind=rtrl"]),
    ):
        train(load_config("r2rt_n1", [*SHORT, *keys]), folder / name)
        found[name] = read_run(folder / name, name)
    return StudyRuns(found)


def test_cosines_are_those_of_styles_that_differ(runs: StudyRuns) -> None:
    by_seed = cosines(runs["trained"], leak=0.5)
    assert sorted(by_seed) == [0, 1]
    for found in by_seed.values():
        assert list(found) == ["snap", "rflo", "kf_rtrl", "uoro", "none"]
        assert all(-1 <= value < 1 - 1e-6 for value in found.values())
        assert found["snap"] > found["uoro"]  # half of the paths against one random direction


def test_closer_to_exact_is_decided_by_seeds(runs: StudyRuns) -> None:
    arguments = {"run": "trained", "style": "snap", "than": "uoro", "leak": 0.5}
    finding = make_criterion("closer_to_exact", arguments).decide(runs)
    by_seed = cosines(runs["trained"], leak=0.5)
    expected = np.mean([found["snap"] - found["uoro"] for found in by_seed.values()])
    assert finding.value == pytest.approx(expected)
    assert finding.low is not None
    assert isinstance(finding.value, float)
    assert finding.low <= finding.value
    swapped = arguments | {"style": "uoro", "than": "snap"}
    assert make_criterion("closer_to_exact", swapped).decide(runs).verdict != "holds"


def test_pictures_are_drawn(runs: StudyRuns) -> None:
    cosine = make_figure("cosines_to_exact", {"run": "trained", "leak": 0.5}).draw("t", runs)
    assert cosine.axes[0].get_xticklabels()[0].get_text() == "snap"
    memory = make_figure("state_memory", {"labels": {"drawn": "a", "trained": "b"}, "lag": 3})
    assert len(memory.draw("t", runs).axes[0].patches) == 2


def test_training_with_credit_for_the_past_makes_the_state_hold_it(runs: StudyRuns) -> None:
    drawn, trained = (explained_shares(runs[name], 1) for name in ("drawn", "trained"))
    assert drawn.keys() == trained.keys() == {0, 1}
    assert all(0 < share <= 1 for share in [*drawn.values(), *trained.values()])
    arguments = {"run": "drawn", "against": "trained", "lag": 3}
    finding = make_criterion("state_holds_less", arguments).decide(runs)
    pair = [np.mean([*explained_shares(runs[name], 3).values()]) for name in ("drawn", "trained")]
    assert finding.value == pytest.approx(pair[0] - pair[1])


def test_a_readout_finds_what_is_there_and_nothing_else() -> None:
    stream = np.random.default_rng(0)
    inputs = stream.integers(0, 2, [300, 20])
    lagged = np.roll(inputs, 2, axis=0)
    states = np.stack([3 * lagged + 1.0, stream.normal(size=lagged.shape)], -1)
    for lag, share in ((2, 1.0), (3, 0.0)):
        fit, judge = (readout_data(states[:, half], inputs[:, half], lag)
                      for half in (slice(10), slice(10, 20)))  # fmt: skip
        weights = np.linalg.lstsq(*fit, rcond=None)[0]
        assert explained(judge[0] @ weights, judge[1]) == pytest.approx(share, abs=0.01)
