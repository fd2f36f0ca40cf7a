"""The worker's side of its zygotes: processes that fork a child for each batch of jobs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

from experiments.paths import ROOT
from experiments.sweeps.messages import Job, Message
from experiments.training.execution import ONEDNN

# Dask has its workers hand freed memory back to the system at once. A child that inherits this
# fetches the memory of its large tensors anew in each update, a fifth of the time of a wide LSTM.
TRIM = "MALLOC_TRIM_THRESHOLD_"


class Zygote:
    """One zygote. Where it has ended, `train` ends early, and `is_alive` is false."""

    def __init__(self, environment: Mapping[str, str], onednn: bool = False) -> None:
        """Start it, with these variables added to the environment; `onednn`: TensorFlow's."""
        self.onednn = onednn
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        inherited = {name: value for name, value in os.environ.items() if name != TRIM}
        self._process = subprocess.Popen(
            # -P: import nothing from the current folder, which may belong to someone else
            [sys.executable, "-P", "-m", "experiments.sweeps.zygote"],
            env={**inherited, **environment, "PYTHONPATH": search, ONEDNN: str(int(onednn))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._child: int | None = None
        self._is_forking = False  # a child is on its way, but its number is not known yet
        self._asked: signal.Signals | None = None  # what that child is to be sent
        self._lock = threading.Lock()  # a signal must not reach a process that has ended
        self.code: int | None = None  # of the last child; None where it is not known

    def train(
        self, jobs: Sequence[Job], folder: str, cells: str | None = None
    ) -> Iterator[Message]:
        """Have a child train the jobs in this folder. Yields its messages until it ends.

        `cells` is the file of the user's own cell that the jobs need.
        """
        self.code = None
        _empty(self._errors)
        self._is_forking = True
        fields = [job._asdict() for job in jobs]
        self._write({"jobs": fields, "folder": folder, "cells": cells})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = _parse(line)
            match message.get("kind"):
                case "forked":
                    self._set_child(message["pid"])
                case "exited":
                    self._set_child(None)
                    self.code = message["code"]
                    return
                case None:
                    pass  # a line that a killed child did not finish
                case _:
                    yield message
        self._set_child(None)
        self.code = self._process.wait()

    def reason(self) -> str:
        """The reason why the last child died: the signal, or the last line of standard error."""
        if self.code is not None and self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}"
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 4096))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"the process ended with exit code {self.code}"

    def stop(self, number: signal.Signals) -> None:
        """Send the signal to the child; without one, end the zygote."""
        with self._lock:
            if self._is_forking and number != signal.SIGKILL:
                self._asked = number
            elif self._child is None:
                self._process.kill()
            else:
                _send(self._child, number)

    @property
    def is_alive(self) -> bool:
        """Whether it can serve another batch."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def hang_up(self) -> None:
        """Close its standard input: the child exits at once, and the zygote after it."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def close(self) -> None:
        """End it, with the child that it may have."""
        self._process.kill()
        with self._process:  # closes the pipes, which ends the child, and waits
            pass
        self._errors.close()

    def _set_child(self, pid: int | None) -> None:
        with self._lock:
            self._child, self._is_forking = pid, False
            if pid is not None and self._asked is not None:
                _send(pid, self._asked)
            self._asked = None

    def _write(self, batch: Message) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(batch) + "\n")
            self._process.stdin.flush()  # the pipe stays open, because a child exits when it closes
        except BrokenPipeError:
            pass  # it is dead, and its exit code shows why


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(pid, number)


def _parse(line: str) -> Message:
    """A message; empty for a line that is none."""
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _empty(file: IO[bytes]) -> None:
    file.seek(0)  # the zygote's offset too, because it has the same open file
    file.truncate()
