"""studies/influence.py: the influence that each style sees, against algebra."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.studies.influence import (
    OPTIMUM,
    Style,
    exact,
    influences,
    long_run,
    measure,
    style,
    turns,
    unbiased,
)
from rnn_graphs.config import TruncationConfig
from rnn_graphs.influence_balancing import linear_system
from rnn_graphs.truncation.credit import definition


def test_in_the_long_run_the_influence_is_minus_six() -> None:
    assert influences(1000).sum() == pytest.approx(-6, abs=1e-12)
    assert long_run({}, -6.0, 300).holds
    A, b = linear_system(23)
    assert np.linalg.solve(np.eye(23) - A, OPTIMUM * b)[0] == pytest.approx(1)


@pytest.mark.parametrize("depth", [1, 2, 7, 30])
@pytest.mark.parametrize("name", ["bptt", "tf_style", "williams_peng"])
def test_what_is_measured_is_what_the_credit_matrix_says(name: str, depth: int) -> None:
    chosen = style(name, depth)
    credit = definition(chosen.truncation, chosen.num_steps)
    steps, losses = np.arange(credit.shape[1]), np.arange(chosen.num_steps)
    lags = losses[:, None] + chosen.truncation.context_steps - steps
    by_lag = np.where(lags >= 0, influences(2 * depth + 1)[np.maximum(lags, 0)], 0)
    expected = (credit * by_lag).sum() / chosen.num_steps
    assert measure(chosen) == pytest.approx(expected, abs=1e-9)
    assert exact(name, [depth])[0] == pytest.approx(expected, abs=1e-9)


def test_the_signs_turn_where_the_literature_says() -> None:
    for name, wrong, right in (
        ("bptt", 40, 41), ("tf_style", 109, 110), ("williams_peng", 25, 30)
    ):  # fmt: skip
        before, after = exact(name, [wrong, right])
        assert before > 0 > after
    assert turns({}, "", "bptt", 40, 41).holds
    assert not turns({}, "", "bptt", 39, 40).holds


def test_the_mean_of_artbp_is_the_full_gradient() -> None:
    assert unbiased({}, "", 0.1, 12).holds


def test_a_biased_style_would_be_found_out() -> None:
    short = measure(Style(TruncationConfig(kind="tf_style", depth=4), 12))
    assert abs(short - measure(Style(TruncationConfig(kind="full"), 12))) > 1


def test_a_style_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="expected bptt, tf_style or williams_peng; got full"):
        style("full", 3)
