"""The model: encoding of inputs, layers of cells and the head, with one set of variables."""

from __future__ import annotations

import warnings
from typing import Any, Literal, NamedTuple

from rnn_graphs.bidirectional import BIDIRECTIONAL_UNROLLS, BidirectionalLayers, Directions
from rnn_graphs.cells.derivatives import RecurrentLayer
from rnn_graphs.cells.dropout import DropoutCell, MaskSpec, draw_masks, mask_specs
from rnn_graphs.cells.encoder_decoder import EncoderDecoderCell
from rnn_graphs.cells.layouts import RecurrentLayout, recurrent_layout
from rnn_graphs.cells.products import Affine, affine, affine_for_xla
from rnn_graphs.config import ModelConfig
from rnn_graphs.first_state import FirstState
from rnn_graphs.heads import head_class
from rnn_graphs.initializers import EMBEDDING
from rnn_graphs.tf1 import tf
from rnn_graphs.unrolls import UNROLLS, UnrollFunction

Tensor = Any


class TaskShape(NamedTuple):
    """The parts of a task that a graph is built from."""

    num_inputs: int  # ids below this, or the width of features
    num_classes: int
    inputs: Literal["ids", "features"] = "ids"
    labels: Literal["ids", "values", "pairs"] = "ids"
    carries_state: bool = True  # whether the windows of a row follow each other; else: examples
    decoder_ids: int | None = None  # input ids from this one on are the decoder's
    resets_state: bool = False  # whether windows that follow each other start anew all the same
    padded: tuple[int, ...] = ()  # the padded length of each bucket of examples; (): no buckets

    @property
    def starts_anew(self) -> bool:
        """Whether each window starts from the first state, not from the one before it."""
        return self.resets_state or not self.carries_state

    @property
    def ids(self) -> tf.DType:
        """The narrowest type for ids, because feeding is a large part of a short update."""
        widest = max(self.num_inputs, self.num_classes)
        return tf.int8 if widest <= tf.int8.max + 1 else tf.int32

    @property
    def input_dtype(self) -> tf.DType:
        """The type of the inputs that are fed."""
        return self.ids if self.inputs == "ids" else tf.float32

    @property
    def label_dtype(self) -> tf.DType:
        """The type of the labels that are fed."""
        return tf.float32 if self.labels == "values" else self.ids

    @property
    def input_tail(self) -> list[int]:
        """The dimensions of an input after [time, batch]."""
        return [] if self.inputs == "ids" else [self.num_inputs]


class LayerSizes(NamedTuple):
    """The widths that the matrices of one layer join."""

    inputs: int
    units: int
    outputs: int  # what the layer above reads, and the layer itself beside its inputs

    def multiplies_both(self, variable: Any) -> bool:
        """Whether it is a matrix that multiplies [x, h]."""
        is_projection = "projection" in variable.op.name.split("/")
        rows = int(variable.shape[0]) if variable.shape.rank == 2 else None
        return rows == self.inputs + self.outputs and not is_projection


