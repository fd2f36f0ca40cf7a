"""The rows of a large metrics.csv, read by columns: several times as fast as line by line.

Anything unusual is left to the slow way, which names the line that is wrong.
"""

from __future__ import annotations

import contextlib
import gc
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from math import isfinite
from types import MappingProxyType
from typing import Any

from rnn_graphs.metrics import METRICS

WHOLE = ("seed", "epoch", "updates", "time_steps")
REST = ("seconds", "split", "loss")
NONE: Mapping[str, float] = MappingProxyType({})
Fields = tuple[Any, ...]  # of a MetricsRow


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Make very many objects without a search for garbage among them, which takes as long again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_fields(lines: bytes, header: Sequence[str]) -> list[Fields] | None:
    """The fields of each row of whole lines, without their header; None where one is unusual."""
    count = lines.count(b"\n")
    if b"\r" in lines or b'"' in lines or lines.count(b",") != count * (len(header) - 1):
        return None
    import pandas as pd  # takes half a second to import

    measured = [name for name in header if name in METRICS]
    names = [*WHOLE, *REST, *measured]
    try:
        table = pd.read_csv(
            io.BytesIO(lines), header=None, names=list(header), usecols=names, engine="c",
            dtype=dict.fromkeys(names, "category") | dict.fromkeys(WHOLE, "int64")
            | dict.fromkeys(("seconds", "loss"), "str"),
            na_filter=False, skip_blank_lines=False,
        )  # fmt: skip
        if len(table) != count:
            return None
        whole = [table[name].tolist() for name in WHOLE]
        # Python reads numbers as they were written, which pandas does not in every version.
        seconds, loss = (list(map(float, table[name].tolist())) for name in ("seconds", "loss"))
        split = table["split"].tolist()
        if "train" in {
            part for part, value in zip(split, loss, strict=True) if not isfinite(value)
        }:
            return None
        metrics = _metrics(
            {name: table[name].tolist() for name in measured if any(table[name].cat.categories)}
        )
        return list(zip(*whole, seconds, split, loss, metrics, strict=False))
    except (ValueError, pd.errors.ParserError):
        return None


def _metrics(columns: Mapping[str, list[str]]) -> Iterator[Mapping[str, float]]:
    """The metrics of each row, those that it has. `columns` has those that some row has."""
    if not columns:
        return repeat(NONE)
    return (
        {name: float(value) for name, value in zip(columns, row, strict=True) if value}
        for row in zip(*columns.values(), strict=True)
    )
