"""Dropout: the distribution of its masks, their effect on a step, and where they are off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.errors import Interrupted
from experiments.training import runner
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.cells.dropout import MaskSpec, draw_masks
from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.loops import Carried, Updated, in_graph
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window
from tests.conftest import StopAtSave, assert_same_end, small_config
from tests.graphs import ALL_UNROLLS, FULL, assert_is_reference, draw_example, run_steps

WAYS = [(unroll, FULL) for unroll in ALL_UNROLLS]
EVERYWHERE: dict[str, Any] = {
    "input_keep_prob": 0.7,
    "state_keep_prob": 0.8,
    "output_keep_prob": 0.6,
}


class TestMasks:
    SPECS = (
        [MaskSpec("input", 0.8, 11), MaskSpec("output", 0.5, 11)],
        [MaskSpec("state", 0.25, 11)],
    )

    def drawn(self, *keys: tuple[int, int]) -> list[list[NDArray[Any]]]:
        """By key, the masks of all layers in one list, [time, batch, width] each."""
        with tf.Graph().as_default(), tf.Session() as session:
            key = tf.placeholder(tf.int32, [2])
            masks = tf.nest.flatten(draw_masks(list(self.SPECS), 50, 40, key, tf.float64))
            return [session.run(masks, {key: value}) for value in keys]

    def test_same_key_same_masks(self) -> None:
        first, second = self.drawn((3, 7), (3, 7))
        for one, two in zip(first, second, strict=True):
            np.testing.assert_array_equal(one, two)

    def test_seeds_updates_layers_and_places_do_not_share_draws(self) -> None:
        """The share that two masks keep together is the product of the shares that each keeps."""
        kept = [mask > 0 for masks in self.drawn((3, 7), (3, 8), (4, 7)) for mask in masks]
        for index, one in enumerate(kept):
            for two in kept[index + 1 :]:
                both, size = one.mean() * two.mean(), one.size
                assert abs((one & two).mean() - both) < 5 * (both * (1 - both) / size) ** 0.5

    def test_each_keeps_its_share_scaled_to_a_mean_of_1(self) -> None:
        (masks,) = self.drawn((0, 0))
        specs = [spec for layer in self.SPECS for spec in layer]
        for spec, mask in zip(specs, masks, strict=True):
            assert mask.shape == (50, 40, spec.width)
            assert set(np.unique(mask)) == {0, 1 / spec.keep_prob}
            sigma = (spec.keep_prob * (1 - spec.keep_prob) / mask.size) ** 0.5
            assert abs((mask > 0).mean() - spec.keep_prob) < 5 * sigma
            assert abs(mask.mean() - 1) < 5 * sigma / spec.keep_prob

    def test_units_rows_and_time_steps_are_dropped_each_on_its_own(self) -> None:
        (masks,) = self.drawn((0, 1))
        kept = masks[1] > 0
        for axis in range(3):
            after, before = np.delete(kept, 0, axis), np.delete(kept, -1, axis)
            sigma = 0.5 / after.size**0.5
            assert abs((after == before).mean() - 0.5) < 5 * sigma


@pytest.mark.parametrize(
    "keys",
    [
        {"cell": "basic_rnn", "state_size": 4, "output_keep_prob": 0.6},
        {"cell": "gru", "state_size": 3, "input_keep_prob": 0.7, "embedding": 4},
        {"cell": "gru", "state_size": (3, 2), "state_keep_prob": 0.7},
        {"cell": "lstm", "state_size": (3, 3), "projection": 2, **EVERYWHERE},
    ],
    ids=str,
)
def test_the_step_is_numpys_with_the_same_masks(keys: dict[str, Any]) -> None:
    config = ModelConfig(**keys)
    ran = run_steps(config, draw_example(0), WAYS, key=(5, 2))
    assert all((mask == 0).any() for layer in ran.example.masks for mask in layer.values())
    assert_is_reference(config, ran, WAYS)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_one_mask_for_all_steps_of_a_window(bidirectional: bool) -> None:
    keys: dict[str, Any] = {"cell": "gru", "state_size": (3, 2), "bidirectional": bidirectional}
    config = ModelConfig(**keys, **EVERYWHERE, dropout_mask="sequence")
    ran = run_steps(config, draw_example(0), WAYS[:1], key=(5, 2))
    masks = [mask for layer in ran.example.masks for mask in layer.values()]
    assert len(masks) == 6
    for mask in masks:
        np.testing.assert_array_equal(mask, np.broadcast_to(mask[0], mask.shape))
    assert len(np.unique(masks[0][0], axis=0)) > 1  # rows have masks of their own
    assert_is_reference(config, ran, WAYS[:1])


@pytest.mark.parametrize(
    ("keys", "truncation", "unroll"),
    [
        ({"cell": "basic_rnn", "state_size": 3}, {"kind": "true_bptt", "depth": 9}, "static"),
        ({"cell": "basic_rnn", "state_size": 3}, {"kind": "true_bptt", "depth": 3}, "scratch"),
        ({"cell": "gru", "state_size": (3, 2)}, {"kind": "true_bptt", "depth": 2}, "dynamic"),
        (
            {"cell": "basic_lstm", "state_size": 2, "embedding": 2},
            {"kind": "williams_peng", "depth": 4, "stride": 2, "context": True},
            "static",
        ),
        ({"cell": "gru", "state_size": 3}, {"kind": "tf_style", "depth": 3}, "dynamic"),
        (
            {"cell": "gru", "state_size": 3, "dropout_mask": "sequence"},
            {"kind": "true_bptt", "depth": 2, "context": True},
            "static",
        ),
        (
            {"cell": "basic_lstm", "state_size": 2, "dropout_mask": "sequence"},
            {"kind": "tf_style", "depth": 3},
            "dynamic",
        ),
        (
            {"cell": "gru", "state_size": (3, 2), "dropout_mask": "sequence"},
            {"kind": "williams_peng", "depth": 4, "stride": 2},
            "static",
        ),
        (
            {"cell": "gru", "state_size": 3, "dropout_mask": "sequence"},
            {"kind": "adaptive", "tolerance": 0.5, "least": 1, "most": 3},
            "dynamic",
        ),
    ],
    ids=str,
)
def test_truncation_meets_the_same_masks_again(
    keys: dict[str, Any], truncation: dict[str, Any], unroll: Any
) -> None:
    """A cell that is applied a second time must drop the same units as the first time."""
    config, style = ModelConfig(**keys, **EVERYWHERE), TruncationConfig(**truncation)
    ways = [(unroll, style)]
    example = draw_example(1, time=6, context=style.context_steps)
    assert_is_reference(config, run_steps(config, example, ways), ways)


DROPPING = ("model.input_keep_prob=0.7", "model.state_keep_prob=0.8", "model.output_keep_prob=0.6")


def test_windows_of_one_run_have_keys_that_count_on() -> None:
    """So each window has its own masks. The update of the loop in the graph only records them."""

    def update(window: Window) -> Updated:
        seen = {"seed": window.key[0], "number": window.key[1]}
        return Updated(seen, Carried(window.state, ()), tf.no_op())

    with tf.Graph().as_default(), tf.Session() as session:
        ids = tf.zeros([3 * 2, 1], tf.int32)
        windows = Window(ids, ids, tf.zeros([1, 1]), tf.constant([9, 40]))
        kinds = {"seed": tf.int32, "number": tf.int32}
        found = session.run(in_graph(update, kinds, windows, tf.constant(3), 2).metrics)
    assert found["seed"].tolist() == [9, 9, 9]
    assert found["number"].tolist() == [40, 41, 42]


@pytest.mark.parametrize("loop", ["in_graph", "per_step"])
def test_the_key_is_the_seed_and_the_number_of_the_update(loop: str) -> None:
    config = small_config(*DROPPING, f"execution.loop={loop}", "execution.iterations_per_loop=3")
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(8)
        for first in range(0, 6, session.iterations):
            assert session.variables()["key"].tolist() == [8, first]
            session.train(
                rows.windows(first, session.iterations, config.graph.num_steps), session.iterations
            )
        assert session.variables()["key"].tolist() == [8, 6]
        session.reset_state()  # a new epoch
        assert session.variables()["key"].tolist() == [8, 6]


@pytest.mark.usefixtures("only_training")
@pytest.mark.parametrize("truncation", [(), ("truncation.kind=true_bptt", "truncation.depth=2")])
def test_a_run_that_was_stopped_goes_on_with_the_same_masks(
    truncation: tuple[str, ...], tmp_path: Path, stop_at_save: StopAtSave
) -> None:
    config = small_config(
        *DROPPING, *truncation, "task.size=4000", "logging.every=5", "logging.tensorboard=false"
    )
    runner.train(config, tmp_path / "undisturbed")
    stop_at_save.arm(3)
    with pytest.raises(Interrupted):
        runner.train(config, tmp_path / "stopped")
    runner.train(config, tmp_path / "stopped")
    assert_same_end(tmp_path / "stopped", tmp_path / "undisturbed", [0])
