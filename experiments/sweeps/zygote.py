"""A process that has imported TensorFlow, and forks a child for each batch of jobs.

Importing takes seconds, a fork takes milliseconds. The children share nothing but the import: no
session was opened before the fork, so threads, flags and random state are each child's own.

    worker ── stdin: a batch, as a line ──> zygote ── fork ──> child ── exits ──> zygote …
    worker <── stdout: forked, messages of the child, exited ──

A zygote serves one batch at a time, so its children use its pipes. Nobody writes to standard input
while a child lives. When the worker dies, by whatever cause, the pipe closes, and the child exits
at once, as if killed, which runs survive; the zygote exits after it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from experiments.config.own_cells import register_cells
from experiments.sweeps.child import train_jobs
from experiments.sweeps.messages import Job, Send, exited, forked

# Where a fork of a process with TensorFlow in it is sound. Elsewhere system libraries may start
# threads on their own, and a zygote serves a single batch by itself.
FORKS = sys.platform == "linux"


def main() -> None:
    """Serve batches until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; it is for the children
    channel = take_standard_output()
    _import_all()
    gc.freeze()  # children need not copy what a collection would touch
    for batch in _batches():
        if not FORKS:
            _send_to(channel)(forked(os.getpid()))
            train_batch(batch, channel)
        _serve(batch, channel)


def _import_all() -> None:
    """Import all that training needs, digest its code and ask for its commit.

    None of it opens a session.
    """
    import matplotlib.backends.backend_agg  # noqa: F401
    import tensorboard.plugins.hparams.summary  # noqa: F401

    import experiments.reporting.learning_curves
    import experiments.training.evaluate
    import experiments.training.seed
    import experiments.training.tensorboard  # noqa: F401
    from experiments.runs.environment import code

    code()  # of what was imported, once for all points


def _batches() -> Iterator[dict[str, Any]]:
    while line := sys.stdin.readline():
        yield json.loads(line)


def _serve(batch: dict[str, Any], channel: TextIO) -> None:
    """Fork a child that trains the batch, and wait until it ends."""
    pid = os.fork()
    if pid == 0:
        train_batch(batch, channel)
    send = _send_to(channel)
    send(forked(pid))
    _, status = os.waitpid(pid, 0)
    send(exited(os.waitstatus_to_exitcode(status)))


def train_batch(batch: dict[str, Any], channel: TextIO) -> NoReturn:
    """Train the jobs of the batch in this process, and end it."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=_exit_with_the_worker, daemon=True).start()
        os.chdir(batch["folder"])
        if batch["cells"] is not None:
            register_cells(Path(batch["cells"]))
        train_jobs([Job(**fields) for fields in batch["jobs"]], _send_to(channel))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # what is registered to run at the exit belongs to the zygote


def _send_to(channel: TextIO) -> Send:
    return lambda message: print(json.dumps(message), file=channel, flush=True)


def take_standard_output() -> TextIO:
    """Reserve standard output for messages; output of libraries goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _exit_with_the_worker() -> None:
    while os.read(0, 1):  # sys.stdin has a lock that would delay the exit of the interpreter
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
