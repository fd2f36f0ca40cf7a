"""Tables as files for other programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.runs.files import write_atomic


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """One line a row under a line of names; what is None is empty."""
    # As objects: a column of counts with gaps would turn into floats.
    table = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    write_atomic(path, table.to_csv(index=False, lineterminator="\n"))
