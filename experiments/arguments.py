"""The arguments of each command, a function for each."""

from __future__ import annotations

import argparse
import os
from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from experiments.examples import OVERVIEW, examples_of
from experiments.parser import (
    Parser,
    ShowVersion,
    count,
    duration,
    path,
    seed,
    share,
    temperature,
)


def make_parser() -> Parser:
    """Build the parser of the whole command line."""
    parser = Parser(
        prog="run.py",
        description="Experiments on recurrent networks and truncated backpropagation.",
        epilog=OVERVIEW,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=ShowVersion, help="show the version and the commit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, (text, add_arguments) in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=text,
            description=text,
            epilog=examples_of(name),
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.set_defaults(own_parser=command)  # for errors found after parsing
        command.add_argument("--debug", action="store_true", help="show tracebacks")
        if name not in WITHOUT_OWN_CELLS:
            command.add_argument(
                "--cells", type=path, metavar="FILE.py", help="define your own cells for model.cell"
            )
        add_arguments(command)
    return parser


def _list(command: Parser) -> None:
    _add_json(command)


def _config(command: Parser) -> None:
    _add_configured(command)


def _train(command: Parser) -> None:
    _add_configured(command)
    command.add_argument(
        "--run-dir",
        type=path,
        metavar="DIR",
        help="where to write the run; default: runs/EXPERIMENT/OVERRIDES",
    )
    command.add_argument("--overwrite", action="store_true", help="replace an existing run")
    _add_data_changed(command)
    _add_quiet(command)


def _sweep(command: Parser) -> None:
    sweep = command.add_argument(
        "sweep", help="a name that `list` shows, an experiment, or a YAML file"
    )
    _complete(sweep, "sweep", "experiment")
    values = "values to try, separated by commas; also range(1,9), choice(…), {key:value},…"
    _add_overrides(command, "key=v1,v2", values)
    _add_workers(command, "points to train at a time; default: one per core")
    command.add_argument(
        "--cluster",
        default="local",
        metavar="WHERE",
        help="where to train: local (default), slurm, tcp://host:port or a Dask scheduler file",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="train nothing; show the points and estimated time"
    )
    _add_yes(command, "do not ask before starting more than 1,000 points")
    _add_data_changed(command)
    _add_json(command)
    _add_quiet(command)


def _reproduce(command: Parser) -> None:
    study = command.add_argument("study", help="a name that `list` shows, or a YAML file")
    _complete(study, "study")
    _add_overrides(command, "key=value", "config keys to change in every run")
    _add_workers(command, "runs to train at a time; default: one per core")
    command.add_argument(
        "--out",
        type=path,
        metavar="DIR",
        help="folder of the report; default: reports/STUDY[,OVERRIDES]",
    )
    command.add_argument(
        "--seeds-until",
        choices=("decided",),
        help="add seeds in batches until every claim is decided",
    )
    command.add_argument(
        "--max-seeds",
        type=count,
        metavar="N",
        help="the most seeds of a run; default: 4 times the study's",
    )
    command.add_argument(
        "--max-time",
        type=duration,
        metavar="TIME",
        help="start no further batch of seeds after this time, such as 90s, 30m or 2h",
    )
    _add_data_changed(command)
    _add_yes(command, "do not ask before starting more than 1,000 runs")
    _add_json(command)
    _add_quiet(command)


def _claim(command: Parser) -> None:
    _add_run(command)
    limit = command.add_mutually_exclusive_group(required=True)
    limit.add_argument(
        "--loss", type=float, metavar="LOSS", help="claim that the final loss is this"
    )
    limit.add_argument(
        "--below",
        type=path,
        metavar="RUN_DIR",
        help="claim that the final loss is below that of this run",
    )
    command.add_argument(
        "--tolerance",
        type=float,
        metavar="T",
        help="how far from --loss it may be; default: 0.01",
    )


def _runs(command: Parser) -> None:
    command.add_argument(
        "paths",
        nargs="*",
        type=path,
        metavar="PATH",
        help="a run, or a folder of runs; default: runs/",
    )
    command.add_argument(
        "--where",
        metavar="CONDITION",
        help="select by config keys, status, loss and seconds_a_seed, with = != < <= > >= "
        "and or not ( )",
    )
    command.add_argument(
        "--archive", type=path, metavar="FILE.tar.gz", help="write the listed runs to a file"
    )
    command.add_argument(
        "--remove", action="store_true", help="remove the listed runs, after --archive if given"
    )
    _add_yes(command, "archive and remove without asking")
    _add_json(command)


def _diff(command: Parser) -> None:
    command.add_argument(
        "run_dirs", nargs=2, type=path, metavar="RUN_DIR", help="the two runs to compare"
    )
    _add_json(command)


def _compare(command: Parser) -> None:
    command.add_argument(
        "run_dirs", nargs="+", type=path, metavar="RUN_DIR", help="a run, or a folder of runs"
    )
    command.add_argument(
        "--out",
        type=path,
        metavar="DIR",
        help="folder of the report; default: reports/compare-NAMES_OF_THE_RUNS",
    )
    command.add_argument(
        "--by",
        metavar="METRIC",
        help="rank by the train, valid or fresh loss or by a metric; default: valid, else fresh, "
        "else train",
    )
    command.add_argument(
        "--target",
        metavar="LOSS",
        help="also show how soon this loss, or `halfway` between the floors, was reached",
    )
    command.add_argument(
        "--format",
        choices=("md", "latex", "json"),
        help="print the table in this format, and write files only with --out",
    )
    _add_data_changed(command)


def _evaluate(command: Parser) -> None:
    _add_run(command)
    command.add_argument(
        "--batch-size",
        type=count,
        metavar="N",
        help="how many examples, or parts of a sequence, to read side by side; default: as in "
        "training",
    )
    command.add_argument(
        "--position",
        type=count,
        metavar="N",
        help="count only the loss at this time step of each example; the first is 1",
    )
    _add_checkpoint(command)
    _add_data_changed(command)
    _add_json(command)


def _generate(command: Parser) -> None:
    _add_run(command)
    command.add_argument("--prompt", default="", metavar="TEXT", help="the beginning of the text")
    command.add_argument(
        "--length", type=count, default=500, metavar="N", help="symbols to write; default: 500"
    )
    command.add_argument(
        "--temperature",
        type=temperature,
        default=1.0,
        metavar="T",
        help="higher is more random, 0 always writes the likeliest symbol; default: 1",
    )
    command.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="seed of the random draws; default: 0"
    )
    command.add_argument(
        "--top-k", type=count, metavar="K", help="draw from the K likeliest symbols; default: all"
    )
    command.add_argument(
        "--at-spaces",
        action="store_true",
        help="for characters: draw only after white space, and write the likeliest one elsewhere",
    )
    _add_checkpoint(command)


