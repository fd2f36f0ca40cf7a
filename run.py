# PYTHON_ARGCOMPLETE_OK
"""The command line: parse, dispatch, turn errors into exit codes."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from experiments.interrupts import Interruption
    from experiments.output import SafeStream

EXAMPLES = """examples:
  python run.py list                                     experiments, sweeps and studies
  python run.py config r2rt_n5 graph.num_steps=10        the composed config, as YAML
  python run.py train r2rt_n5 training.seeds=3           in runs/r2rt_n5/training.seeds=3/
  python run.py sweep r2rt_n5 graph.num_steps=1,5,10     a run for each value
  python run.py runs --where "status=complete"           run directories: loss, time, size
  python run.py compare runs/r2rt_n5 runs/r2rt_n10       curves, a table, a report
  python run.py diff runs/r2rt_n5/default runs/mine      how two runs differ
  python run.py evaluate runs/r2rt_n5/default            loss of the checkpoints on fresh data
  python run.py generate runs/text_python_docs/default --prompt "The " --length 300
  python run.py reproduce r2rt_part1                     a study: many runs, claims, a report
  python run.py claim runs/r2rt_n5/default --loss 0.52   a study of your own, as YAML
  python run.py credit r2rt_n10 truncation.kind=true_bptt truncation.depth=4
  python run.py gradients r2rt_n10                       error signal by lag, each style's bias
  python run.py bench                                    speed on this machine

tab completion: eval "$(register-python-argcomplete rnn-experiments)"

exit codes: 0 done; 1 a run failed or a claim did not hold; 2 wrong command or config;
130 interrupted
"""
INTERRUPTED = 130
TRAINING = ("train", "sweep", "reproduce")  # their results are files: output may get lost


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    try:
        from experiments.interrupts import interruption
        from experiments.output import open_standard_descriptors, safe_output

        open_standard_descriptors()
        show_every_character()
        with interruption() as stop, safe_output() as output:
            return _run(arguments, stop, output)
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(arguments: Sequence[str] | None, stop: Interruption, output: SafeStream) -> int:
    parser = make_parser()
    if "_ARGCOMPLETE" in os.environ:  # set by the shell while it completes a line
        from experiments.completion import complete

        complete(parser)
    options, rest = parser.parse_known_args(arguments)
    if rest and (not hasattr(options, "overrides") or any(text.startswith("-") for text in rest)):
        parser.error(f"unknown: {' '.join(rest)}")
    if rest:
        options.overrides += rest  # key=value after an option, which argparse leaves over
    if options.command is None:
        parser.print_help()
        return 0
    from experiments import commands
    from experiments.console import quietly

    try:
        command = getattr(commands, options.command)
        with quietly(getattr(options, "quiet", False) or getattr(options, "json", False)):
            code = int(command(options))
        _report_lost(output, options.command)
        return code
    except (Exception, KeyboardInterrupt) as error:
        return _exit_code(error, stop, options.debug)


def _exit_code(error: BaseException, stop: Interruption, debug: bool) -> int:
    """Show an error, and return the exit code for it."""
    from experiments.errors import ExperimentError, Interrupted

    if not isinstance(error, Interrupted) and (stop.raised or isinstance(error, KeyboardInterrupt)):
        show_error(error, "interrupted", debug)
        return INTERRUPTED
    if isinstance(error, ExperimentError):
        show_error(error, str(error), debug)
        return error.exit_code
    hint = "" if debug else " (--debug shows where)"
    show_error(error, f"{type(error).__name__}: {error}{hint}", debug)
    return ExperimentError.exit_code


def _report_lost(output: SafeStream, command: str) -> None:
    """Warn of output that could not be written. Raises RunError if it was the whole result."""
    from experiments.errors import RunError

    lost = output.why_lost()
    if lost and command in TRAINING:
        print(f"warning: standard output: {lost}; log.txt has every line", file=sys.stderr)
    elif lost:
        raise RunError(f"standard output: {lost}")


def show_every_character() -> None:
    """Print characters that the terminal's encoding lacks as escapes such as \\xe9."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def show_error(error: BaseException, text: str, debug: bool) -> None:
    """Print one line on stderr, after the traceback with --debug."""
    from experiments.console import plain

    if debug:
        import traceback

        traceback.print_exception(error)
    print(f"error: {plain(text)}", file=sys.stderr)


