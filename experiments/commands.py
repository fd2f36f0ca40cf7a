"""The commands of run.py. Each imports only the code it needs, so every command starts quickly."""

from __future__ import annotations

import builtins
import contextlib
import functools
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.errors import UsageError

if TYPE_CHECKING:
    from data.task import Spelled
    from experiments.config.schema import Config
    from experiments.runs.directory import RunDirectory
    from experiments.training.evaluate import SplitResult

TITLES = {"experiment": "experiments", "sweep": "sweeps", "study": "studies"}


def list(options: Namespace) -> int:
    """Print every experiment, sweep and study, one a line."""
    if options.json:
        from experiments.console import print_json

        print_json({title: dict(_described(kind)) for kind, title in TITLES.items()})
    else:
        print_names(builtins.list(TITLES))
    return 0


def print_names(kinds: Sequence[str]) -> None:
    """Print the names of these kinds with their descriptions, one a line."""
    from experiments.console import plain, print_table

    for kind in kinds:
        if sys.stdout.isatty():
            print_table((TITLES[kind], "description"), _described(kind))
            print()
        else:  # other programs read one entry a line
            print(f"{TITLES[kind]}:")
            print("\n".join(f"  {name:24} {plain(text)}" for name, text in _described(kind)))


def _described(kind: str) -> builtins.list[tuple[str, str]]:
    """Each name of a kind with its description."""
    from experiments.config.catalog import description, names, path_of

    return [(name, description(path_of(kind, name))) for name in names(kind)]


def config(options: Namespace) -> int:
    """Print the composed config as YAML."""
    from experiments.config.compose import load_config
    from experiments.config.quoting import escaped
    from experiments.config.yaml_file import dump_yaml

    composed = load_config(options.experiment, options.overrides)
    print(dump_yaml(escaped(composed.as_dict())), end="")
    return 0


def train(options: Namespace) -> int:
    """Train an experiment, or resume its run."""
    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    from experiments.training import runner

    path = options.run_dir or runner.default_directory(composed, options.overrides)
    runner.train(composed, path, options.overwrite, options.data_changed)
    return 0


def sweep(options: Namespace) -> int:
    """Train every point of a grid, or show its points with --dry-run."""
    from experiments.sweeps import sweep as sweeps

    where = sweeps.Where(options.cluster, options.workers)
    if options.json and not options.dry_run:
        raise UsageError("--json works with --dry-run only")
    if options.dry_run:
        sweeps.show(options.sweep, options.overrides, where, options.json, options.data_changed)
    else:
        conclude = functools.partial(_compare_points, options.sweep, options.data_changed)
        sweeps.sweep(
            options.sweep, options.overrides, where, conclude, options.yes, options.data_changed
        )
    return 0


def _compare_points(sweep_name: str, data_changed: bool, directories: Sequence[Path]) -> None:
    """Compare the complete points at the end of a sweep."""
    from experiments.comparison.compare import CompareOptions
    from experiments.comparison.compare import compare as compare_runs
    from experiments.comparison.folder import sweep_folder

    print()
    out = sweep_folder(Path(sweep_name).stem, directories)
    compare_runs(directories, CompareOptions(out, data_changed=data_changed))


def reproduce(options: Namespace) -> int:
    """Run a study and write its report."""
    from experiments.studies.looks import Budget
    from experiments.studies.study import ReproduceOptions
    from experiments.studies.study import reproduce as run_study

    budget = Budget(options.max_seeds, options.max_time)
    if options.seeds_until is None and budget != (None, None):
        raise UsageError("--max-seeds, --max-time: only with --seeds-until decided")
    wanted = ReproduceOptions(
        options.overrides,
        options.workers,
        options.out,
        budget if options.seeds_until else None,
        options.debug,
        options.data_changed,
        options.yes,
        sys.stdout if options.json else None,
    )
    # Progress must not come between a program and the JSON.
    with contextlib.redirect_stdout(sys.stderr if options.json else sys.stdout):
        return run_study(options.study, wanted)


def claim(options: Namespace) -> int:
    """The YAML of a study with one claim on a run."""
    from experiments.studies.draft import TOLERANCE, difference, final_loss

    tolerance = options.tolerance
    if options.below is not None:
        if tolerance is not None:
            raise UsageError("--tolerance: only with --loss")
        text = difference(options.run_dir, options.below)
    else:
        text = final_loss(
            options.run_dir, options.loss, TOLERANCE if tolerance is None else tolerance
        )
    print(text, end="")
    return 0


def runs(options: Namespace) -> int:
    """List the runs that meet a condition; archive or remove them after asking."""
    from experiments.paths import RUNS
    from experiments.runs.actions import act
    from experiments.runs.listing import list_runs, print_runs

    listed = list_runs(options.paths or [RUNS], options.where)
    if options.yes and not (options.archive or options.remove):
        raise UsageError("--yes works with --archive and --remove only")
    print_runs(listed, options.json)
    act([run.directory for run in listed], options.archive, options.remove, options.yes)
    return 0


