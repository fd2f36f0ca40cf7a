"""All cells, one entry each. To add a cell, add its class and an entry to CELLS.

A cell is one application, (x_t, h_{t−1}) → (output_t, h_t), with the interface of
`tf.compat.v1.nn.rnn_cell.RNNCell`. An entry holds its constructor and the traits that the rest of
the program reads; no other file compares names of cells. Configs are checked without TensorFlow, so
this file does not import it; the constructors do when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator, model_validator

from rnn_graphs.cells import gate_values, layouts
from rnn_graphs.cells.layouts import Layout
from rnn_graphs.section import Section

if TYPE_CHECKING:
    from rnn_graphs.cells.derivatives import CellDerivatives
    from rnn_graphs.cells.products import Affine

Activation = Literal[
    "tanh", "relu", "relu6", "leaky_relu", "elu", "softplus", "softsign", "sigmoid", "crelu"
]


class CellConfig(Section):
    """The cell and its keys. A key that the cell does not use must keep its default."""

    cell: str
    activation: Activation | None = None
    peepholes: bool = False
    cell_clip: float | None = Field(default=None, gt=0)
    projection: int | None = Field(default=None, ge=1, le=65536)
    forget_bias: float | None = None
    layer_norm: bool = False

    @field_validator("cell")
    @classmethod
    def _is_a_cell(cls, cell: str) -> str:
        if cell not in CELLS:
            raise ValueError(
                f"expected one of {', '.join(CELLS)}, or a cell of --cells FILE.py; got {cell!r}"
            )
        return cell

    @model_validator(mode="after")
    def _keys_are_those_of_the_cell(self) -> CellConfig:
        for key, field in CellConfig.model_fields.items():
            given = key != "cell" and getattr(self, key) != field.default
            if given and key not in self.traits.takes:
                users = ", ".join(name for name, cell in CELLS.items() if key in cell.takes)
                raise ValueError(f"{key} is for {users}; {self.cell} does not use it")
        return self

    @model_validator(mode="after")
    def _a_normalized_cell_is_a_plain_one(self) -> CellConfig:
        for key in ("peepholes", "cell_clip", "projection"):
            if self.layer_norm and getattr(self, key):
                raise ValueError(f"layer_norm: a normalized cell has no {key}; got both")
        if self.layer_norm and self.activation == "crelu":
            raise ValueError("layer_norm: a normalized cell has one value a unit; got crelu")
        return self

    @property
    def traits(self) -> Cell:
        """The traits of the cell."""
        return CELLS[self.cell]

    @property
    def added_to_forget_gate(self) -> float:
        """`forget_bias`, or its default."""
        return 1.0 if self.forget_bias is None else self.forget_bias


@dataclass(frozen=True)
class Cell:
    """The traits of one cell."""

    # (config, state_size, dtype, product) → the cell of one layer, before its variables are
    # created. `product` multiplies by the weights; TensorFlow's own cells do not use it.
    make: Callable[[CellConfig, int, Any, Affine], Any]
    # (config, state_size, number of inputs) → the variables and the state of one layer. Styles that
    # carry an influence need it; None: they are refused.
    layout: Callable[[CellConfig, int, int], Layout] | None = None
    # config → the derivatives of one application, which the same styles need.
    derivatives: Callable[[CellConfig], CellDerivatives] | None = None
    takes: tuple[str, ...] = ("activation", "layer_norm")  # the keys of CellConfig that it uses
    takes_crelu: bool = False  # whether it accepts an activation with two values a unit (crelu)
    uses_product: bool = False  # whether it uses `product`, which has a form for XLA
    gates: int = 1  # columns of the products for each unit: an LSTM has 4
    products: int = 1  # matrix products of an application; their gradients can be computed at once
    one_product: bool = False  # whether it is f([x, h] W + b)
    # (config, weights, x, before, after) → each gate along time (rnn_graphs/cells/gate_values.py).
    read_gates: Callable[..., dict[str, Any]] | None = None
    kept: tuple[str, ...] = ()  # variables that keep the cell's initial value; biases always do
    # Whether each matrix but a projection multiplies [x, h], as recurrent_initializer needs it.
    joins_inputs: bool = True
    # The file of the user's own cell, which processes that train it read too; else None.
    file: str | None = None


def _normalized_rnn(config: CellConfig, state_size: int, dtype: Any) -> Any:
    from rnn_graphs.cells.layer_norm import LayerNormRNNCell

    return LayerNormRNNCell(state_size, config.activation, dtype)


def _normalized_gru(config: CellConfig, state_size: int, dtype: Any) -> Any:
    from rnn_graphs.cells.layer_norm import LayerNormGRUCell

    return LayerNormGRUCell(state_size, config.activation, dtype)


def _normalized_lstm(config: CellConfig, state_size: int, dtype: Any) -> Any:
    from rnn_graphs.cells.layer_norm import LayerNormLSTMCell

    forget_bias = config.added_to_forget_gate
    return LayerNormLSTMCell(state_size, config.activation, dtype, forget_bias)


def _scratch(config: CellConfig, state_size: int, dtype: Any, product: Affine) -> Any:
    if config.layer_norm:
        return _normalized_rnn(config, state_size, dtype)
    from rnn_graphs.cells.scratch import ScratchCell

    return ScratchCell(state_size, config.activation, dtype, product)


def _basic_rnn(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    if config.layer_norm:
        return _normalized_rnn(config, state_size, dtype)
    from rnn_graphs.cells.activations import activation
    from rnn_graphs.tf1 import tf

    return tf.nn.rnn_cell.BasicRNNCell(state_size, activation(config.activation), dtype=dtype)


def _gru(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    if config.layer_norm:
        return _normalized_gru(config, state_size, dtype)
    from rnn_graphs.cells.activations import activation
    from rnn_graphs.tf1 import tf

    return tf.nn.rnn_cell.GRUCell(state_size, activation(config.activation), dtype=dtype)


def _basic_lstm(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    if config.layer_norm:
        return _normalized_lstm(config, state_size, dtype)
    from rnn_graphs.cells.activations import activation
    from rnn_graphs.tf1 import tf

    function = activation(config.activation)
    return tf.nn.rnn_cell.BasicLSTMCell(
        state_size, config.added_to_forget_gate, activation=function, dtype=dtype
    )


def _lstm(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    if config.layer_norm:
        return _normalized_lstm(config, state_size, dtype)
    from rnn_graphs.cells.activations import activation
    from rnn_graphs.tf1 import tf

    return tf.nn.rnn_cell.LSTMCell(
        state_size, config.peepholes, config.cell_clip, num_proj=config.projection, dtype=dtype,
        forget_bias=config.added_to_forget_gate, activation=activation(config.activation),
    )  # fmt: skip


def _scratch_lstm(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    if config.layer_norm:
        return _normalized_lstm(config, state_size, dtype)
    from rnn_graphs.cells.gated import ScratchLSTMCell

    return ScratchLSTMCell(state_size, config.activation, dtype, config.added_to_forget_gate)


def _scratch_gru(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    if config.layer_norm:
        return _normalized_gru(config, state_size, dtype)
    from rnn_graphs.cells.gated import ScratchGRUCell

    return ScratchGRUCell(state_size, config.activation, dtype)


def _influence_balancing(_config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    from rnn_graphs.cells.influence_balancing import InfluenceBalancingCell

    return InfluenceBalancingCell(state_size, dtype)


def _derivatives_of(kind: str) -> Callable[[CellConfig], CellDerivatives]:
    def made(config: CellConfig) -> CellDerivatives:
        from rnn_graphs.cells import derivatives

        found: CellDerivatives = getattr(derivatives, kind)(config)
        return found

    return made


BASIC_LSTM_KEYS = ("activation", "forget_bias", "layer_norm")
LSTM_KEYS = (*BASIC_LSTM_KEYS, "peepholes", "cell_clip", "projection")
ONE_PRODUCT, GRU, LSTM = map(_derivatives_of, ("one_product", "gru", "lstm"))
CELLS: dict[str, Cell] = {
    "scratch": Cell(
        _scratch, layouts.scratch, ONE_PRODUCT,
        takes_crelu=True, uses_product=True, one_product=True,
    ),
    "basic_rnn": Cell(_basic_rnn, layouts.basic_rnn, ONE_PRODUCT, one_product=True),
    "gru": Cell(_gru, layouts.gru, GRU, gates=3, products=2, read_gates=gate_values.gru),
    "basic_lstm": Cell(
        _basic_lstm, layouts.lstm, LSTM, BASIC_LSTM_KEYS, gates=4, read_gates=gate_values.lstm
    ),
    "lstm": Cell(_lstm, layouts.lstm, LSTM, LSTM_KEYS, gates=4, read_gates=gate_values.lstm),
    "scratch_lstm": Cell(
        _scratch_lstm, layouts.scratch_lstm, LSTM, BASIC_LSTM_KEYS,
        gates=4, read_gates=gate_values.lstm,
    ),
    "scratch_gru": Cell(
        _scratch_gru, layouts.scratch_gru, GRU,
        gates=3, products=2, read_gates=gate_values.gru,
    ),
    "influence_balancing": Cell(
        _influence_balancing, layouts.influence_balancing,
        _derivatives_of("influence_balancing"), takes=(), kept=("theta",), joins_inputs=False,
    ),
}  # fmt: skip
