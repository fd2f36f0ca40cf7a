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

from rnn_graphs import cell_layouts
from rnn_graphs.cell_layouts import Layout
from rnn_graphs.section import Section

if TYPE_CHECKING:
    from rnn_graphs.products import Affine

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

    @field_validator("cell")
    @classmethod
    def _is_a_cell(cls, cell: str) -> str:
        if cell not in CELLS:
            raise ValueError(f"expected one of {', '.join(CELLS)}; got {cell!r}")
        return cell

    @model_validator(mode="after")
    def _keys_are_those_of_the_cell(self) -> CellConfig:
        for key, field in CellConfig.model_fields.items():
            given = key != "cell" and getattr(self, key) != field.default
            if given and key not in self.traits.takes:
                users = ", ".join(name for name, cell in CELLS.items() if key in cell.takes)
                raise ValueError(f"{key} is for {users}; {self.cell} does not use it")
        return self

    @property
    def traits(self) -> Cell:
        """The traits of the cell."""
        return CELLS[self.cell]


@dataclass(frozen=True)
class Cell:
    """The traits of one cell."""

    # (config, state_size, dtype, product) → the cell of one layer, before its variables are
    # created. `product` multiplies by the weights; TensorFlow's own cells do not use it.
    make: Callable[[CellConfig, int, Any, Affine], Any]
    # (config, state_size, number of inputs) → the variables and the state of one layer.
    layout: Callable[[CellConfig, int, int], Layout] = cell_layouts.scratch
    takes: tuple[str, ...] = ("activation",)  # the keys of CellConfig that it uses
    pairs: bool = False  # whether it accepts an activation with two values a unit (crelu)
    uses_product: bool = False  # whether it uses `product`, which has a form for XLA
    one_product: bool = False  # whether it is f([x, h] W + b)
    kept: tuple[str, ...] = ()  # variables that keep the cell's initial value; biases always do


def _scratch(config: CellConfig, state_size: int, dtype: Any, product: Affine) -> Any:
    from rnn_graphs.cells import ScratchCell

    return ScratchCell(state_size, config.activation, dtype, product)


def _basic_rnn(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    from rnn_graphs.cells import activation
    from rnn_graphs.tf1 import tf

    return tf.nn.rnn_cell.BasicRNNCell(state_size, activation(config.activation), dtype=dtype)


def _gru(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    from rnn_graphs.cells import activation
    from rnn_graphs.tf1 import tf

    return tf.nn.rnn_cell.GRUCell(state_size, activation(config.activation), dtype=dtype)


def _basic_lstm(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    from rnn_graphs.cells import activation
    from rnn_graphs.tf1 import tf

    function = activation(config.activation)
    return tf.nn.rnn_cell.BasicLSTMCell(state_size, activation=function, dtype=dtype)


def _lstm(config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    from rnn_graphs.cells import activation
    from rnn_graphs.tf1 import tf

    return tf.nn.rnn_cell.LSTMCell(
        state_size, config.peepholes, config.cell_clip, num_proj=config.projection,
        activation=activation(config.activation), dtype=dtype,
    )  # fmt: skip


def _influence_balancing(_config: CellConfig, state_size: int, dtype: Any, _product: Affine) -> Any:
    from rnn_graphs.influence_balancing import InfluenceBalancingCell

    return InfluenceBalancingCell(state_size, dtype)


CELLS: dict[str, Cell] = {
    "scratch": Cell(_scratch, pairs=True, uses_product=True, one_product=True),
    "basic_rnn": Cell(_basic_rnn, cell_layouts.basic_rnn, one_product=True),
    "gru": Cell(_gru, cell_layouts.gru),
    "basic_lstm": Cell(_basic_lstm, cell_layouts.lstm),
    "lstm": Cell(
        _lstm, cell_layouts.lstm, takes=("activation", "peepholes", "cell_clip", "projection")
    ),
    "influence_balancing": Cell(
        _influence_balancing, cell_layouts.influence_balancing, takes=(), kept=("theta",)
    ),
}