def diff(options: Namespace) -> int:
    """Show how two runs differ."""
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
    """Compare runs: curves, a heat map if two keys vary, a table and a report."""
    from experiments.comparison.compare import CompareOptions
    from experiments.comparison.compare import compare as compare_runs

    wanted = CompareOptions(
        options.out, options.by, options.target, options.format, options.data_changed
    )
    compare_runs(options.run_dirs, wanted)
    return 0


def evaluate(options: Namespace) -> int:
    """Measure the loss of each seed's checkpoint on held-out data."""
    directory = _run_directory(options.run_dir)
    from experiments.training.evaluate import evaluate_run
    from rnn_graphs.metrics import texts_of

    results = evaluate_run(
        directory, options.batch_size, options.checkpoint, options.data_changed, options.position
    )
    from experiments.console import print_line

    if options.json:
        _print_evaluated(results)
        return 0
    for result in results:
        found = result.evaluated
        texts = [*texts_of(found.metrics), *_per_character(result)]
        parts = ", ".join([f"loss {found.loss:.5f} nats per time step", *texts])
        print_line(
            f"seed {result.seed}, {result.split}: {parts}; "
            f"checkpoint of update {result.updates}, {found.time_steps} time steps"
        )
    return 0


def _print_evaluated(results: Iterable[SplitResult]) -> None:
    """Print the results as JSON, before an error too those of the seeds that could be evaluated."""
    from experiments.console import print_json

    found = []
    try:
        for result in results:
            found.append(_evaluated(result))
    finally:
        if found:
            print_json(found)


def _per_character(result: SplitResult) -> Sequence[str]:
    """The bits for each character of a text, and how they are to be read."""
    if result.spelled is None or result.bits_per_character is None:
        return []
    return [_bits_of(result.spelled, result.bits_per_character)]


def _bits_of(spelled: Spelled, bits: float) -> str:
    text = f"{bits:.4f} bits per character of {spelled.characters:,}"
    if not spelled.unknown:
        return text
    return (
        f"at least {text} (spelling {spelled.unknown:,} <unk> among {spelled.labels:,} labels "
        "not counted)"
    )


def _run_directory(path: Path) -> RunDirectory:
    """The run that a command reads. Fails before TensorFlow is imported if it is none."""
    from experiments.runs.directory import RunDirectory

    directory = RunDirectory(path)
    directory.read_config()
    return directory


def _evaluated(result: SplitResult) -> dict[str, object]:
    """A line of `evaluate` as JSON values."""
    return {
        "seed": result.seed, "split": result.split, "updates": result.updates,
        **result.evaluated._asdict(), "bits_per_character": result.bits_per_character,
        "spelled": result.spelled and result.spelled._asdict(),
    }  # fmt: skip


def generate(options: Namespace) -> int:
    """Print text written by a run's model."""
    directory = _run_directory(options.run_dir)
    from experiments.console import print_written
    from experiments.training.generate import Sampling, generate_text

    sampling = Sampling(
        options.length, options.temperature, options.seed, options.top_k, options.at_spaces
    )
    print_written(generate_text(directory, options.prompt, sampling, options.checkpoint))
    return 0


def score(options: Namespace) -> int:
    """Print the probability of a text under a run's model."""
    directory = _run_directory(options.run_dir)
    from experiments.console import print_json, print_table
    from experiments.training.score import score_text

    scored = score_text(directory, options.text, options.checkpoint)
    if options.json:
        print_json(
            {
                "symbols": scored.symbols, "log_probabilities": scored.log_probabilities,
                "total": scored.total, "perplexity": scored.perplexity,
                "bits_per_character": scored.bits_per_character,
                "spelled": scored.spelled._asdict(),
            }
        )  # fmt: skip
        return 0
    rows = zip(scored.symbols, scored.log_probabilities, strict=True)
    print_table(("symbol", "log P"), [(repr(symbol), f"{value:.4f}") for symbol, value in rows])
    print(
        f"log P(text) = {scored.total:.4f} nats; perplexity {scored.perplexity:.4f}, "
        f"{_bits_of(scored.spelled, scored.bits_per_character)}"
    )
    return 0


def neighbours(options: Namespace) -> int:
    """Print the symbols whose vectors are nearest to a symbol's."""
    directory = _run_directory(options.run_dir)
    from experiments.console import print_json, print_table
    from experiments.training.neighbours import neighbours as nearest

    found = nearest(directory, options.word, options.count, options.checkpoint)
    if options.json:
        print_json([each._asdict() for each in found])
    else:
        rows = [(repr(each.symbol), f"{each.cosine:.4f}") for each in found]
        print_table(("symbol", "cosine"), rows)
    return 0