def _score(command: Parser) -> None:
    _add_run(command)
    command.add_argument("text", metavar="TEXT", help="the text, read as if it began a line")
    _add_checkpoint(command)
    _add_json(command)


def _neighbours(command: Parser) -> None:
    _add_run(command)
    command.add_argument("word", metavar="WORD", help="a symbol of the run's vocabulary")
    command.add_argument(
        "--count", type=count, default=10, metavar="N", help="symbols to show; default: 10"
    )
    _add_checkpoint(command)
    _add_json(command)


def _states(command: Parser) -> None:
    _add_run(command)
    command.add_argument(
        "--prompt", metavar="TEXT", help="the sequence to read; default: held-out data"
    )
    command.add_argument(
        "--example",
        type=seed,
        metavar="N",
        help="which held-out example to read; default: 0, the first",
    )
    command.add_argument(
        "--length", type=count, default=60, metavar="N", help="the most time steps; default: 60"
    )
    _add_checkpoint(command)
    _add_data_changed(command)
    _add_out(command, "reports/states")


def _export(command: Parser) -> None:
    _add_run(command)
    _add_checkpoint(command)
    _add_out(command, "reports/export")


def _credit(command: Parser) -> None:
    _add_configured(command)
    _add_out(command, "reports/credit")
    _add_json(command)


def _gradients(command: Parser) -> None:
    _add_configured(command, "a name that `list` shows, a YAML file, or a run directory")
    _add_out(command, "reports/gradients")
    _add_checkpoint(command)
    _add_data_changed(command)
    _add_json(command)
    _add_quiet(command)


