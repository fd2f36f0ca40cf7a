"""tf.scan as an unroll: the same losses, states and gradients as NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_graphs.config import ModelConfig, TruncationConfig
from tests.graphs import FULL, Way, assert_is_reference, draw_example, run_steps


@pytest.mark.parametrize(
    ("model", "truncation"),
    [
        ({"cell": "scratch", "state_size": 3}, {"kind": "full"}),
        ({"cell": "gru", "state_size": 3}, {"kind": "tf_style", "depth": 2}),
        (
            {"cell": "lstm", "state_size": 2, "projection": 2, "state_keep_prob": 0.7},
            {"kind": "true_bptt", "depth": 3},
        ),
        (
            {"cell": "basic_lstm", "state_size": 2, "output_keep_prob": 0.6},
            {"kind": "williams_peng", "depth": 4, "stride": 2, "context": True},
        ),
        (
            {"cell": "gru", "state_size": (2, 2), "embedding": 2},
            {"kind": "adaptive", "tolerance": 0.5, "least": 1, "most": 3},
        ),
    ],
    ids=str,
)
def test_the_step_is_numpys(model: dict[str, Any], truncation: dict[str, Any]) -> None:
    config, style = ModelConfig(**model), TruncationConfig(**truncation)
    example = draw_example(2, time=6, context=style.context_steps)
    assert_is_reference(
        config, run_steps(config, example, [("scan", style)], key=(3, 1)), [("scan", style)]
    )


@pytest.mark.parametrize("bidirectional", [False, True])
def test_rows_end_where_their_lengths_say(bidirectional: bool) -> None:
    config = ModelConfig(cell="gru", state_size=(3, 2), bidirectional=bidirectional)
    weights = (np.arange(5)[:, None] < [5, 2, 3]).astype(np.float64)
    example = draw_example(4)._replace(lengths=np.array([5, 2, 3]), weights=weights)
    ways: list[Way] = [("scan", FULL)]
    assert_is_reference(config, run_steps(config, example, ways), ways)
