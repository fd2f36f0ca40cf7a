"""The depth of an epoch: the estimate on known decays, and training that takes it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.errors import Interrupted, UsageError
from experiments.runs.metrics import read_metrics
from experiments.training.adaptive import least_depth, relative_biases
from experiments.training.runner import train
from experiments.training.workload import make_workload
from tests.conftest import SMALL, StopAtSave, assert_same_end

ADAPTIVE = (
    *SMALL, "task.size=8180", "training.epochs=3", "graph.num_steps=10", "truncation.kind=adaptive",
    "truncation.tolerance=0.5", "truncation.least=1", "truncation.most=10",
    "logging.metrics=[chosen_depth]", "logging.every=10", "logging.tensorboard=false",
)  # fmt: skip


@pytest.mark.parametrize("decay", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("tolerance", [0.5, 0.1, 0.01])
def test_a_linear_decay_needs_the_depth_that_algebra_gives(decay: float, tolerance: float) -> None:
    """With φ_k = d^k what depth K leaves out is d^K of the whole."""
    signal = np.array([decay**lag for lag in range(200)])
    np.testing.assert_allclose(relative_biases(signal)[:20], decay ** np.arange(1.0, 21), rtol=1e-6)
    expected = math.floor(math.log(tolerance) / math.log(decay)) + 1  # the least below
    depths = list(range(1, 201))
    assert depths[least_depth(signal, tolerance, depths)] == expected


def test_what_does_not_decay_takes_the_largest() -> None:
    assert least_depth(np.ones(20), 0.5, [1, 2, 5]) == 2
    assert least_depth(np.power(1.1, np.arange(20.0)), 0.5, [1, 2, 5]) == 2
    assert least_depth(np.array([1.0, *np.zeros(19)]), 0.5, [1, 2, 5]) == 0  # nothing goes back


def test_a_late_error_is_in_the_tail() -> None:
    """As in copy memory of lag 10, once learned: a depth that does not reach it is too short."""
    signal = 0.3 ** np.arange(40.0)
    signal[10] = 1.0
    depths = [5, 10, 11, 20, 40]
    assert depths[least_depth(signal, 0.2, depths)] >= 11


def test_influence_balancing_takes_a_depth_with_the_right_sign() -> None:
    """BPTT(2K − 1; K) is wrong at K = 25 and right from 30 on. φ by algebra: ‖e_1ᵀ A^k‖."""
    A = 0.5 * (np.eye(23) + np.eye(23, k=1))
    error, signal = np.eye(23)[0], []
    for _ in range(240):
        signal.append(np.linalg.norm(error))
        error = error @ A
    depths = [1, 2, 5, 10, 20, 25, 30, 40, 60, 80, 120]
    assert 30 <= depths[least_depth(np.array(signal), 0.1, depths)] < 120


def test_training_takes_it_and_resumes_bit_for_bit(
    tmp_path: Path, stop_at_save: StopAtSave, only_training: None
) -> None:
    config = load_config("r2rt_n5", ADAPTIVE)
    train(config, tmp_path / "whole")
    rows = read_metrics(tmp_path / "whole" / "metrics.csv")
    by_epoch = [{row.metrics["chosen_depth"] for row in rows if row.epoch == n} for n in (1, 2, 3)]
    assert by_epoch[0] == {10.0}
    assert all(depths <= {1.0, 2.0, 5.0, 10.0} for depths in by_epoch)
    assert {10.0} not in by_epoch[1:]  # a network that has learned little sends little back
    assert "epoch 2: errors flow back K = " in (tmp_path / "whole" / "log.txt").read_text("utf-8")
    stop_at_save.arm(6)  # within the second epoch, whose depth is in the checkpoint
    with pytest.raises(Interrupted):
        train(config, tmp_path / "cut")
    train(config, tmp_path / "cut")
    assert_same_end(tmp_path / "cut", tmp_path / "whole", [0])


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="adaptive needs least"):
        load_config("r2rt_n5", ["truncation={kind: adaptive, tolerance: 0.5}"])
    with pytest.raises(UsageError, match="chosen_depth is for a style that chooses its depth"):
        load_config("r2rt_n5", ["logging.metrics=[chosen_depth]"])
    keys = ["truncation={kind: adaptive, tolerance: 0.5, least: 1, most: 1}"]
    with pytest.raises(UsageError, match="chooses its depth on one sequence"):
        make_workload(load_config("digits_small", keys))
