"""Processes that run one command, forked from one that has imported TensorFlow.

Importing takes three seconds, which is longer than a small run. The parent opens no session, so it
has no threads for a fork to lose. It is a process of its own, because pytest's has sessions.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from experiments.paths import ROOT

CHILD = "child"  # instead of arguments: the process of a sweep that trains the points of a group


class Command(NamedTuple):
    """What a process is asked to do."""

    arguments: Sequence[str]  # of run.py, or [CHILD]
    folder: Path  # to run in
    text: str = ""  # on standard input, which stays open


class Ended(NamedTuple):
    """How a process ended."""

    code: int | None  # None: killed
    out: str
    err: str
    seconds: float


class Forks:
    """The parent of such processes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: Command, kill_after: float | None = None) -> Ended:
        """Run a command to its end, or send SIGKILL after so many seconds."""
        return self._ask(command, {"kill_after": kill_after, "tracer": None})

    def run_traced(self, command: Command, tracer: Sequence[str]) -> Ended:
        """Run a command to its end under a tracer such as strace, which gets `-p PID`."""
        return self._ask(command, {"kill_after": None, "tracer": list(tracer)})

    def _ask(self, command: Command, how: dict[str, Any]) -> Ended:
        fields = command._asdict() | {"folder": str(command.folder)} | how
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(fields) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def open_forks() -> Iterator[Forks]:
    """Start the parent; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.forks"],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Forks(process)
        assert process.stdin is not None
        process.stdin.close()


def serve() -> None:
    """Read commands from standard input, a line of JSON each, until it is closed."""
    import_everything()
    for line in sys.stdin:
        print(json.dumps(run_one(**json.loads(line))._asdict()), flush=True)


def import_everything() -> None:
    """Import what the commands import when they need it."""
    for name in (
        "rnn_graphs.tf1",  # first: it sets the environment that TensorFlow reads
        "tensorboard.plugins.hparams.summary",
        "matplotlib.pyplot",
        "run",
        "experiments.comparison.compare",
        "experiments.commands",
        "experiments.sweeps.child",
        "experiments.training.evaluate",
        "experiments.training.seed",
        "experiments.training.tensorboard",
    ):
        importlib.import_module(name)
    pyplot = importlib.import_module("matplotlib.pyplot")
    pyplot.close(pyplot.figure())


def run_one(
    arguments: list[str],
    folder: str,
    text: str,
    kill_after: float | None,
    tracer: list[str] | None,
) -> Ended:
    """Fork, run one command in the child, and wait for it."""
    streams = [os.memfd_create(name) for name in ("out", "err")]
    standard_input, writable = os.pipe()
    os.write(writable, text.encode())
    may_begin, begin = os.pipe()
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        os.close(writable)
        os.close(begin)
        os.read(may_begin, 1)
        _be_command(arguments, folder, (standard_input, *streams))
    os.close(standard_input)
    os.close(may_begin)
    traced = None if tracer is None else _attach(tracer, process)
    os.close(begin)
    killed = not _ends_within(process, kill_after)
    if killed:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    seconds = time.monotonic() - began
    if traced is not None:
        traced.wait()
    os.close(writable)
    out, err = map(_content, streams)
    return Ended(None if killed else os.waitstatus_to_exitcode(status), out, err, seconds)


def _be_command(arguments: Sequence[str], folder: str, streams: Sequence[int]) -> NoReturn:
    """The child: its own standard streams and folder, then what a process of the command does."""
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        sys.stdin = os.fdopen(0, closefd=False)
        if list(arguments) == [CHILD]:
            from experiments.sweeps.zygote import take_standard_output, train_batch

            train_batch(json.loads(sys.stdin.readline()), take_standard_output())
        else:
            import run

            code = run.main(arguments)
    except SystemExit as stopped:  # of argparse
        code = stopped.code if isinstance(stopped.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _attach(tracer: Sequence[str], process: int) -> subprocess.Popen[bytes]:
    """Start a tracer on a process; return as soon as it traces."""
    started = subprocess.Popen([*tracer, "-p", str(process)], stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{process}/status")
    while "TracerPid:\t0\n" in status.read_text():
        assert started.poll() is None, f"cannot trace: {tracer}"
        time.sleep(0.002)
    return started


def _ends_within(process: int, seconds: float | None) -> bool:
    """Wait for the end of a process; False where it has not come after so many seconds."""
    descriptor = os.pidfd_open(process)
    ready, _, _ = select.select([descriptor], [], [], seconds)
    os.close(descriptor)
    return bool(ready)


def _content(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, errors="replace") as file:
        return file.read()


if __name__ == "__main__":
    serve()
