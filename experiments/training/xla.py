"""Whether compiling with XLA pays: what it saves on all the work of a run, against compiling.

The numbers are CPU seconds of one core, measured with each part of a graph alone. A machine that is
twice as fast needs half the time for both sides, so the choice does not hang on them. It depends on
the config, the task and the number of updates, and for a wide model on the threads and oneDNN that
`execution.py` has decided.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.task import Task
from experiments.config.schema import Config
from experiments.training.workload import Workload
from rnn_graphs.config import ModelConfig

# Compiling. A graph with num_steps copies of the cell takes longer by each.
COMPILE = 0.6
COMPILE_OWN_COPY = 0.2  # of a cell whose narrow products XLA compiles too
COMPILE_COPY = 0.06  # of a cell with one product
COMPILE_GATE = 0.13  # of each further one
COMPILE_SQUARE = 0.008  # of the square of the copies in a layer with gates

# Saved by XLA, which runs many operations as one: of an update, and of each cell application.
SAVED_UPDATE = 60e-6
SAVED_APPLICATION = 10e-6
SAVED_DYNAMIC = 25e-6  # of each in a while loop, beyond that
SAVED_ROW = 50e-9  # of the batch
SAVED_UNIT = 5e-9  # of each row and gate
SAVED_UNIT_OF_ONEDNN = 2.5e-9  # where oneDNN multiplies instead, faster than XLA
SAVED_LOGIT = 1.5e-9  # of the softmax

# Lost: XLA's code for the CPU draws random numbers, and adds up the errors of an embedding's rows,
# one by one.
LOST_DRAW = 12e-9
LOST_EMBEDDED = 0.7e-6  # by id

# Compiling takes its time for certain, what it saves is an estimate.
MARGIN = 1.25

# Multiplications of an update's forward pass from which on a model is wide: oneDNN and a second
# core pay. Between the narrow and the wide experiments is a gap, from 6e7 to 1.6e8.
WIDE = 1e8


def uses_xla(config: Config, workload: Workload) -> bool:
    """`execution.xla`, with auto decided by all the work of the run.

    All of it, not what is left of it: a resumed run must keep its choice. `decide` sets `onednn`
    and `threads` first; for other callers, auto is no oneDNN and one thread.
    """
    if config.execution.xla != "auto":
        return config.execution.xla == "on"
    if config.execution.loop == "per_step" or not config.truncation.style.xla_pays:
        return False
    one_thread = config.execution.threads in (1, "auto")
    if is_wide(config, workload.task) and has_products_at_once(config) and not one_thread:
        return False  # XLA's products would take one of the threads
    updates = workload.updates * len(config.seeds)
    saved = updates * _saved(config, workload.task)
    return saved > MARGIN * _compiling(config, workload.padded)


def is_wide(config: Config, task: Task) -> bool:
    """Whether products are most of the work."""
    return multiplications(config, task) >= WIDE


def has_products_at_once(config: Config) -> bool:
    """Whether two matrix products can be computed at the same time.

    Each takes one thread, so a second one gains nothing in the chain of a single LSTM layer.
    """
    model = config.model
    return len(model.state_sizes) * _directions(model) * model.traits.products > 1


def multiplications(config: Config, task: Task) -> int:
    """Multiplications of an update's forward pass: each weight, for each row and step."""
    model, inputs, weights = config.model, config.model.embedding or task.num_inputs, 0
    for size in model.state_sizes:
        weights += _directions(model) * (inputs + size) * size * model.traits.gates
        inputs = _directions(model) * size
    return (weights + inputs * task.num_classes) * _rows(config)


def _compiling(config: Config, padded: Sequence[int]) -> float:
    """Seconds to compile the graph, once; with buckets of these lengths, the update of each."""
    model, traits = config.model, config.model.traits
    unrolled = padded or [_steps(config)]
    copies = [1] * len(unrolled) if config.graph.in_a_loop else unrolled
    each = COMPILE_COPY + COMPILE_GATE * (traits.gates - 1)
    if traits.uses_product:
        each = COMPILE_OWN_COPY
    square = COMPILE_SQUARE if traits.gates > 1 else 0
    layer = sum(each * count + square * count**2 for count in copies)
    layers = len(model.state_sizes) * _directions(model)
    return COMPILE + layer * layers * config.truncation.style.copies


def _saved(config: Config, task: Task) -> float:
    """Seconds that an update takes less; below 0 if it takes more."""
    model, rows = config.model, _rows(config)
    units = sum(model.state_sizes) * _directions(model) * model.traits.gates
    copies = config.truncation.style.copies  # true_bptt takes errors back once more for each
    applications = copies * _steps(config) * len(model.state_sizes) * _directions(model)
    each = SAVED_APPLICATION + SAVED_DYNAMIC * (config.graph.in_a_loop)
    saved = SAVED_UPDATE + applications * each + SAVED_LOGIT * rows * task.num_classes
    unit = SAVED_UNIT_OF_ONEDNN if config.execution.onednn == "on" else SAVED_UNIT
    saved += copies * rows * (unit * units + SAVED_ROW * len(model.state_sizes))
    return saved - rows * (LOST_DRAW * _draws(model) + LOST_EMBEDDED * bool(model.embedding))


def _draws(model: ModelConfig) -> int:
    """Random numbers for each row and time step; dropout of one-hot inputs is left out."""
    states = sum(model.state_sizes)
    inputs = (model.embedding or 0) + sum(model.state_sizes[:-1])
    masks = (
        (model.input_keep_prob, inputs),
        (model.state_keep_prob, states),
        (model.output_keep_prob, states),
    )
    return sum(width for keep_prob, width in masks if keep_prob < 1)


def _steps(config: Config) -> int:
    return config.graph.num_steps + config.truncation.context_steps


def _rows(config: Config) -> int:
    """Rows of an update's time steps together."""
    return _steps(config) * config.graph.batch_size


def _directions(model: ModelConfig) -> int:
    return 2 if model.bidirectional else 1
