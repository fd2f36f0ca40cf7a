"""The command line: parse, dispatch, turn errors into exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

EXAMPLES = """examples:
  python run.py list                                     what there is
  python run.py config r2rt_n5 graph.num_steps=10        the composed config, as YAML
  python run.py train r2rt_n5 training.seeds=3           to runs/r2rt_n5/training.seeds=3/
  python run.py sweep r2rt_n5 graph.num_steps=1,5,10     a run for each value, side by side
  python run.py compare runs/r2rt_n5 runs/r2rt_n10       all runs below: curves, table, report
  python run.py evaluate runs/r2rt_n5/default            loss of the checkpoints on fresh data
  python run.py generate runs/text_python_docs/default --prompt "The " --length 300
  python run.py reproduce r2rt_part1                     a study: many runs, claims, a report
  python run.py credit r2rt_n10 truncation.kind=true_bptt truncation.depth=4
  python run.py gradients r2rt_n10                       error signal by lag, each style's bias
  python run.py bench                                    speed on this machine

exit codes: 0 done; 1 a run failed or a claim did not hold; 2 wrong command or config;
130 interrupted
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
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
    from experiments.errors import Interrupted, RunError, UsageError

    try:
        command = getattr(commands, options.command)
        return int(command(options))
    except (UsageError, RunError, Interrupted) as error:
        return fail(error, error.exit_code, options.debug)
    except KeyboardInterrupt as error:
        return fail(error, Interrupted.exit_code, options.debug)
    except BrokenPipeError:
        sys.stderr.close()  # the reader left, as `| head` does; there is nobody to tell
        return 0
    except Exception as error:
        return fail(error, RunError.exit_code, options.debug)


def fail(error: BaseException, code: int, debug: bool) -> int:
    """One line on stderr, and the traceback with --debug."""
    if debug:
        import traceback

        traceback.print_exception(error)
    text = " ".join(str(error).split()) or "interrupted"
    known = type(error).__module__ == "experiments.errors" or isinstance(error, KeyboardInterrupt)
    kind = "" if known else f"{type(error).__name__}: "
    hint = "" if known or debug else " (--debug shows where)"
    print(f"error: {kind}{text}{hint}", file=sys.stderr)
    return code


def make_parser() -> Parser:
    """The whole grammar of the command line."""
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
    train = add("train", "train an experiment, or go on with it", configured)
    train.add_argument("--run-dir", type=Path, metavar="DIR", help="where to, instead of runs/…")
    train.add_argument("--overwrite", action="store_true", help="replace the run that is there")
    sweep = add("sweep", "train every point of a grid that is not trained yet")
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
    sweep.add_argument("--dry-run", action="store_true", help="show the points and the time")
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
    generate = add("generate", "write text with the model of a run")
    generate.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    generate.add_argument("--prompt", default="", metavar="TEXT", help="what the text begins with")
    generate.add_argument("--length", type=count, default=500, metavar="N", help="symbols to write")
    generate.add_argument(
        "--temperature", type=temperature, default=1.0, metavar="T", help="0: always the likeliest"
    )
    generate.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws")
    generate.add_argument(
        "--checkpoint", choices=("last", "best"), default="last", help="best: by validation loss"
    )
    credit = add(
        "credit", "measure which errors reach which steps: credit.csv, credit.png", configured
    )
    credit.add_argument("--out", type=Path, default=Path("reports/credit"), metavar="DIR")
    gradients = add(
        "gradients", "train, and measure the error signal by lag and each style's bias", configured
    )
    gradients.add_argument("--out", type=Path, default=Path("reports/gradients"), metavar="DIR")
    bench = add("bench", "speed on this machine, ratios side by side")
    bench.add_argument("--out", type=Path, default=Path("reports/bench"), metavar="DIR")
    return parser


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (`{self.prog} --help` shows what there is)\n")


def count(text: str) -> int:
    """A whole number from 1 on."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def temperature(text: str) -> float:
    """A number from 0 on."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


if __name__ == "__main__":
    sys.exit(main())
