"""Train several runs at a time, each in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.errors import Interrupted
from experiments.interrupts import StopRequest, stop_request

PROGRAM = Path(__file__).resolve().parent.parent / "run.py"
POLL_SECONDS = 0.05


class Job(NamedTuple):
    """One run to train."""

    name: str
    experiment: str
    overrides: tuple[str, ...]
    directory: Path


class Outcome(NamedTuple):
    """How a job ended."""

    job: Job
    exit_code: int
    seconds: float
    reason: str  # the last line of stderr where it failed


class _Child(NamedTuple):
    job: Job
    process: subprocess.Popen[str]
    began: float


def run_jobs(jobs: Sequence[Job], workers: int) -> list[Outcome]:
    """Train all jobs, `workers` at a time, with a line as each one ends.

    Raises Interrupted after the children have written their checkpoints.
    """
    waiting = list(jobs)
    running: list[_Child] = []
    outcomes: list[Outcome] = []
    with stop_request() as stop:
        try:
            while (waiting and not stop.requested) or running:
                while waiting and len(running) < workers and not stop.requested:
                    running.append(_start(waiting.pop(0)))
                running = _collect(running, outcomes, len(jobs), stop)
        finally:
            for child in running:  # only a second Ctrl-C, or an error of our own, leaves any
                child.process.kill()
                child.process.wait()
    if stop.requested:
        raise Interrupted(
            f"stopped with {len(outcomes)} of {len(jobs)} runs ended; the same command goes on"
        )
    return outcomes


def _start(job: Job) -> _Child:
    command = [sys.executable, str(PROGRAM), "train", job.experiment, *job.overrides]
    process = subprocess.Popen(
        [*command, "--run-dir", str(job.directory)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,  # a terminal's Ctrl-C reaches us alone, and we pass it on once
    )
    return _Child(job, process, time.monotonic())


def _collect(
    running: list[_Child], outcomes: list[Outcome], total: int, stop: StopRequest
) -> list[_Child]:
    """Wait a moment; note the children that ended. Returns those that go on."""
    time.sleep(POLL_SECONDS)
    going_on = []
    for child in running:
        if child.process.poll() is None:
            going_on.append(child)
            continue
        errors = child.process.communicate()[1].strip().splitlines()
        seconds = time.monotonic() - child.began
        code = child.process.returncode
        reason = "" if code == 0 else _reason(code, errors)
        outcomes.append(Outcome(child.job, code, seconds, reason))
        state = "done" if code == 0 else f"failed: {reason}"
        print(f"[{len(outcomes)}/{total}] {child.job.name}: {state}, {seconds:.0f} s", flush=True)
    if stop.requested:
        for child in going_on:
            os.kill(child.process.pid, signal.SIGTERM)
        for child in going_on:
            child.process.wait()
    return going_on


def _reason(code: int, errors: Sequence[str]) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return errors[-1].removeprefix("error: ") if errors else f"exit code {code}"
