"""Run all measurements, print a table and write bench.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.benchmarks.timing import Measurement
from experiments.console import print_table
from experiments.runs.environment import environment
from experiments.runs.files import make_output_folder, write_atomic

if TYPE_CHECKING:
    from experiments.benchmarks.choice import Decided
    from experiments.benchmarks.truncation import GraphSize


def bench(out: Path) -> None:
    """Measure, print, and write bench.json to `out`, row by row. Takes 20 minutes or more."""
    make_output_folder(out, ["bench.json"])
    from experiments.benchmarks import choice

    decided = choice.decide_all()  # before TensorFlow is imported, as `train` does
    from experiments.benchmarks import graphs, truncation

    costs = graphs.measure_graphs()  # first, because it forks and no session may be open
    sizes = truncation.measure_sizes()
    others = {
        "graphs": [cost._asdict() for cost in costs],
        "true_bptt_graphs": [size._asdict() for size in sizes],
        **environment(),
    }
    rows: list[Measurement] = []
    for row in _measured(sizes, decided):
        rows.append(row)
        _write(out / "bench.json", {"measurements": [row._asdict() for row in rows], **others})
    _print(rows, costs, sizes)
    print(f"written: {out / 'bench.json'}")


def _write(path: Path, content: dict[str, Any]) -> None:
    write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _measured(sizes: Sequence[GraphSize], decided: Decided) -> Iterator[Measurement]:
    """The rows of the table, as they are measured."""
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

    yield updates.measure_data()
    yield from updates.measure_updates()
    yield from truncation.measure_truncation()
    yield from truncation.judge_sizes(sizes)
    yield from beyond.measure_influences()
    yield from adaptive.measure_adaptive()
    yield from start.measure_commands()
    yield start.measure_train()
    yield start.measure_seeds()
    yield from sweeps.measure_sweeps()
    yield from scale.measure_scale()
    yield from peers.measure_peers()
    yield from choice.measure_choice(decided)


Row = tuple[str | float, ...]


def _print(rows: Sequence[Measurement], costs: Sequence[Row], sizes: Sequence[Row]) -> None:
    table = []
    for row in rows:
        baseline = "" if row.baseline is None else f"{row.baseline:.4g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        met = "" if row.met is None else ("yes" if row.met else "no")
        here = "" if row.value is None else f"{row.value:.4g} {row.unit}"
        table.append([row.measure, here, baseline, ratio, row.target, met])
    print_table(["measurement", "here", "baseline", "ratio", "target", "met"], table)
    print("\ngraphs: state 4, batch 200, no XLA")
    columns = [
        "unroll", "num_steps", "operations", "build s", "first update s", "peak MiB", "update ms"
    ]  # fmt: skip
    print_table(
        columns,
        [
            [f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row]
            for row in costs
        ],
    )
    print("\ngraphs of true_bptt, static")
    print_table(["num_steps", "depth", "operations"], [list(map(str, row)) for row in sizes])
