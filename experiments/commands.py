"""What each command of run.py does; heavy imports wait until a command needs them."""

from __future__ import annotations

import math
from argparse import Namespace


def list(_: Namespace) -> int:
    """Experiments, sweeps and studies, a line each."""
    from experiments.config.catalog import description, names, path_of

    kinds = {"experiment": "experiments", "sweep": "sweeps", "study": "studies"}
    for kind, title in kinds.items():
        print(f"{title}:")
        for name in names(kind):
            print(f"  {name:24} {description(path_of(kind, name))}")
    return 0


def config(options: Namespace) -> int:
    """The composed config as YAML."""
    import yaml

    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    print(yaml.safe_dump(composed.as_dict(), sort_keys=False), end="")
    return 0


def train(options: Namespace) -> int:
    """Train, or go on."""
    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    from experiments.training import runner

    path = options.run_dir or runner.default_directory(composed, options.overrides)
    runner.train(composed, path, options.overwrite)
    return 0


def sweep(options: Namespace) -> int:
    """Train every point of a grid, or show what that would be."""
    from experiments.sweeps import sweep as sweeps

    where = sweeps.Where(options.cluster, options.workers)
    run = sweeps.show if options.dry_run else sweeps.sweep
    run(options.sweep, options.overrides, where)
    return 0


def reproduce(options: Namespace) -> int:
    """Run a study and write its report."""
    from experiments.studies.study import reproduce as run_study

    return run_study(options.study, options.overrides, options.workers, options.out, options.debug)


def compare(options: Namespace) -> int:
    """Curves, a heat map where two keys vary, a table, one report."""
    from experiments.comparison.compare import compare as compare_runs

    compare_runs(options.run_dirs, options.out)
    return 0


def evaluate(options: Namespace) -> int:
    """The loss of each seed's checkpoint on fresh data."""
    from experiments.runs.directory import RunDirectory

    directory = RunDirectory(options.run_dir)
    directory.read_config()  # says so, before TensorFlow is imported, where this is no run
    from experiments.training.evaluate import evaluate_run

    for result in evaluate_run(directory, options.batch_size, options.checkpoint):
        loss, accuracy, time_steps = result.evaluated
        print(
            f"seed {result.seed}, {result.split}: loss {loss:.5f} nats per time step, "
            f"{loss / math.log(2):.4f} bits, perplexity {math.exp(min(loss, 700)):.4g}, "
            f"accuracy {accuracy:.4f}; checkpoint of update {result.updates}, "
            f"{time_steps} time steps"
        )
    return 0


def generate(options: Namespace) -> int:
    """Text of a run's model."""
    from experiments.runs.directory import RunDirectory

    directory = RunDirectory(options.run_dir)
    directory.read_config()  # says so, before TensorFlow is imported, where this is no run
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
    """The error signal by lag, and every style's gradient against the full one."""
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
