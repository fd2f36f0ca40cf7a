"""Graphs for XLA: narrow products in blocks, and two classes as one column."""

from __future__ import annotations

from typing import Any

import pytest

from rnn_graphs.cells.products import affine_for_xla
from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from tests.graphs import ALL_UNROLLS, FULL, SHAPE, assert_is_reference, draw_example, run_steps

STYLES: list[dict[str, Any]] = [
    {"kind": "full"},
    {"kind": "tf_style", "depth": 3},
    {"kind": "true_bptt", "depth": 4},
    {"kind": "true_bptt", "depth": 4, "context": True},
    {"kind": "williams_peng", "depth": 4, "stride": 2},
]
BATCHES = [3, 200]  # one block and two


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_every_style_gives_the_sum_over_pairs(style: dict[str, Any], batch: int) -> None:
    truncation = TruncationConfig(**style)
    ways = [(unroll, truncation) for unroll in ALL_UNROLLS]
    config = ModelConfig(cell="scratch", state_size=3)
    example = draw_example(0, time=6, batch=batch, context=truncation.context_steps)
    assert_is_reference(config, run_steps(config, example, ways, xla=True), ways)


@pytest.mark.parametrize(
    ("keys", "shape"),
    [
        ({"state_size": (3, 2)}, SHAPE),  # errors go through the inputs of the second
        ({"state_size": 4, "embedding": 2}, SHAPE),
        ({"state_size": 4, "activation": "crelu"}, SHAPE),
        ({"state_size": 33}, SHAPE),  # too wide
        ({"state_size": 3}, TaskShape(2, 5)),  # more than two classes
        ({"state_size": 3}, TaskShape(130, 2)),  # too deep
        ({"state_size": 3}, TaskShape(4, 2, "features")),
    ],
    ids=str,
)
def test_every_layer_gives_its_equations(keys: dict[str, Any], shape: TaskShape) -> None:
    ways = [(unroll, FULL) for unroll in ALL_UNROLLS]
    config = ModelConfig(cell="scratch", **keys)
    example = draw_example(1, time=4, batch=200, shape=shape)
    assert_is_reference(config, run_steps(config, example, ways, shape, xla=True), ways)


@pytest.mark.parametrize(
    ("rows", "depth", "units", "blocks"),
    [
        (200, 2, 16, 2),
        (128, 2, 16, 1),
        (200, 2, 32, 2),
        (200, 2, 33, None),
        (200, 111, 16, 2),
        (200, 112, 16, None),  # with the bias 129 deep
        (199, 2, 16, None),
        (262, 2, 16, None),  # 2 blocks of 131 are too large, and 131 of 2 too many
    ],
)
def test_blocks_are_small_enough_for_xla_and_no_more_than_needed(
    rows: int, depth: int, units: int, blocks: int | None
) -> None:
    with tf.Graph().as_default() as graph:
        x, h = tf.zeros([rows, depth]), tf.zeros([rows, units])
        W, b = tf.zeros([depth + units, units]), tf.zeros([units])
        assert affine_for_xla(x, h, W, b).shape == [rows, units]
        batches = [op for op in graph.get_operations() if op.type == "BatchMatMulV2"]
        assert [int(op.outputs[0].shape[0]) for op in batches] == ([blocks] if blocks else [])


@pytest.mark.parametrize(("classes", "columns"), [(2, 1), (3, 3)])
def test_two_classes_are_one_column(classes: int, columns: int) -> None:
    """Counts the products of the head, without those of the cell."""
    with tf.Graph().as_default() as graph:
        config = ModelConfig(cell="scratch", state_size=8)
        model = Model(config, TaskShape(2, classes), tf.float32, xla=True)
        before = set(graph.get_operations())
        assert model.head.logits(tf.zeros([5, 200, 8])).shape == [5, 200, classes]
        products = [op for op in graph.get_operations() if op.type == "MatMul" and op not in before]
        assert {int(op.outputs[0].shape[-1]) for op in products} == {columns}
