"""The time and memory of commands on very many runs, rows or points."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.benchmarks.timing import Measurement
from experiments.config.compose import load_configs
from experiments.config.schema import Config
from experiments.config.yaml_file import dump_yaml
from experiments.paths import ROOT
from experiments.runs.metrics import MetricsFile, MetricsRow

RUNS, ROWS_EACH, COMPARE_SECONDS, COMPARE_GIB = 2_000, 100, 20, 1
ROWS, ROWS_SECONDS = 2_000_000, 10
POINTS, POINTS_SECONDS = 100_000, 20
LAUNCHER = """
import resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(
    sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Cost(NamedTuple):
    """What a command took."""

    seconds: float
    gibibytes: float  # at most, resident


def measure_scale() -> Sequence[Measurement]:
    """Time each command once, as a process, on runs that were never trained."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, config in enumerate(_configs()):
            _write_run(folder / "many" / str(index), ROWS_EACH, config)
        _write_run(folder / "long" / "0", ROWS, config)
        many = cost_of(["compare", str(folder / "many"), "--out", str(folder / "report")])
        long = cost_of(["compare", str(folder / "long"), "--out", str(folder / "other")])
        points = cost_of(
            ["sweep", "r2rt_n5", f"training.first_seed=range(0,{POINTS})", "--dry-run"]
        )
    return [
        _under(f"compare over {RUNS:,} run directories", many.seconds, "s", COMPARE_SECONDS),
        _under("its memory", many.gibibytes, "GiB", COMPARE_GIB),
        _under(f"compare, a metrics.csv of {ROWS:,} rows", long.seconds, "s", ROWS_SECONDS),
        _under(f"sweep --dry-run of {POINTS:,} points", points.seconds, "s", POINTS_SECONDS),
    ]


def _configs() -> Sequence[Config]:
    """Ten seeds of each of many sizes."""
    seeds_and_sizes = [(index % 10, 1 + index // 10) for index in range(RUNS)]
    return load_configs(
        "r2rt_n5",
        [
            [f"training.first_seed={seed}", f"model.state_size={size}"]
            for seed, size in seeds_and_sizes
        ],
    )


def _write_run(path: Path, rows: int, config: Config) -> None:
    """A complete run, with losses from no training."""
    seed, draws = config.training.first_seed, random.Random(path.name)
    path.mkdir(parents=True)
    (path / "config.yaml").write_text(dump_yaml(config.as_dict()), "utf-8")
    (path / "summary.json").write_text(json.dumps({"status": "complete"}), "utf-8")
    metrics = MetricsFile(path / "metrics.csv")
    metrics.start()
    every, steps = config.logging.every, config.graph.num_steps * config.graph.batch_size
    metrics.append(
        [
            MetricsRow(
                seed, 1, row * every, row * every * steps, row * 1e-3, "train",
                0.5 + 0.1 / row + 0.1 * draws.random(),
            )
            for row in range(1, rows + 1)
        ]
    )  # fmt: skip


def cost_of(arguments: Sequence[str]) -> Cost:
    """What `run.py` takes with these arguments. Raises CalledProcessError if it fails.

    A process inherits the peak of the memory of the one that starts it. A small one is therefore
    put between this one, which holds TensorFlow, and the command.
    """
    command = [sys.executable, str(ROOT / "run.py"), *arguments]
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, *command], stdout=subprocess.PIPE, check=True, text=True
    )
    seconds, kibibytes = done.stdout.split()
    return Cost(float(seconds), int(kibibytes) / 2**20)


def _under(name: str, value: float, unit: str, most: float) -> Measurement:
    return Measurement(name, value, unit, None, None, f"under {most:g} {unit}", value < most)
