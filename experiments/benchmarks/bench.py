"""Run the measurements, print a table and write bench.json."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.benchmarks.timing import Measurement
from experiments.console import print_table
from experiments.errors import UsageError
from experiments.runs.environment import environment
from experiments.runs.files import make_output_folder, write_atomic

if TYPE_CHECKING:
    from experiments.benchmarks.choice import Decided
    from experiments.benchmarks.truncation import GraphSize


PARTS = (
    "graphs", "data", "updates", "truncation", "influences", "adaptive", "start", "sweeps", "scale",
    "peers", "choice",
)  # fmt: skip


def bench(out: Path, parts: Sequence[str] = PARTS) -> None:
    """Measure, print, and write bench.json to `out`, row by row. All take 20 minutes or more.

    Raises UsageError for an unknown part, or where `out` cannot be used.
    """
    check_parts(parts)
    make_output_folder(out, ["bench.json"])
    from experiments.benchmarks import choice

    decided = choice.decide_all() if "choice" in parts else {}  # before TensorFlow is imported
    from experiments.benchmarks import graphs, truncation

    # First, because it forks and no session may be open.
    costs = graphs.measure_graphs() if "graphs" in parts else []
    sizes = truncation.measure_sizes() if "truncation" in parts else []
    others = {
        "graphs": [cost._asdict() for cost in costs],
        "true_bptt_graphs": [size._asdict() for size in sizes],
        **environment(),
    }
    rows: list[Measurement] = []
    for part, measure in _measures(sizes, decided).items():
        for row in measure() if part in parts else ():
            rows.append(row)
            _write(out / "bench.json", {"measurements": [row._asdict() for row in rows], **others})
    _print(rows, costs, sizes)
    print(f"written: {out / 'bench.json'}")


def check_parts(parts: Sequence[str]) -> None:
    """Raise UsageError for a part that there is not."""
    for part in parts:
        if part not in PARTS:
            raise UsageError(f"part: expected one of {', '.join(PARTS)}; got {part}")


def _write(path: Path, content: dict[str, Any]) -> None:
    write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _measures(
    sizes: Sequence[GraphSize], decided: Decided
) -> dict[str, Callable[[], Iterable[Measurement]]]:
    """What gives the rows of each part of the table, in its order."""
    from experiments.benchmarks import (
        adaptive,
        beyond,
        choice,
        scale,
        start,
        sweeps,
        truncation,
        updates,
    )
    from experiments.benchmarks.peers import rows as peers

    return {
        "data": lambda: [updates.measure_data()],
        "updates": updates.measure_updates,
        "truncation": lambda: [*truncation.measure_truncation(), *truncation.judge_sizes(sizes)],
        "influences": beyond.measure_influences,
        "adaptive": adaptive.measure_adaptive,
        "start": start.measure_start,
        "sweeps": sweeps.measure_sweeps,
        "scale": scale.measure_scale,
        "peers": peers.measure_peers,
        "choice": lambda: choice.measure_choice(decided),
    }


Row = tuple[str | float, ...]


def _print(rows: Sequence[Measurement], costs: Sequence[Row], sizes: Sequence[Row]) -> None:
    table = []
    for row in rows:
        baseline = "" if row.baseline is None else f"{row.baseline:.4g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        met = "" if row.met is None else ("yes" if row.met else "no")
        here = "" if row.value is None else f"{row.value:.4g} {row.unit}"
        table.append([row.measure, here, baseline, ratio, row.target, met])
    if table:
        print_table(["measurement", "here", "baseline", "ratio", "target", "met"], table)
    if costs:
        print("\ngraphs: state 4, batch 200, no XLA")
        columns = [
            "unroll", "num_steps", "operations", "build s", "first update s", "peak MiB",
            "update ms",
        ]  # fmt: skip
        print_table(
            columns,
            [
                [f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row]
                for row in costs
            ],
        )
    if sizes:
        print("\ngraphs of true_bptt, static")
        print_table(["num_steps", "depth", "operations"], [list(map(str, row)) for row in sizes])
