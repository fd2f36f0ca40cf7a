"""Cells of the user's own, from a Python file that the command line names with --cells.

The file runs as the user, so that only the command line may name it. A run directory holds the
name of a cell, never the path of its file: reading the run of a stranger runs no code. The
processes of a sweep or a study are told the file by the command that starts them.
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.errors import UsageError
from rnn_graphs.cells.traits import CELLS, Cell

NAME = "CELLS"  # of the dictionary in the file


def register_cells(path: Path) -> None:
    """Add the cells of a file to the table of cells.

    The file's CELLS maps a name to a function (state_size, dtype) → RNNCell, or to an entry of
    rnn_graphs/cells/traits.py, which may also list keys and kept variables.
    Raises UsageError where the file cannot be used or a name is taken.
    """
    found = getattr(_load(path), NAME, None)
    if not isinstance(found, dict) or not found:
        raise UsageError(
            f"--cells {path}: expected a dictionary {NAME} of names and cells, got {found!r}"
        )
    for name, made in found.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise UsageError(f"--cells {path}: {NAME}: expected names such as 'my_gru': {name!r}")
        if name in CELLS:
            raise UsageError(f"--cells {path}: {NAME}: the name {name!r} is taken")
        if not isinstance(made, Cell) and not callable(made):
            raise UsageError(f"--cells {path}: {name}: expected a class or a function: {made!r}")
    for name, made in found.items():
        CELLS[name] = replace(_entry(path, name, made), file=str(path.resolve()))


def _entry(path: Path, name: str, made: Any) -> Cell:
    if isinstance(made, Cell):
        return made
    return Cell(_checked(path, name, made), takes=(), joins_inputs=False)


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"--cells {path}: no such file")
    spec = importlib.util.spec_from_file_location(f"own_cells_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"--cells {path}: expected a Python file, FILE.py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a file that exits would end the program
        raise UsageError(f"--cells {path}: {type(error).__name__}: {error}") from error
    return module


def _checked(path: Path, name: str, make: Any) -> Any:
    """The function of an entry of CELLS that makes the cell, and sees that it is one."""

    def made(_config: Any, state_size: int, dtype: Any, _product: Any) -> Any:
        try:
            cell = make(state_size, dtype)
        except TypeError as error:
            raise UsageError(f"--cells {path}: {name}(state_size, dtype): {error}") from error
        if not callable(cell) or not hasattr(cell, "state_size"):
            raise UsageError(
                f"--cells {path}: {name}: expected a cell, which is called with inputs and a state "
                f"and has a state_size; got {cell!r}"
            )
        return cell

    return made
