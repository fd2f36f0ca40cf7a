"""Run all measurements, print a table and write bench.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from experiments.benchmarks.timing import Measurement
from experiments.console import print_table
from experiments.reporting.environment import environment
from experiments.runs.files import make_output_folder, write_atomic


def bench(out: Path) -> None:
    """Measure, print, and write bench.json to `out`. Takes 20 minutes or more."""
    make_output_folder(out)
    from experiments.benchmarks import choice

    decided = choice.decide_all()  # before TensorFlow is imported, as `train` does
    from experiments.benchmarks import (
        adaptive,
        beyond,
        graphs,
        scale,
        start,
        sweeps,
        truncation,
        updates,
    )
    from experiments.benchmarks.peers import rows as peers

    costs = graphs.measure_graphs()  # first, because it forks and no session may be open
    rows = [updates.measure_data(), *updates.measure_updates()]
    sizes = truncation.measure_sizes()
    rows += [*truncation.measure_truncation(), *truncation.judge_sizes(sizes)]
    rows += [*beyond.measure_influences(), *adaptive.measure_adaptive()]
    rows += [*start.measure_commands(), start.measure_train(), start.measure_seeds()]
    rows += [*sweeps.measure_sweeps(), *scale.measure_scale(), *peers.measure_peers()]
    rows += choice.measure_choice(decided)
    content = {
        "measurements": [row._asdict() for row in rows],
        "graphs": [cost._asdict() for cost in costs],
        "true_bptt_graphs": [size._asdict() for size in sizes],
        **environment(),
    }
    write_atomic(out / "bench.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    _print(rows, costs, sizes)
    print(f"written: {out / 'bench.json'}")


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
