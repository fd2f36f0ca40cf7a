"""The command line: parse, dispatch, turn errors into exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from experiments.output import SafeStream

EXAMPLES = """examples:
  python run.py list                                     experiments, sweeps and studies
  python run.py config r2rt_n5 graph.num_steps=10        the composed config, as YAML
  python run.py train r2rt_n5 training.seeds=3           in runs/r2rt_n5/training.seeds=3/
  python run.py sweep r2rt_n5 graph.num_steps=1,5,10     a run for each value
  python run.py compare runs/r2rt_n5 runs/r2rt_n10       curves, a table, a report
  python run.py evaluate runs/r2rt_n5/default            loss of the checkpoints on fresh data
  python run.py generate runs/text_python_docs/default --prompt "The " --length 300
  python run.py reproduce r2rt_part1                     a study: many runs, claims, a report
  python run.py credit r2rt_n10 truncation.kind=true_bptt truncation.depth=4
  python run.py gradients r2rt_n10                       error signal by lag, each style's bias
  python run.py bench                                    speed on this machine

exit codes: 0 done; 1 a run failed or a claim did not hold; 2 wrong command or config;
130 interrupted
"""


TRAINING = ("train", "sweep", "reproduce")  # their results are files: output may get lost


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    from experiments.output import open_standard_descriptors, safe_output

    open_standard_descriptors()
    with safe_output() as output:
        return run_command(arguments, output)


def run_command(arguments: Sequence[str] | None, output: SafeStream) -> int:
    """Parse and run one command. Returns the exit code."""
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and (not hasattr(options, "overrides") or any(text.startswith("-") for text in rest)):
        parser.error(f"unknown: {' '.join(rest)}")
    if rest:
        options.overrides += rest  # key=value after an option, which argparse does not gather
    if options.command is None:
        parser.print_help()
        return 0
    from experiments import commands
    from experiments.errors import ExperimentError, Interrupted, RunError

    try:
        code = int(getattr(commands, options.command)(options))
        lost = output.why_lost()
        if lost and options.command in TRAINING:
            print(f"warning: standard output: {lost}; log.txt has every line", file=sys.stderr)
        elif lost:
            raise RunError(f"standard output: {lost}")
        return code
    except ExperimentError as error:
        show_error(error, str(error), options.debug)
        return error.exit_code
    except KeyboardInterrupt as error:
        show_error(error, "interrupted", options.debug)
        return Interrupted.exit_code
    except Exception as error:
        hint = "" if options.debug else " (--debug shows where)"
        show_error(error, f"{type(error).__name__}: {error}{hint}", options.debug)
        return ExperimentError.exit_code


def show_error(error: BaseException, text: str, debug: bool) -> None:
    """One line on stderr, and the traceback with --debug."""
    from experiments.console import plain

    if debug:
        import traceback

        traceback.print_exception(error)
    print(f"error: {plain(text)}", file=sys.stderr)


def make_parser() -> Parser:
    """The grammar of the command line."""
    parser = Parser(
        prog="run.py",
        description="Experiments on recurrent networks and truncated backpropagation.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    common = Parser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show tracebacks")
    configured = Parser(add_help=False)
    configured.add_argument("experiment", help="a name that `list` shows, or a YAML file")
    configured.add_argument(
        "overrides", nargs="*", metavar="key=value", help="changes to its config"
    )

    def add(name: str, text: str, *parents: Parser) -> Parser:
        return commands.add_parser(
            name, help=text, description=text, parents=[common, *parents], allow_abbrev=False
        )

    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    add("list", "experiments, sweeps and studies, a line each")
    add("config", "print the composed config as YAML", configured)
    train = add("train", "train an experiment, or resume its run", configured)
    train.add_argument(
        "--run-dir", type=Path, metavar="DIR", help="run directory; default: below runs/"
    )
    train.add_argument("--overwrite", action="store_true", help="replace an existing run")
    sweep = add("sweep", "train the points of a grid that are not complete")
    sweep.add_argument("sweep", help="a name that `list` shows, an experiment, or a YAML file")
    sweep.add_argument(
        "overrides", nargs="*", metavar="key=v1,v2", help="values to try, or range(1,9), choice(…)"
    )
    sweep.add_argument(
        "--workers", type=count, metavar="N", help="points at a time; default: cores"
    )
    sweep.add_argument(
        "--cluster",
        default="local",
        metavar="WHERE",
        help="local (default), slurm, tcp://host:port or a Dask scheduler file",
    )
    sweep.add_argument("--dry-run", action="store_true", help="show points and estimated time")
    reproduce = add("reproduce", "run a study: many runs, claims with verdicts, a report")
    reproduce.add_argument("study", help="a name that `list` shows")
    reproduce.add_argument("overrides", nargs="*", metavar="key=value", help="changes to every run")
    reproduce.add_argument(
        "--workers", type=count, metavar="N", help="runs at a time; default: cores"
    )
    reproduce.add_argument("--out", type=Path, metavar="DIR", help="default: reports/STUDY")
    compare = add("compare", "curves, a heat map where two keys vary, a table, one report")
    compare.add_argument(
        "run_dirs", nargs="+", type=Path, metavar="RUN_DIR", help="a run, or a folder of runs"
    )
    compare.add_argument("--out", type=Path, default=Path("reports/compare"), metavar="DIR")
    evaluate = add("evaluate", "loss of a run's checkpoints on fresh data")
    evaluate.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    evaluate.add_argument("--batch-size", type=count, metavar="N", help="default: as in training")
    evaluate.add_argument(
        "--checkpoint", choices=("last", "best"), default="last", help="best: by validation loss"
    )
    generate = add("generate", "write text with a run's model")
    generate.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    generate.add_argument("--prompt", default="", metavar="TEXT", help="the beginning of the text")
    generate.add_argument("--length", type=count, default=500, metavar="N", help="symbols to write")
    generate.add_argument(
        "--temperature",
        type=temperature,
        default=1.0,
        metavar="T",
        help="0: the likeliest symbol",
    )
    generate.add_argument("--seed", type=int, default=0, metavar="N", help="of the random draws")
    generate.add_argument(
        "--checkpoint", choices=("last", "best"), default="last", help="best: by validation loss"
    )
    credit = add("credit", "measure the credit matrix: which errors reach which steps", configured)
    credit.add_argument("--out", type=Path, default=Path("reports/credit"), metavar="DIR")
    gradients = add(
        "gradients",
        "train, and measure error signals by lag and the bias of each style",
        configured,
    )
    gradients.add_argument("--out", type=Path, default=Path("reports/gradients"), metavar="DIR")
    bench = add("bench", "measure speed on this machine")
    bench.add_argument("--out", type=Path, default=Path("reports/bench"), metavar="DIR")
    return parser


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see `{self.prog} --help`)\n")


def count(text: str) -> int:
    """An integer of at least 1."""
    value = int(text)
    if value < 1:
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