def _advise(command: Parser) -> None:
    _add_configured(command)
    command.add_argument(
        "--budget",
        type=duration,
        default=300.0,
        metavar="TIME",
        help="how long it may take, such as 90s, 5m or 1h; default: 5m",
    )
    command.add_argument(
        "--tolerance",
        type=share,
        default=0.5,
        metavar="SHARE",
        help="the largest relative bias that the gradient may have; default: 0.5",
    )
    command.add_argument(
        "--check", action="store_true", help="train the advised setting and others for equal time"
    )
    _add_workers(command, "runs of --check to train at a time; default: one per core")
    _add_out(command, "reports/advise")
    _add_json(command)
    _add_quiet(command)


def _describe(command: Parser) -> None:
    _add_configured(command)
    command.add_argument("--out", type=path, metavar="DIR", help="write a picture of the graph")
    _add_json(command)


def _bench(command: Parser) -> None:
    command.add_argument(
        "parts", nargs="*", metavar="PART", help="such as updates or peers; default: all of them"
    )
    _add_out(command, "reports/bench")


COMMANDS = {
    "list": ("list all experiments, sweeps and studies", _list),
    "config": ("print the whole config of an experiment as YAML", _config),
    "train": ("train an experiment, or resume its run", _train),
    "sweep": ("train every point of a grid that is not complete yet", _sweep),
    "reproduce": ("run a study: train its runs, decide its claims, write a report", _reproduce),
    "claim": ("print a study with one claim about a run, as YAML", _claim),
    "runs": ("list, archive or remove runs", _runs),
    "diff": ("show how two runs differ: config, versions, metrics, final losses", _diff),
    "compare": ("compare runs in one report: curves, a heat map, a table", _compare),
    "evaluate": ("print the loss of a run's checkpoints on held-out data", _evaluate),
    "generate": ("write text with a run's model", _generate),
    "score": ("print the probability of a text under a run's model", _score),
    "neighbours": ("print the symbols whose vectors are nearest to a symbol's", _neighbours),
    "states": ("draw the states and gates of a run's model along a sequence", _states),
    "export": ("write a run's model as a checkpoint that tf.train.Saver restores", _export),
    "credit": ("measure the credit matrix: which errors reach which steps", _credit),
    "gradients": (
        "measure the error signal by lag and the bias of each style of truncation",
        _gradients,
    ),
    "advise": (
        "find the num_steps and the style of truncation that your data need, and the cost",
        _advise,
    ),
    "describe": (
        "print the shapes, parameters, memory and work of an experiment, without training",
        _describe,
    ),
    "bench": ("measure the speed of this machine", _bench),
}


WITHOUT_OWN_CELLS = ("list", "bench")  # they read no config of the user's


def _add_configured(
    command: Parser, text: str = "a name that `list` shows, or a YAML file"
) -> None:
    experiment = command.add_argument("experiment", help=text)
    _complete(experiment, "experiment")
    _add_overrides(command, "key=value", "config keys to change, such as graph.num_steps=10")


def _add_overrides(command: Parser, metavar: str, text: str) -> None:
    _complete(command.add_argument("overrides", nargs="*", metavar=metavar, help=text))


def _add_run(command: Parser) -> None:
    command.add_argument(
        "run_dir",
        type=path,
        metavar="RUN_DIR",
        help="a run directory, such as runs/r2rt_n5/default",
    )


def _add_out(command: Parser, folder: str) -> None:
    command.add_argument(
        "--out",
        type=path,
        default=Path(folder),
        metavar="DIR",
        help=f"folder to write to; default: {folder}",
    )


def _add_workers(command: Parser, text: str) -> None:
    command.add_argument("--workers", type=count, metavar="N", help=text)


def _add_checkpoint(command: Parser) -> None:
    command.add_argument(
        "--checkpoint",
        choices=("last", "best"),
        default="last",
        help="which checkpoint to read: the last (default), or the best by validation loss",
    )


def _add_data_changed(command: Parser) -> None:
    command.add_argument(
        "--data-changed",
        action="store_true",
        help="go ahead if a data file has changed since the run began",
    )


def _add_json(command: Parser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_quiet(command: Parser) -> None:
    command.add_argument(
        "-q", "--quiet", action="store_true", help="hide progress; show only results and errors"
    )


def _add_yes(command: Parser, text: str) -> None:
    command.add_argument("--yes", action="store_true", help=text)


def _complete(argument: argparse.Action, *kinds: str) -> None:
    """Let the shell complete an argument: names of these kinds, or config keys."""
    if "_ARGCOMPLETE" in os.environ:
        from experiments import completion

        completer = completion.names_of(*kinds) if kinds else completion.keys
        argument.completer = completer  # type: ignore[attr-defined]
