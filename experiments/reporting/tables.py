"""Tables as files for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.runs.files import write_atomic

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # the first character of a spreadsheet formula


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header line and one line for each row; None becomes an empty cell.

    Text that a spreadsheet would run as a formula gets an apostrophe in front; a single character
    is no formula.
    """
    safe = [[_as_text(cell) for cell in row] for row in rows]
    # As objects, because a column of counts with gaps would turn into floats.
    table = pd.DataFrame(safe, columns=list(columns), dtype=object)
    write_atomic(path, table.to_csv(index=False, lineterminator="\n"))


def _as_text(cell: Any) -> Any:
    if not isinstance(cell, str) or len(cell) < 2 or not cell.startswith(FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
