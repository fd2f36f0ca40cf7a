"""The commands of run.py. Each imports the code that it needs, so that all start quickly."""

from __future__ import annotations

import sys
from argparse import Namespace


def list(_: Namespace) -> int:
    """Experiments, sweeps and studies, a line each."""
    from experiments.config.catalog import description, names, path_of
    from experiments.console import plain, print_table

    kinds = {"experiment": "experiments", "sweep": "sweeps", "study": "studies"}
    for kind, title in kinds.items():
        rows = [(name, description(path_of(kind, name))) for name in names(kind)]
        if sys.stdout.isatty():
            print_table((title, "description"), rows)
            print()
        else:  # for other programs, which read a line each
            print(f"{title}:")
            print("\n".join(f"  {name:24} {plain(text)}" for name, text in rows))
    return 0


def config(options: Namespace) -> int:
    """The composed config as YAML."""
    import yaml

    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    print(yaml.safe_dump(composed.as_dict(), sort_keys=False), end="")
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
    run = sweeps.show if options.dry_run else sweeps.sweep
    run(options.sweep, options.overrides, where)
    return 0


def reproduce(options: Namespace) -> int:
    """Run a study and write its report."""
    from experiments.studies.study import reproduce as run_study

    return run_study(options.study, options.overrides, options.workers, options.out)


def compare(options: Namespace) -> int:
    """Curves, a heat map if two keys vary, a table and a report."""
    from experiments.comparison.compare import compare as compare_runs

    compare_runs(options.run_dirs, options.out, options.data_changed)
    return 0


def evaluate(options: Namespace) -> int:
    """The loss of each seed's checkpoint on fresh data."""
    from experiments.runs.directory import RunDirectory

    directory = RunDirectory(options.run_dir)
    directory.read_config()  # fails before TensorFlow is imported if this is not a run
    from experiments.training.evaluate import evaluate_run
    from rnn_graphs.metrics import texts_of

    results = evaluate_run(directory, options.batch_size, options.checkpoint, options.data_changed)
    for result in results:
        loss, metrics, time_steps = result.evaluated
        parts = ", ".join([f"loss {loss:.5f} nats per time step", *texts_of(metrics)])
        print(
            f"seed {result.seed}, {result.split}: {parts}; "
            f"checkpoint of update {result.updates}, {time_steps} time steps"
        )
    return 0


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
    from experiments.gradients.credit import credit as measure

    measure(composed, options.out)
    return 0


def gradients(options: Namespace) -> int:
    """The error signal by lag, and the gradient of every style against the full one."""
    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    from experiments.gradients.bias import gradients as measure

    measure(composed, options.out)
    return 0


def bench(options: Namespace) -> int:
    """Measure speed."""
    from experiments.benchmarks.bench import bench as measure

    measure(options.out)
    return 0
