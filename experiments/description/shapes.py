"""The shape of every tensor from the ids to the loss, and the parameters, read from the graph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from experiments.config.schema import Config
from experiments.training.session import shape_of
from experiments.training.workload import Workload
from rnn_graphs.initializers import CONSTANT, EMBEDDING
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf


class TensorShape(NamedTuple):
    """One tensor of an update."""

    tensor: str
    shape: list[int]
    axes: str  # the name of each dimension
    meaning: str


class Parameter(NamedTuple):
    """One variable that is trained."""

    variable: str
    shape: list[int]
    formula: str  # of its size, from the sizes of inputs and states
    size: int
    part: Literal["embedding", "layers", "head"]  # of the model
    multiplies: bool  # whether it is a matrix, or several, of a product


class Shapes(NamedTuple):
    """The tensors and the parameters of a config."""

    tensors: list[TensorShape]
    parameters: list[Parameter]


def read_shapes(config: Config, workload: Workload) -> Shapes:
    """Build the forward graph of one update and read it."""
    task = shape_of(workload.task, config.training.carry_state)
    with tf.Graph().as_default():
        model = Model(config.model, task, tf.as_dtype(config.graph.precision))
        tensors = list(_tensors(config, model, task))
        parameters = [_parameter(variable, model) for variable in model.variables]
    return Shapes(tensors, parameters)


def _tensors(config: Config, model: Model, task: TaskShape) -> Iterator[TensorShape]:
    batch, num_steps = config.graph.batch_size, config.graph.num_steps
    length = config.truncation.context_steps + num_steps
    along = "context + num_steps" if config.truncation.context_steps else "num_steps"
    what = "ids" if task.inputs == "ids" else "features"
    tail = ", num_inputs" if task.inputs == "features" else ""
    inputs = tf.zeros([length, batch, *task.input_tail], task.input_dtype)
    # Dropout's masks, and a decoder's marks, may stand beside it.
    encoded = tf.nest.flatten(model.encode(inputs, tf.zeros([2], tf.int32)))[0]
    how = "as they are" if task.inputs == "features" else (
        "rows of the embedding" if config.model.embedding else "one-hot"
    )  # fmt: skip
    yield TensorShape("inputs", _dims(inputs), f"{along}, batch{tail}", what)
    yield TensorShape("encoded inputs", _dims(encoded), f"{along}, batch, input_size", how)
    state = model.zero_state(batch)
    for place, part in enumerate(tf.nest.flatten(state)):
        yield TensorShape(
            f"state, part {place}", _dims(part), "batch, state_size",
            _start(config, task),
        )  # fmt: skip
    width = model.cell.output_size
    outputs = tf.zeros([length, batch, width], model.dtype)
    yield TensorShape(
        "outputs", _dims(outputs), f"{along}, batch, output_size", "of the last layer"
    )
    logits = model.head.logits(outputs[length - num_steps :])
    labels = tf.zeros([num_steps, batch], task.label_dtype)
    losses = model.head.losses(logits, labels)
    yield TensorShape("logits", _dims(logits), "num_steps, batch, num_classes", "of every label")
    yield TensorShape("losses", _dims(losses), "num_steps, batch", "nats")
    yield TensorShape("loss", [], "", "their mean, which is differentiated")


def _start(config: Config, task: TaskShape) -> str:
    """What a window finds in the state."""
    if not task.starts_anew:
        return "carried to the next window"
    every = "window" if task.carries_state else "example"
    first = {"zero": "zeros", "learned_noisy": "learned, with noise,"}
    kind = config.model.initial_state
    return f"{first.get(kind, kind)} before each {every}"


def _dims(tensor: Any) -> list[int]:
    return [int(size) for size in tensor.shape]


def _parameter(variable: Any, model: Model) -> Parameter:
    shape = _dims(variable)
    name = variable.op.name.removeprefix("model/")
    part: Literal["embedding", "layers", "head"] = "head"
    if name == EMBEDDING:
        part = "embedding"
    elif variable.op.name in model.layer_sizes:
        part = "layers"
    multiplies = len(shape) > 1 and name.split("/")[-1] not in CONSTANT
    formula = _formula(variable, model)
    return Parameter(name, shape, formula, math.prod(shape), part, multiplies)


def _formula(variable: Any, model: Model) -> str:
    """The size of a variable by the sizes that it joins."""
    shape, sizes = _dims(variable), model.layer_sizes.get(variable.op.name)
    if sizes is None or len(shape) != 2:
        return " × ".join(map(str, shape)) or "1"
    rows, columns = shape
    first = f"{rows} units" if rows == sizes.units else str(rows)
    if sizes.multiplies_both(variable):
        what = "units" if sizes.outputs == sizes.units else "outputs"  # of a projection
        first = f"({sizes.inputs} inputs + {sizes.outputs} {what})"
    gates, rest = divmod(columns, sizes.units)
    second = f"{gates} × {sizes.units} units" if gates > 1 and not rest else f"{columns} units"
    if columns == sizes.outputs < sizes.units:
        second = f"{columns} outputs"
    return f"{first} × {second}"
