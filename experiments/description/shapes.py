"""The shape of every tensor from the ids to the loss, and the parameters, read from the graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from experiments.config.schema import Config
from experiments.training.session import shape_of
from experiments.training.workload import Workload
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


class Shapes(NamedTuple):
    """The tensors and the parameters of a config."""

    tensors: list[TensorShape]
    parameters: list[Parameter]


def read_shapes(config: Config, workload: Workload) -> Shapes:
    """Build the forward graph of one update and read it."""
    task = shape_of(workload.task)
    with tf.Graph().as_default():
        model = Model(config.model, task, tf.as_dtype(config.graph.precision))
        tensors = list(_tensors(config, model, task))
        parameters = [_parameter(variable, model) for variable in model.variables]
    return Shapes(tensors, parameters)


def _tensors(config: Config, model: Any, task: TaskShape) -> Iterator[TensorShape]:
    batch, num_steps = config.graph.batch_size, config.graph.num_steps
    length = config.truncation.context_steps + num_steps
    along = "context + num_steps" if config.truncation.context_steps else "num_steps"
    what = "ids" if task.inputs == "ids" else "features"
    tail = ", num_inputs" if task.inputs == "features" else ""
    inputs = tf.zeros([length, batch, *task.input_tail], task.input_dtype)
    encoded = model.encode(inputs, tf.zeros([2], tf.int32))
    encoded = encoded[0] if isinstance(encoded, tuple) else encoded  # with dropout masks beside it
    how = "as they are" if task.inputs == "features" else (
        "rows of the embedding" if config.model.embedding else "one-hot"
    )  # fmt: skip
    yield TensorShape("inputs", _dims(inputs), f"{along}, batch{tail}", what)
    yield TensorShape("encoded inputs", _dims(encoded), f"{along}, batch, input_size", how)
    state = model.zero_state(batch)
    for place, part in enumerate(tf.nest.flatten(state)):
        yield TensorShape(
            f"state, part {place}", _dims(part), "batch, state_size",
            "carried to the next window" if task.carries_state else "zeros before each example",
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


def _dims(tensor: Any) -> list[int]:
    return [int(size) for size in tensor.shape]


def _parameter(variable: Any, model: Any) -> Parameter:
    shape = _dims(variable)
    name = variable.op.name.removeprefix("model/")
    count = 1
    for size in shape:
        count *= size
    return Parameter(name, shape, _formula(name, shape, model), count)


def _formula(name: str, shape: list[int], model: Any) -> str:
    """The size of a variable by the sizes that it joins."""
    if len(shape) < 2:
        return " × ".join(map(str, shape)) or "1"
    rows, columns = shape
    sizes = _sizes_of_layer(name, model)
    if sizes is None:
        return f"{rows} × {columns}"
    input_size, state_size = sizes
    first = str(rows)
    if rows == input_size + state_size:
        first = f"({input_size} inputs + {state_size} units)"
    gates, rest = divmod(columns, state_size)
    second = f"{gates} × {state_size} units" if gates > 1 and not rest else f"{columns} units"
    return f"{first} × {second}"


def _sizes_of_layer(name: str, model: Any) -> tuple[int, int] | None:
    """Inputs and units of the layer that a variable belongs to; None for embedding and head."""
    if not name.startswith("layer_"):
        return None
    place = int(name.split("/")[0].removeprefix("layer_"))
    both = 2 if model.config.bidirectional else 1
    input_size = model.input_size if place == 0 else both * _output_size(model, place - 1)
    return input_size, _output_size(model, place)


def _output_size(model: Any, place: int) -> int:
    """The width of a layer's output, which it also reads beside its inputs."""
    return int(model.config.projection or model.config.state_sizes[place])
