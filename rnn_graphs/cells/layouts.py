"""The variables and the state of one layer, by cell, without TensorFlow.

A layout says how much memory an influence takes (∂state/∂θ, docs/truncation.md), and which of its
entries one cell application reaches. `tests/rnn_graphs/cells/test_cell_layouts.py` compares each
layout with the cell itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class CellKeys(Protocol):
    """The keys of a cell that its layout depends on."""

    @property
    def activation(self) -> str | None: ...

    @property
    def peepholes(self) -> bool: ...

    @property
    def projection(self) -> int | None: ...


@dataclass(frozen=True)
class Layout:
    """One layer. Its state is one vector here: all parts side by side."""

    variables: dict[str, tuple[int, ...]]  # shapes by name, in the order of creation
    state: tuple[int, ...]  # units of each part of the state
    outputs: int  # units of the output, which is the last part of the state
    # By variable, [units, columns]: whether an entry in this column (its last index) reaches the
    # unit in one application.
    reach: dict[str, Mask]
    # [units, units]: whether the new state's unit (row) depends on the old state's (column).
    between: Mask

    @property
    def units(self) -> int:
        """The units of all parts."""
        return sum(self.state)

    @property
    def parameters(self) -> int:
        """The entries of all variables."""
        return sum(math.prod(shape) for shape in self.variables.values())


def scratch(config: CellKeys, state_size: int, inputs: int) -> Layout:
    """h = f([x, h] W + b)."""
    return _one_product(("W", "b"), config, state_size, inputs)


def basic_rnn(config: CellKeys, state_size: int, inputs: int) -> Layout:
    """The same, with the names of TensorFlow's cell."""
    return _one_product(("kernel", "bias"), config, state_size, inputs)


def _one_product(
    names: tuple[str, str], config: CellKeys, state_size: int, inputs: int
) -> Layout:  # fmt: skip
    """With crelu, each column gives two units."""
    columns = state_size // 2 if config.activation == "crelu" else state_size
    return Layout(
        dict(zip(names, ((inputs + state_size, columns), (columns,)), strict=True)),
        (state_size,),
        state_size,
        dict.fromkeys(names, _own(state_size, columns)),
        _all(state_size, state_size),
    )


def gru(_config: CellKeys, n: int, inputs: int) -> Layout:
    """The reset gates come first, and each reaches all units through the candidate's product."""
    gates = np.hstack([_all(n, n), _own(n, n)])
    return Layout(
        {
            "gates/kernel": (inputs + n, 2 * n), "gates/bias": (2 * n,),
            "candidate/kernel": (inputs + n, n), "candidate/bias": (n,),
        },
        (n,),
        n,
        {
            "gates/kernel": gates, "gates/bias": gates,
            "candidate/kernel": _own(n, n), "candidate/bias": _own(n, n),
        },
        _all(n, n),
    )  # fmt: skip


