"""The work of an update and of the whole run: multiplications, memory, updates and seconds."""

from __future__ import annotations

from contextlib import ExitStack
from typing import NamedTuple

from experiments.config.schema import Config
from experiments.description.shapes import Parameter, Shapes
from experiments.training.pace import time_updates, training_call
from experiments.training.timing import clock_for
from experiments.training.workload import Workload
from rnn_graphs.config import TruncationConfig

BYTES = {"float32": 4, "float64": 8}
SLOTS = {"sgd": 0, "momentum": 1, "adagrad": 1, "adam": 2, "rmsprop": 2}  # values a parameter


class Work(NamedTuple):
    """The work of one update and of the run."""

    forward_multiplications: int  # of weights, for one update
    backward_multiplications: int
    error_passes: float  # errors that flow back through a cell application side by side
    activation_bytes: int  # kept by the forward pass for the backward pass
    parameter_bytes: int  # weights, their gradients, and the optimizer's slots
    updates_per_epoch: int
    updates: int  # of all seeds
    time_steps: int  # of all seeds


class Pace(NamedTuple):
    """Measured time."""

    first_seconds: float  # of the first update, which compiles where XLA does
    seconds_per_update: float
    run_seconds: float  # of all seeds, expected


def count_work(config: Config, workload: Workload, shapes: Shapes) -> Work:
    """Count the multiplications by weights; activations are those that these products make."""
    graph, seeds = config.graph, len(config.seeds)
    rows = graph.batch_size * (graph.num_steps + config.truncation.context_steps)
    losses = graph.batch_size * graph.num_steps
    matrices = [each for each in shapes.parameters if each.multiplies]
    layers = [each for each in matrices if each.part == "layers"]
    head = [each for each in matrices if each.part == "head"]
    passes = error_passes(config.truncation, graph.num_steps)
    of_layers, of_head = rows * _size(layers), losses * _size(head)
    size = BYTES[graph.precision]
    (encoded,) = (each for each in shapes.tensors if each.tensor == "encoded inputs")
    kept = rows * (encoded.shape[-1] + _columns(layers)) + losses * _columns(head)
    parameters = sum(each.size for each in shapes.parameters)
    updates = workload.updates * seeds
    return Work(
        of_layers + of_head,
        # The error of the inputs and that of the weights each take as many as the product itself.
        2 * round(of_layers * passes) + 2 * of_head,
        passes,
        kept * size,
        parameters * size * (2 + SLOTS[config.optimizer.kind]),
        workload.updates_per_epoch,
        updates,
        updates * losses,
    )


def error_passes(truncation: TruncationConfig, num_steps: int) -> float:
    """How many errors flow back through one cell application side by side.

    Plain backpropagation adds up the errors that meet, and takes one pass; errors that must stop
    at different places stay apart: depth / stride of them. If all losses of an update stop at the
    same place, that is one.
    """
    depth, stride = truncation.depth, truncation.errors_stride
    if depth is None or "context" not in truncation.style.takes or num_steps == stride:
        return 1
    return depth / stride


def _columns(parameters: list[Parameter]) -> int:
    """The numbers that the products of one row make."""
    return sum(each.size // each.shape[-2] for each in parameters)


def _size(parameters: list[Parameter]) -> int:
    return sum(each.size for each in parameters)


def measure_pace(config: Config, workload: Workload) -> Pace:
    """Time a few updates on this machine; nothing is kept of what they train."""
    with ExitStack() as stack:
        call = training_call(stack, config)
        first, each = time_updates(call, clock_for(config.execution.threads))
    return Pace(first, each, first + each * workload.updates * len(config.seeds))
