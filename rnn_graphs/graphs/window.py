"""The window that is fed to a graph that measures.

Everything is float64, so that differences come from the styles and not from rounding, and an error
of 1e-30 can still be measured.
"""

from __future__ import annotations

from typing import Any

from rnn_graphs.config import GraphConfig
from rnn_graphs.model import TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.step import Window

DTYPE = tf.float64


def fed_window(
    graph_config: GraphConfig,
    shape: TaskShape,
    first_state: Any,
    influences: Any = (),
    is_weighted: bool = False,
) -> Window:
    """Placeholders for the inputs, the labels and the key of one window, and for what it carries.

    The weights of the losses are fed too where they differ, `is_weighted`.
    The state and the influences before it are nested as those before the first window, given here.
    """
    ids = [graph_config.num_steps, graph_config.batch_size]
    state, influence = tf.nest.map_structure(
        lambda part: tf.placeholder(part.dtype, part.shape), (first_state, influences)
    )
    return Window(
        tf.placeholder(shape.input_dtype, [*ids, *shape.input_tail], "inputs"),
        tf.placeholder(shape.label_dtype, ids, "labels"),
        state,
        tf.placeholder(tf.int32, [2], "key"),
        tf.placeholder(DTYPE, ids, "weights") if is_weighted else None,
        influence=influence,
    )
