"""The time that whole commands take, as processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from statistics import median

from experiments.benchmarks.timing import Measurement, alternate, at_most
from experiments.paths import ROOT
from experiments.training.timing import seconds

PROGRAM = ROOT / "run.py"
ROUNDS = 5
SEED_ROUNDS = 3
QUICK = {
    "run.py --help": ["--help"],
    "run.py list": ["list"],
    "run.py config r2rt_n5": ["config", "r2rt_n5"],
    "run.py train with a wrong key": ["train", "r2rt_n5", "graph.num_step=3"],
}
QUICK_SECONDS = 0.6
TRAIN_SECONDS = 1.0
SEEDS_AT_MOST = 0.65


def measure_start() -> Iterator[Measurement]:
    """Time commands, and a training whose start is most of it."""
    yield from measure_commands()
    yield measure_train()
    yield measure_seeds()


def measure_commands() -> Sequence[Measurement]:
    """Time commands that do not import TensorFlow."""
    rows = []
    for name, arguments in QUICK.items():
        command = partial(_run, [str(PROGRAM), *arguments])
        command()
        value = median(seconds(command) for _ in range(ROUNDS))
        target = f"under {QUICK_SECONDS:g} s"
        rows.append(Measurement(name, value, "s", None, None, target, value < QUICK_SECONDS))
    return rows


def measure_train() -> Measurement:
    """Time `train` of one seed and one epoch, compared with `import tensorflow` alone."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PROGRAM), "train", "r2rt_n5", "--overwrite", "--run-dir", f"{folder}/run"]
        pair = alternate(
            lambda: _run(command), lambda: _run(["-P", "-c", "import tensorflow"]), ROUNDS
        )
    more = pair.first - pair.second
    return Measurement(
        "train r2rt_n5, whole process, against `import tensorflow`", pair.first, "s", pair.second,
        None, f"at most {TRAIN_SECONDS:g} s more; it is {more:.2f} s", more <= TRAIN_SECONDS,
    )  # fmt: skip


def measure_seeds() -> Measurement:
    """Time `train` of eight seeds on the cores of this machine, compared with one after another."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(PROGRAM),
            "train",
            "r2rt_n10",
            "training.seeds=8",
            "--overwrite",
            "--run-dir",
        ]
        pair = alternate(
            lambda: _run([*command, f"{folder}/auto"]),
            lambda: _run([*command, f"{folder}/one", "execution.threads=1"]),
            SEED_ROUNDS,
        )
    name = "train r2rt_n10 training.seeds=8, against execution.threads=1"
    return at_most(name, pair, 1, "s", SEEDS_AT_MOST)


def _run(arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