def states(options: Namespace) -> int:
    """Draw the states and gates of a run's model along a sequence."""
    from experiments.runs.files import make_output_folder

    directory = _run_directory(options.run_dir)
    picture, table = options.out / "states.png", options.out / "states.csv"
    from experiments.reporting.pictures import save_picture
    from experiments.reporting.state_figure import state_figure, write_state_csv
    from experiments.training.states import SequenceOptions, record_run

    wanted = SequenceOptions(options.prompt, options.length, options.example, options.data_changed)
    recording = record_run(directory, wanted, options.checkpoint)
    make_output_folder(options.out, [picture.name, table.name])
    write_state_csv(table, recording.symbols, recording.layers)
    is_drawn = save_picture(lambda: state_figure(*recording), picture)
    print(f"written: {f'{picture}, ' if is_drawn else ''}{table}")
    return 0


def export(options: Namespace) -> int:
    """Write a run's model as a checkpoint of TensorFlow 1."""
    directory = _run_directory(options.run_dir)
    from experiments.console import print_table
    from experiments.training.export import export as write

    written = write(directory, options.out, options.checkpoint)
    shapes = [(name, "×".join(map(str, shape))) for name, shape in written.variables.items()]
    print_table(("variable", "shape"), shapes)
    print(f"written: {written.checkpoint}, {written.endpoints}")
    return 0


def credit(options: Namespace) -> int:
    """Measure the credit matrix."""
    from experiments.config.compose import load_config

    composed = load_config(options.experiment, options.overrides)
    from experiments.config.sizes import naming_sizes
    from experiments.gradients.credit import credit as measure

    with naming_sizes(composed):
        measure(composed, options.out, options.json)
    return 0


def gradients(options: Namespace) -> int:
    """Measure the error signal by lag, and every style's gradient against the full one."""
    from experiments.config.compose import expanded, is_file_name, load_config

    if is_file_name(options.experiment) and expanded(options.experiment).is_dir():
        return _gradients_of_run(options, _run_directory(expanded(options.experiment)))
    for option, is_given in (
        ("--checkpoint best", options.checkpoint == "best"),
        ("--data-changed", options.data_changed),
    ):
        if is_given:
            raise UsageError(f"{option}: works with a run directory only; got {options.experiment}")
    composed = load_config(options.experiment, options.overrides)
    from experiments.config.sizes import naming_sizes
    from experiments.gradients.during_training import gradients as measure

    with naming_sizes(composed):
        measure(composed, options.out, options.json)
    return 0


def _gradients_of_run(options: Namespace, directory: RunDirectory) -> int:
    """Measure at the checkpoints of a run, which is not trained further."""
    if options.overrides:
        raise UsageError(
            f"{options.experiment}: a run keeps the config that it was trained with; expected no "
            f"changes, got {' '.join(options.overrides)}"
        )
    from experiments.config.sizes import naming_sizes
    from experiments.gradients.during_training import gradients_of_run as measure

    with naming_sizes(directory.read_config()):
        measure(directory, options.checkpoint, options.data_changed, options.out, options.json)
    return 0


def advise(options: Namespace) -> int:
    """Advise on num_steps and the style of truncation; train both sides with --check."""
    if options.json and options.check:
        raise UsageError("--json works without --check only")
    if options.workers and not options.check:
        raise UsageError("--workers works with --check only")
    from experiments.config.compose import load_config
    from experiments.config.sizes import naming_sizes

    composed = load_config(options.experiment, options.overrides)
    with naming_sizes(composed):
        execution = _as_trained(composed).execution
    # Whether XLA pays for the short pilot is another question.
    execution = execution.model_copy(update={"xla": composed.execution.xla})
    composed = composed.model_copy(update={"execution": execution})
    from experiments.advice import advise as advice  # imports TensorFlow

    wanted = advice.AdviseOptions(options.out, options.budget, options.tolerance, options.json)
    cells = ["--cells", str(options.cells)] if options.cells else []
    with naming_sizes(composed):
        found = advice.run(composed, [options.experiment, *cells, *options.overrides], wanted)
    if options.check:
        from experiments.advice.check import check_advice

        out = options.out / "check"
        check_advice(found, options.experiment, options.overrides, out, options.workers)
    return 0


def _as_trained(config: Config) -> Config:
    """The config as `train` would execute it, decided before TensorFlow is imported."""
    from experiments.training.execution import prepared
    from experiments.training.workload import make_workload

    return prepared(config, make_workload(config))


def describe(options: Namespace) -> int:
    """Describe an experiment without training it."""
    from experiments.config.compose import load_config
    from experiments.config.sizes import naming_sizes

    composed = load_config(options.experiment, options.overrides)
    with naming_sizes(composed):
        composed = _as_trained(composed)
        from experiments.description.describe import describe as describe_config

        describe_config(composed, options.out, options.json)
    return 0


def bench(options: Namespace) -> int:
    """Measure speed on this machine."""
    from experiments.benchmarks.bench import PARTS
    from experiments.benchmarks.bench import bench as measure

    measure(options.out, options.parts or PARTS)
    return 0