class Model:
    """Inputs (one-hot, embedded or features) → layers → head.

    All variables are created here, in a fixed order and outside any loop, because a variable cannot
    be created in the body of `tf.while_loop`.
    """

    def __init__(
        self,
        config: ModelConfig,
        shape: TaskShape,
        dtype: tf.DType,
        xla: bool = False,
        in_loop: bool = False,
    ) -> None:
        """`xla`: whether XLA compiles the graph; `in_loop`: whether the cell is in a while loop.

        Both change operations but not results.
        """
        self.config = config
        self.shape = shape
        self.dtype = dtype
        self.compiled = xla
        self._product = affine_for_xla if xla else affine
        with tf.variable_scope("model"):
            if self._embeds:
                size = [shape.num_inputs, config.embedding]
                self.embedding = tf.get_variable(
                    EMBEDDING, size, dtype, tf.zeros_initializer(), trainable=config.train_embedding
                )
            self._masks: list[list[MaskSpec]] = []
            self._layers: list[tuple[list[Any], tuple[int, ...]]] = []  # variables and state sizes
            self.layer_sizes: dict[str, LayerSizes] = {}  # by the name of a layer's variable
            self.cell: Any = self._make_layers()
            self.recurrent_variables = tf.trainable_variables("model")
            head = head_class(shape.labels, shape.num_classes, xla, in_loop)
            self.head: Any = head(self.cell.output_size, shape.num_classes, dtype)
            # Last, so that all other weights start as they do without it.
            self.first_state = FirstState(config, self.cell, dtype)
        self.variables = tf.trainable_variables("model")
        self.all_variables = tf.global_variables("model")  # those that are not trained included

    @property
    def input_size(self) -> int:
        """The width of the first layer's inputs."""
        embedded = self.config.embedding if self.shape.inputs == "ids" else None
        return embedded or self.shape.num_inputs

    @property
    def input_rows(self) -> dict[str, int]:
        """By the name of a matrix that multiplies [x, h], its rows for x: the first ones."""
        return {
            variable.op.name: sizes.inputs
            for variable in self.recurrent_variables
            if (sizes := self.layer_sizes.get(variable.op.name)) and sizes.multiplies_both(variable)
        }

    @property
    def recurrent_layout(self) -> RecurrentLayout:
        """The variables that the state depends on, and the state."""
        return recurrent_layout(self.config, self.shape.num_inputs, self._embeds)

    @property
    def layers(self) -> list[RecurrentLayer]:
        """Each layer with its derivatives, which its cell must have."""
        derivatives = self.config.traits.derivatives
        assert derivatives is not None
        masks = self._masks or [[]] * len(self._layers)
        return [
            RecurrentLayer(
                derivatives(self.config), variables, sizes, tuple(spec.place for spec in specs)
            )
            for (variables, sizes), specs in zip(self._layers, masks, strict=True)
        ]

    @property
    def unrolls(self) -> dict[str, UnrollFunction]:
        """The unrolls for its layers, by name."""
        return BIDIRECTIONAL_UNROLLS if self.config.bidirectional else UNROLLS

    def zero_state(self, batch_size: Any) -> Tensor:
        """The cell's own first state, without what is learned: [batch, state_size], nested."""
        return self.cell.zero_state(batch_size, self.dtype)

    def encode(self, inputs: Tensor, key: Tensor) -> Tensor:
        """What the cell reads at each step, nested; its first tensor is the first layer's inputs.

        Those are [time, batch, input_size]. With dropout it is a pair of them and the masks. With a
        decoder of its own it is a pair again: all that, and what `_is_decoding` returns.
        inputs: ids [time, batch], or features [time, batch, num_inputs]; key: [2] int32, what
        the masks are drawn from.
        """
        if self.shape.inputs == "features":
            encoded = tf.cast(inputs, self.dtype)
        elif self.config.embedding:
            encoded = tf.nn.embedding_lookup(self.embedding, tf.cast(inputs, tf.int32))
        else:
            encoded = tf.one_hot(tf.cast(inputs, tf.int32), self.shape.num_inputs, dtype=self.dtype)
        if self.config.decoder == "own":
            return self._with_masks(encoded, key), self._is_decoding(inputs)
        return self._with_masks(encoded, key)

    def _is_decoding(self, inputs: Tensor) -> Tensor:
        """[time, batch, 1]: 1 where an input is one of the decoder's."""
        assert self.shape.decoder_ids is not None
        first = tf.cast(self.shape.decoder_ids, tf.int32)
        return tf.cast(tf.cast(inputs, tf.int32) >= first, self.dtype)[..., None]

    def _with_masks(self, encoded: Tensor, key: Tensor) -> Tensor:
        if not self.config.drops:
            return encoded
        time, batch = int(encoded.shape[0]), int(encoded.shape[1])
        if self.config.dropout_mask == "step":
            return encoded, draw_masks(self._masks, time, batch, key, self.dtype)
        one = draw_masks(self._masks, 1, batch, key, self.dtype)
        return encoded, tf.nest.map_structure(lambda mask: tf.repeat(mask, time, 0), one)

    def embedded(self, inputs: Tensor) -> Tensor | None:
        """What multiplies the embedding: one-hot [time, batch, num_inputs]; None without one."""
        if not self._embeds:
            return None
        return tf.one_hot(tf.cast(inputs, tf.int32), self.shape.num_inputs, dtype=self.dtype)

    @property
    def _embeds(self) -> bool:
        return self.config.embedding is not None and self.shape.inputs == "ids"

    def _make_layers(self) -> Any:
        if self.config.bidirectional:
            return self._make_bidirectional()
        if self.config.decoder == "shared":
            return self._make_stack()
        with tf.variable_scope("encoder"):
            encoder = self._make_stack()
        masks, self._masks = self._masks, []  # the decoder drops what the encoder drops
        with tf.variable_scope("decoder"):
            cell = EncoderDecoderCell(encoder, self._make_stack())
        inputs = self._example_inputs(self.input_size, masks)
        create_variables(cell, (inputs, tf.zeros([1, 1], self.dtype)), self.dtype)
        return cell

    def _make_stack(self) -> Any:
        """The layers as one cell, which is a `MultiRNNCell` if there are several."""
        input_size, cells = self.input_size, []
        for index, size in enumerate(self.config.state_sizes):
            cells.append(self._make_layer(f"layer_{index}", size, input_size))
            input_size = cells[-1].output_size
        if len(cells) == 1:
            return cells[0]
        stack = tf.nn.rnn_cell.MultiRNNCell(cells)
        create_variables(stack, self._example_inputs(self.input_size, self._masks), self.dtype)
        return stack

    def _make_bidirectional(self) -> BidirectionalLayers:
        input_size, layers = self.input_size, []
        for index, size in enumerate(self.config.state_sizes):
            forward = self._make_layer(f"layer_{index}/forward", size, input_size)
            if self._masks:
                self._masks.pop()  # one mask for both directions
            backward = self._make_layer(f"layer_{index}/backward", size, input_size)
            layers.append(Directions(forward, backward))
            input_size = 2 * forward.output_size
        return BidirectionalLayers(layers, self.config.drops)

    def _make_layer(self, name: str, size: int, input_size: int) -> Any:
        """One cell with its variables, wrapped in DropoutCell if dropout is used."""
        with tf.variable_scope(name):
            cell = make_cell(self.config, size, self.dtype, self._product)
            before = len(tf.global_variables())
            create_variables(cell, self._example_inputs(input_size, []), self.dtype)
            variables = tf.global_variables()[before:]
            self._layers.append((variables, tuple(tf.nest.flatten(cell.state_size))))
            sizes = LayerSizes(input_size, size, cell.output_size)
            self.layer_sizes |= {variable.op.name: sizes for variable in variables}
        if not self.config.drops:
            return cell
        specs = mask_specs(self.config, input_size, cell)
        self._masks.append(specs)
        wrapped = DropoutCell(cell, specs)
        create_variables(wrapped, self._example_inputs(input_size, [specs]), self.dtype)
        return wrapped

    def _example_inputs(self, input_size: int, layers: list[list[MaskSpec]]) -> Tensor:
        encoded = tf.zeros([1, input_size], self.dtype)
        masks = [tuple(tf.ones([1, s.width], self.dtype) for s in specs) for specs in layers]
        return (encoded, tuple(masks)) if layers else encoded


def make_cell(
    config: ModelConfig, state_size: int, dtype: tf.DType, product: Affine = affine
) -> Any:
    """The config's cell for one layer, before its variables are created.

    `product` multiplies by the weights in the cells that use it (`Cell.uses_product`).
    """
    with warnings.catch_warnings():
        # tf_keras marks every v1 cell as deprecated; they are what this project is about.
        warnings.filterwarnings("ignore", message=r".*rnn_cell.*is deprecated")
        return config.traits.make(config, state_size, dtype, product)


def create_variables(cell: Any, inputs: Tensor, dtype: tf.DType) -> None:
    """Create a cell's variables by calling it. The results are not used.

    The first call creates the variables. The second call creates the scope in which all later calls
    reuse them. That scope remembers its graph: if it were created in the body of a loop, calls
    outside the loop would end up inside.
    """
    for _ in range(2):
        cell(inputs, cell.zero_state(1, dtype))
