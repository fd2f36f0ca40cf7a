"""The commands of run.py. Each imports the code that it needs, so that all start quickly."""

from __future__ import annotations

import builtins
import functools
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.errors import UsageError

if TYPE_CHECKING:
    from experiments.training.evaluate import SplitResult

TITLES = {"experiment": "experiments", "sweep": "sweeps", "study": "studies"}


def list(options: Namespace) -> int:
    """Experiments, sweeps and studies, a line each."""
    if options.json:
        from experiments.console import print_json

        print_json({title: dict(_described(kind)) for kind, title in TITLES.items()})
    else:
        print_names(builtins.list(TITLES))
    return 0


def print_names(kinds: Sequence[str]) -> None:
    """The names of these kinds with their descriptions, a line each."""
    from experiments.console import plain, print_table

    for kind in kinds:
        if sys.stdout.isatty():
            print_table((TITLES[kind], "description"), _described(kind))
            print()
        else:  # for other programs, which read a line each
            print(f"{TITLES[kind]}:")
            print("\n".join(f"  {name:24} {plain(text)}" for name, text in _described(kind)))


def _described(kind: str) -> builtins.list[tuple[str, str]]:
    """Each name of a kind with its description."""
    from experiments.config.catalog import description, names, path_of

    return [(name, description(path_of(kind, name))) for name in names(kind)]


def config(options: Namespace) -> int:
    """The composed config as YAML."""
    from experiments.config.compose import load_config
    from experiments.config.yaml_file import dump_yaml

    composed = load_config(options.experiment, options.overrides)
    print(dump_yaml(composed.as_dict()), end="")
    return 0


def train(options: Namespace) -> int:
    """Train, or resume a run."""
    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    from experiments.training import runner

    path = options.run_dir or runner.default_directory(composed, options.overrides)
    runner.train(composed, path, options.overwrite, options.data_changed)
    return 0


def sweep(options: Namespace) -> int:
    """Train every point of a grid, or show its points."""
    from experiments.sweeps import sweep as sweeps

    where = sweeps.Where(options.cluster, options.workers)
    if options.json and not options.dry_run:
        raise UsageError("--json: is for --dry-run, which prints a table and trains nothing")
    if options.dry_run:
        sweeps.show(options.sweep, options.overrides, where, options.json)
    else:
        conclude = functools.partial(_compare_points, options.sweep)
        sweeps.sweep(options.sweep, options.overrides, where, conclude, options.yes)
    return 0


def _compare_points(sweep_name: str, directories: Sequence[Path]) -> None:
    """The comparison at the end of a sweep."""
    from experiments.comparison.compare import Options
    from experiments.comparison.compare import compare as compare_runs
    from experiments.paths import REPORTS

    print()
    compare_runs(directories, Options(REPORTS / f"sweep-{Path(sweep_name).stem}"))


def reproduce(options: Namespace) -> int:
    """Run a study and write its report."""
    from experiments.studies.study import reproduce as run_study

    return run_study(options.study, options.overrides, options.workers, options.out, options.debug)


def runs(options: Namespace) -> int:
    """The runs that meet a condition; archive or remove them, after asking."""
    from experiments.paths import RUNS
    from experiments.runs.actions import act
    from experiments.runs.listing import list_runs, print_runs

    listed = list_runs(options.paths or [RUNS], options.where)
    if options.yes and not (options.archive or options.remove):
        raise UsageError("--yes: is for --archive and --remove")
    print_runs(listed, options.json)
    act([run.directory for run in listed], options.archive, options.remove, options.yes)
    return 0


def diff(options: Namespace) -> int:
    """What two runs differ in."""
    from experiments.runs.difference import difference
    from experiments.runs.difference_table import as_dict, print_difference
    from experiments.runs.run import read_run

    first, second = (read_run(path) for path in options.run_dirs)
    found = difference(first, second)
    if options.json:
        from experiments.console import print_json

        print_json({"runs": [*map(str, options.run_dirs)], **as_dict(found)})
    else:
        print_difference(found, *map(str, options.run_dirs))
    return 0


def compare(options: Namespace) -> int:
    """Curves, a heat map if two keys vary, a table and a report."""
    from experiments.comparison.compare import Options
    from experiments.comparison.compare import compare as compare_runs

    wanted = Options(options.out, options.by, options.target, options.format, options.data_changed)
    compare_runs(options.run_dirs, wanted)
    return 0


def evaluate(options: Namespace) -> int:
    """The loss of each seed's checkpoint on fresh data."""
    from experiments.runs.directory import RunDirectory

    directory = RunDirectory(options.run_dir)
    directory.read_config()  # fails before TensorFlow is imported if this is not a run
    from experiments.training.evaluate import evaluate_run
    from rnn_graphs.metrics import texts_of

    results = evaluate_run(directory, options.batch_size, options.checkpoint, options.data_changed)
    if options.json:
        from experiments.console import print_json

        print_json([_evaluated(result) for result in results])
        return 0
    for result in results:
        loss, metrics, time_steps = result.evaluated
        parts = ", ".join([f"loss {loss:.5f} nats per time step", *texts_of(metrics)])
        print(
            f"seed {result.seed}, {result.split}: {parts}; "
            f"checkpoint of update {result.updates}, {time_steps} time steps"
        )
    return 0


def _evaluated(result: SplitResult) -> dict[str, object]:
    """A line of `evaluate` as JSON values."""
    return {
        "seed": result.seed, "split": result.split, "updates": result.updates,
        **result.evaluated._asdict(),
    }  # fmt: skip


def generate(options: Namespace) -> int:
    """Text written by a run's model."""
    from experiments.runs.directory import RunDirectory

    directory = RunDirectory(options.run_dir)
    directory.read_config()  # fails before TensorFlow is imported if this is not a run
    from experiments.training.generate import Sampling, generate_text

    sampling = Sampling(options.length, options.temperature, options.seed)
    print(generate_text(directory, options.prompt, sampling, options.checkpoint))
    return 0


def credit(options: Namespace) -> int:
    """The measured credit matrix."""
    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    from experiments.config.sizes import naming_sizes
    from experiments.gradients.credit import credit as measure

    with naming_sizes(composed):
        measure(composed, options.out, options.json)
    return 0


def gradients(options: Namespace) -> int:
    """The error signal by lag, and the gradient of every style against the full one."""
    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    from experiments.config.sizes import naming_sizes
    from experiments.gradients.bias import gradients as measure

    with naming_sizes(composed):
        measure(composed, options.out, options.json)
    return 0


def bench(options: Namespace) -> int:
    """Measure speed."""
    from experiments.benchmarks.bench import bench as measure

    measure(options.out)
    return 0
