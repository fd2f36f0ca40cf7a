"""The parent's side: a program in a process of its own, asked for rounds in turn with others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median
from time import perf_counter
from typing import NamedTuple

from experiments.benchmarks.peers.work import Work
from experiments.errors import RunError
from experiments.paths import ROOT


class Contender(NamedTuple):
    """A program that can do the work."""

    program: str  # a module of this package
    variant: str


class Seconds(NamedTuple):
    """The seconds of a program: its start, and each update."""

    begin: float  # from its start until its first call has ended: import, build, compile
    update: float


class _Process(NamedTuple):
    contender: Contender
    child: subprocess.Popen[str]
    started: float

    def ask(self, seconds: float) -> float:
        """The seconds of an update, in a round of at least these seconds."""
        assert self.child.stdin is not None
        print(seconds, file=self.child.stdin, flush=True)
        return float(self.read())

    def read(self) -> str:
        """The next line that it prints. Raises RunError if it has ended instead."""
        assert self.child.stdout is not None
        if line := self.child.stdout.readline().strip():
            return line
        _, errors = self.child.communicate()
        last = errors.strip().splitlines()[-1:] or [f"exit code {self.child.returncode}"]
        raise RunError(f"{self.contender.program} ({self.contender.variant}): {last[0]}")


@contextmanager
def _opened(contender: Contender, work: Work) -> Iterator[_Process]:
    # A peer must find its threads in the environment before it is imported.
    threads = {"OMP_NUM_THREADS": str(work.threads), "MKL_NUM_THREADS": str(work.threads)}
    module = f"{__package__}.{contender.program}"
    with subprocess.Popen(
        [sys.executable, "-P", "-m", module, work.as_json(), contender.variant],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **threads, "PYTHONPATH": str(ROOT)},
    ) as child:  # fmt: skip
        process = _Process(contender, child, perf_counter())
        try:
            ready = process.read()
            assert ready == "ready", ready
            yield process
        finally:
            child.kill()


def seconds_of_an_update(
    contenders: Sequence[Contender], work: Work, rounds: int, seconds: float
) -> list[list[float]]:
    """The seconds of an update of each contender, by round; they take turns.

    Raises RunError where a program cannot do the work.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(_opened(each, work)) for each in contenders]
        table = [[process.ask(seconds) for process in processes] for _ in range(rounds)]
    return [list(column) for column in zip(*table, strict=True)]


def seconds_alone(contender: Contender, work: Work, rounds: int, seconds: float) -> Seconds:
    """The start and the median update of a program that runs alone.

    Raises RunError where it cannot do the work.
    """
    with _opened(contender, work) as process:
        begin = perf_counter() - process.started
        return Seconds(begin, median(process.ask(seconds) for _ in range(rounds)))