def make_parser() -> Parser:
    """Build the parser of the whole command line."""
    parser = Parser(
        prog="run.py",
        description="Experiments on recurrent networks and truncated backpropagation.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=ShowVersion, help="show the version and the commit")
    common = Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show tracebacks")
    stored = Parser(add_help=False)
    stored.add_argument(
        "--data-changed",
        action="store_true",
        help="go ahead if a data file is not the one that a run was trained on",
    )
    configured = Parser(add_help=False)
    _completed(
        configured.add_argument("experiment", help="a name that `list` shows, or a YAML file"),
        "experiment",
    )
    _completed(
        configured.add_argument(
            "overrides", nargs="*", metavar="key=value", help="changes to its config"
        )
    )
    tabular = Parser(add_help=False)
    tabular.add_argument("--json", action="store_true", help="print JSON")
    shown = Parser(add_help=False)
    shown.add_argument(
        "-q", "--quiet", action="store_true", help="show results and errors but no progress"
    )

    from experiments.examples import examples_of

    def add(name: str, text: str, *parents: Parser) -> Parser:
        return commands.add_parser(
            name, help=text, description=text, parents=[common, *parents], allow_abbrev=False,
            epilog=examples_of(name), formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip

    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    add("list", "list experiments, sweeps and studies, one a line", tabular)
    add("config", "print the composed config as YAML", configured)
    train = add("train", "train an experiment, or resume its run", configured, stored, shown)
    train.add_argument(
        "--run-dir", type=path, metavar="DIR", help="run directory; default: below runs/"
    )
    train.add_argument("--overwrite", action="store_true", help="replace an existing run")
    sweep = add("sweep", "train the points of a grid that are not complete yet", tabular, shown)
    _completed(
        sweep.add_argument("sweep", help="a name that `list` shows, an experiment, or a YAML file"),
        "sweep", "experiment",
    )  # fmt: skip
    _completed(
        sweep.add_argument(
            "overrides", nargs="*", metavar="key=v1,v2",
            help="values to try, or range(1,9), choice(…), {key:value},{key:value}",
        )
    )  # fmt: skip
    _add_yes(sweep, "do not ask before starting more than 1,000 points")
    sweep.add_argument(
        "--workers", type=count, metavar="N", help="points trained at a time; default: one per core"
    )
    sweep.add_argument(
        "--cluster",
        default="local",
        metavar="WHERE",
        help="local (default), slurm, tcp://host:port or a Dask scheduler file",
    )
    sweep.add_argument("--dry-run", action="store_true", help="show points and estimated time")
    reproduce = add("reproduce", "run a study: many runs, claims with verdicts, a report", shown)
    _completed(
        reproduce.add_argument("study", help="a name that `list` shows, or a YAML file"), "study"
    )
    _completed(
        reproduce.add_argument(
            "overrides", nargs="*", metavar="key=value", help="changes to every run"
        )
    )
    reproduce.add_argument(
        "--workers", type=count, metavar="N", help="runs trained at a time; default: one per core"
    )
    reproduce.add_argument("--out", type=path, metavar="DIR", help="default: reports/STUDY")
    reproduce.add_argument(
        "--seeds-until", choices=("decided",), help="add seeds in batches until no claim is open"
    )
    reproduce.add_argument(
        "--max-seeds", type=count, metavar="N", help="of each run; default: 4 times the study's"
    )
    reproduce.add_argument(
        "--max-time", type=duration, metavar="TIME", help="90s, 30m or 2h; no batch starts later"
    )
    claim = add("claim", "print a study with a claim on a run, as YAML")
    claim.add_argument("run_dir", type=path, metavar="RUN_DIR")
    limit = claim.add_mutually_exclusive_group(required=True)
    limit.add_argument("--loss", type=float, metavar="LOSS", help="the final loss is this")
    limit.add_argument(
        "--below", type=path, metavar="RUN_DIR", help="the final loss is below that run's"
    )
    claim.add_argument(
        "--tolerance", type=float, default=0.01, metavar="T", help="of --loss; default: 0.01"
    )
    runs = add("runs", "run directories with status, loss, time and size", tabular)
    runs.add_argument(
        "paths", nargs="*", type=path, metavar="PATH", help="a run, or a folder; default: runs/"
    )
    runs.add_argument(
        "--where", metavar="CONDITION",
        help="select by config keys, status, loss and seconds, with = != < <= > >= and or not ( )",
    )  # fmt: skip
    runs.add_argument("--archive", type=path, metavar="FILE.tar.gz", help="write them to a file")
    runs.add_argument("--remove", action="store_true", help="remove them, after --archive if given")
    _add_yes(runs, "archive and remove without asking")
    diff = add("diff", "what two runs differ in: config, versions, rows, final losses", tabular)
    diff.add_argument("run_dirs", nargs=2, type=path, metavar="RUN_DIR")
    compare = add("compare", "curves, a heat map where two keys vary, a table, one report", stored)
    compare.add_argument(
        "run_dirs", nargs="+", type=path, metavar="RUN_DIR", help="a run, or a folder of runs"
    )
    compare.add_argument(
        "--out", type=path, metavar="DIR", help="default: reports/compare-<names of the runs>"
    )
    compare.add_argument(
        "--by",
        metavar="METRIC",
        help="rank by train, valid, fresh or a metric; default: valid, else fresh, else train",
    )
    compare.add_argument(
        "--target",
        metavar="LOSS",
        help="show training until this loss, or `halfway` between floors",
    )
    compare.add_argument(
        "--format",
        choices=("md", "latex", "json"),
        help="print the table in this format, and write files only with --out",
    )
    evaluate = add("evaluate", "loss of a run's checkpoints on fresh data", stored, tabular)
    evaluate.add_argument("run_dir", type=path, metavar="RUN_DIR")
    evaluate.add_argument(
        "--batch-size",
        type=count,
        metavar="N",
        help="examples, or parts of a sequence, side by side; default: as in training",
    )
    evaluate.add_argument(
        "--checkpoint", choices=("last", "best"), default="last", help="best: by validation loss"
    )
    generate = add("generate", "write text with a run's model")
    generate.add_argument("run_dir", type=path, metavar="RUN_DIR")
    generate.add_argument("--prompt", default="", metavar="TEXT", help="the beginning of the text")
    generate.add_argument("--length", type=count, default=500, metavar="N", help="symbols to write")
    generate.add_argument(
        "--temperature",
        type=temperature,
        default=1.0,
        metavar="T",
        help="0 always writes the likeliest symbol",
    )
    generate.add_argument("--seed", type=seed, default=0, metavar="N", help="of the random draws")
    generate.add_argument(
        "--checkpoint", choices=("last", "best"), default="last", help="best: by validation loss"
    )
    credit = add(
        "credit", "measure the credit matrix: which errors reach which steps", configured, tabular
    )
    credit.add_argument("--out", type=path, default=Path("reports/credit"), metavar="DIR")
    gradients = add(
        "gradients",
        "train, and measure the error signal by lag and the bias of each style",
        configured,
        tabular,
        shown,
    )
    gradients.add_argument("--out", type=path, default=Path("reports/gradients"), metavar="DIR")
    bench = add("bench", "measure speed on this machine")
    bench.add_argument("--out", type=path, default=Path("reports/bench"), metavar="DIR")
    return parser


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            name = missing.split(", ")[0]
            self.show_names(name)
            message = f"expected {'a' if name[0] not in 'aeiou' else 'an'} {name}"
        self.exit(2, f"error: {message} (see `{self.prog} --help`)\n")

    def show_names(self, argument: str) -> None:
        """Print the names that an argument accepts, if they are listed anywhere."""
        kinds = {"experiment": ["experiment"], "sweep": ["sweep", "experiment"], "study": ["study"]}
        if argument in kinds:
            from experiments.commands import print_names

            print_names(kinds[argument])
            sys.stdout.flush()  # so that the names come before the error


class ShowVersion(argparse.Action):
    """--version: the version of the package and, in a checkout, the commit."""

    def __init__(self, option_strings: Sequence[str], dest: str, **keywords: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **keywords)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from experiments.reporting.environment import version

        print(version())
        parser.exit()


def _add_yes(parser: Parser, text: str) -> None:
    parser.add_argument("--yes", action="store_true", help=text)


def _completed(argument: argparse.Action, *kinds: str) -> None:
    """Let the shell complete an argument: names of these kinds, or config keys."""
    if "_ARGCOMPLETE" in os.environ:
        from experiments import completion

        completer = completion.names_of(*kinds) if kinds else completion.keys
        argument.completer = completer  # type: ignore[attr-defined]


def path(text: str) -> Path:
    """A path; ~ is the home folder, which the shell leaves alone in --run-dir=~/runs."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~nobody
        raise ValueError(text) from error


def count(text: str) -> int:
    """An integer of at least 1."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def duration(text: str) -> float:
    """Seconds, from a number and a unit: 90s, 30m or 2h."""
    units = {"s": 1, "m": 60, "h": 3600}
    seconds = float(text[:-1]) * units.get(text[-1:], 0)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds


def seed(text: str) -> int:
    """An integer of at least 0."""
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def temperature(text: str) -> float:
    """A finite number of at least 0."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


if __name__ == "__main__":
    sys.exit(main())
