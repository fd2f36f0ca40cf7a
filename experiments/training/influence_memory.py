"""The memory that an influence takes (docs/truncation.md), before anything is built."""

from __future__ import annotations

from data.task import Task
from experiments.config.schema import Config
from rnn_graphs.cells.layouts import RecurrentLayout, recurrent_layout

COPIES = 3  # that an update holds: before, after, and the window's own share
GIGABYTE = 1e9


def layout_of(config: Config, task: Task) -> RecurrentLayout:
    """The state of the config's model, and the variables that it depends on."""
    embeds = config.model.embedding is not None and task.inputs == "ids"
    return recurrent_layout(config.model, task.num_inputs, embeds)


def problem(config: Config, task: Task) -> str | None:
    """Why the influence of a run does not fit into execution.memory_limit; None: it fits."""
    if not (config.truncation.carries and task.carries_state):
        return None
    layout, batch = layout_of(config, task), config.graph.batch_size
    numbers = batch * config.truncation.carried_numbers(layout)
    width = 8 if config.graph.precision == "float64" else 4
    needed, limit = COPIES * numbers * width / GIGABYTE, config.execution.memory_limit
    if needed <= limit:
        return None
    return (
        f"truncation.kind: the influence of {config.truncation.kind} takes {numbers:,} numbers, "
        f"for {batch:,} rows (graph.batch_size) of {layout.units:,} state units and "
        f"{layout.parameters:,} parameters; an update holds {COPIES} of these, {needed:.3g} GB; "
        f"expected at most execution.memory_limit, {limit:g} GB"
    )