def lstm(config: CellKeys, n: int, inputs: int) -> Layout:
    """Units of c, then of h. A projection mixes all of c into each unit of h."""
    outputs = config.projection or n
    shapes: dict[str, tuple[int, ...]] = {
        "kernel": (inputs + outputs, 4 * n), "bias": (4 * n,),
    }  # fmt: skip
    if config.peepholes:
        shapes |= {f"w_{gate}_diag": (n,) for gate in "fio"}
    c, h = _own(n, n), _all(outputs, n) if config.projection else _own(n, n)
    column = np.vstack([c, h])
    reach = {name: np.tile(column, shape[-1] // n) for name, shape in shapes.items()}
    output_only = np.vstack([np.zeros_like(c), h])  # the output gate does not change c
    for name in ("kernel", "bias"):
        reach[name][:, 3 * n :] = output_only
    if config.peepholes:
        reach["w_o_diag"] = output_only
    if config.projection:
        shapes["projection/kernel"] = (n, outputs)
        reach["projection/kernel"] = np.vstack(
            [np.zeros([n, outputs], bool), _own(outputs, outputs)]
        )
    between = np.hstack([column, _all(n + outputs, outputs)])
    return Layout(shapes, (n, outputs), outputs, reach, between)


def scratch_gru(config: CellKeys, n: int, inputs: int) -> Layout:
    """As `gru`, with W and b."""
    return _with_own_names(gru(config, n, inputs))


def scratch_lstm(config: CellKeys, n: int, inputs: int) -> Layout:
    """As `lstm`, with W and b."""
    return _with_own_names(lstm(config, n, inputs))


def influence_balancing(_config: CellKeys, n: int, _inputs: int) -> Layout:
    """θ reaches every unit; each unit depends on itself and the next one."""
    between = np.eye(n, dtype=bool) | np.eye(n, k=1, dtype=bool)
    return Layout({"theta": ()}, (n,), n, {"theta": _all(n, 1)}, between)


def _with_own_names(layout: Layout) -> Layout:
    """TensorFlow's kernel is W here, its bias b."""

    def own(name: str) -> str:
        return name.replace("kernel", "W").replace("bias", "b")

    return replace(
        layout,
        variables={own(name): shape for name, shape in layout.variables.items()},
        reach={own(name): mask for name, mask in layout.reach.items()},
    )


def _own(units: int, columns: int) -> Mask:
    """Column j reaches unit j, and j + columns if there is one."""
    return np.equal.outer(np.arange(units) % columns, np.arange(columns))


def _all(units: int, columns: int) -> Mask:
    return np.ones([units, columns], bool)


@dataclass(frozen=True)
class RecurrentLayout:
    """All variables that the state depends on, and the whole state, as two flat vectors."""

    units: int
    parameters: int
    reach: Mask  # [units, columns of all variables side by side]
    between: Mask  # [units, units]
    shapes: tuple[tuple[int, ...], ...]  # of the variables, in the order of the model

    def reach_in(self, applications: int) -> Mask:
        """[units, columns]: the entries that so many cell applications reach."""
        found = self.reach
        for _ in range(applications - 1):
            found = (self.between.astype(int) @ found > 0) | self.reach
        return found

    def count_colors(self, applications: int) -> int:
        """The units that need an entry of their own for each parameter (truncation/pattern.py)."""
        return int(max(colors(self.reach_in(applications)))) + 1

    def by_parameter(self, mask: Mask) -> Mask:
        """[units, columns] → [units, parameters]."""
        parts, first = [], 0
        for shape in self.shapes:
            columns = shape[-1] if shape else 1
            parts.append(np.tile(mask[:, first : first + columns], math.prod(shape) // columns))
            first += columns
        return np.hstack(parts)


def recurrent_layout(config: Any, num_inputs: int, embeds: bool) -> RecurrentLayout:
    """The layers of a `ModelConfig`, from the embedding (if `embeds`) to the last layer.

    num_inputs: ids, or the width of features. What a lower layer holds reaches every unit of the
    layers above in the same application.
    """
    layers, width = [], config.embedding if embeds else num_inputs
    for size in config.state_sizes:
        layers.append(config.traits.layout(config, size, width))
        width = layers[-1].outputs
    units = sum(layer.units for layer in layers)
    shapes = [(num_inputs, config.embedding)] if embeds else []
    reach = [_all(units, config.embedding)] if embeds else []
    between, first = np.zeros([units, units], bool), 0
    for layer in layers:
        mine = slice(first, first + layer.units)
        between[mine, mine] = layer.between
        between[mine.stop :, mine] = True
        for name, shape in layer.variables.items():
            columns = np.zeros([units, layer.reach[name].shape[1]], bool)
            columns[mine], columns[mine.stop :] = layer.reach[name], True
            reach.append(columns)
            shapes.append(shape)
        first = mine.stop
    parameters = sum(math.prod(shape) for shape in shapes)
    return RecurrentLayout(units, parameters, np.hstack(reach), between, tuple(shapes))


def colors(mask: Mask) -> NDArray[np.int64]:
    """A color for each unit, so that no column reaches two units of one color. Greedy."""
    found: list[Mask] = []  # by color, the columns that its units are reached by
    chosen = []
    for columns in mask:
        free = (index for index, taken in enumerate(found) if not (taken & columns).any())
        color = next(free, len(found))
        if color == len(found):
            found.append(np.zeros_like(columns))
        found[color] = found[color] | columns
        chosen.append(color)
    return np.array(chosen)
