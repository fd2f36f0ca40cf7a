"""Workers as jobs of Slurm: kept at their number while points are missing, cancelled at the end."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.errors import RunError
from experiments.paths import ROOT

if TYPE_CHECKING:
    from distributed import Security

LOOK_SECONDS = 3.0  # between two looks at the queue
FRUITLESS = 5  # jobs in a row that ended before their worker connected
SECONDS = 60.0  # for one command of Slurm
ERROR_LINES = 3  # of a job's output, in the message that gives up


class Queued(NamedTuple):
    """One job as squeue shows it."""

    state: str  # PENDING, RUNNING, …
    reason: str  # why it waits; "None" where it does not


class SlurmJobs:
    """The jobs of one sweep, each of them one worker."""

    def __init__(
        self,
        count: int,
        script: Callable[[str], str],
        outputs: Path,
        log: Callable[[str], None],
    ) -> None:
        """Keep `count` jobs; `script` gives the batch script of the worker with a name.

        `outputs` is the folder that the script names for the jobs' output; `log` prints a line.
        """
        self._count = count
        self._script = script
        self._outputs = outputs
        self._log = log
        self._workers: dict[str, str] = {}  # the worker's name by the job's number
        self._connected: set[str] = set()  # workers that have been seen
        self._submitted = 0
        self._fruitless = 0
        self._shown = ""
        self._next_look = 0.0

    def tend(self, connected: Collection[str], needed: int) -> None:
        """Submit the jobs that are missing, and log why no worker is there yet.

        connected: the names of the workers that are there now; needed: how many could be busy.
        Raises RunError where Slurm refuses a job, or where jobs keep ending before their
        workers connect.
        """
        if time.monotonic() < self._next_look:
            return
        self._connected.update(connected)
        queue = self._queue()
        if queue is not None:
            self._forget_ended(queue)
            while len(self._workers) < min(self._count, needed):
                self._submit()
            if not connected:
                self._show_waiting(queue)
        self._next_look = time.monotonic() + LOOK_SECONDS

    def cancel(self) -> None:
        """Take every job out of the queue. Does not raise: it runs while a sweep ends."""
        jobs, self._workers = list(self._workers), {}
        if jobs:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                subprocess.run(["scancel", *jobs], capture_output=True, timeout=SECONDS)

    def _queue(self) -> dict[str, Queued] | None:
        """Our jobs in the queue, by number; None where Slurm does not answer."""
        if not self._workers:
            return {}
        command = ["squeue", "--noheader", "--me", "--format", "%i|%T|%r"]
        try:
            shown = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            shown = subprocess.CompletedProcess(command, 1, "", "no answer")
        if shown.returncode:
            self._log_once(f"Slurm does not answer: {_last_line(shown.stderr)}")
            return None
        rows = (line.split("|", 2) for line in shown.stdout.splitlines())
        return {job: Queued(state, reason) for job, state, reason in rows if job in self._workers}

    def _forget_ended(self, queue: dict[str, Queued]) -> None:
        for job in [job for job in self._workers if job not in queue]:
            name = self._workers.pop(job)
            if name in self._connected:
                self._fruitless = 0
                self._log(f"Slurm job {job} ended; points that are missing get another")
                continue
            self._fruitless += 1
            self._log(f"Slurm job {job} ended before its worker connected")
            if self._fruitless >= FRUITLESS:
                raise RunError(
                    f"Slurm: {self._fruitless} jobs in a row ended before their workers connected; "
                    f"their output is in {self._outputs}{self._why(job)}"
                )

    def _submit(self) -> None:
        name = f"worker-{self._submitted}"
        command = ["sbatch", "--parsable"]
        done = subprocess.run(
            command, input=self._script(name), capture_output=True, text=True, timeout=SECONDS
        )
        if done.returncode:
            raise RunError(f"sbatch: {_last_line(done.stderr)}")
        self._submitted += 1
        self._workers[done.stdout.strip().partition(";")[0]] = name

    def _show_waiting(self, queue: dict[str, Queued]) -> None:
        states = [
            f"job {job} {queued.state}" + (f" ({queued.reason})" if queued.reason != "None" else "")
            for job, queued in queue.items()
        ]
        self._log_once(f"no worker yet; Slurm: {', '.join(states) or 'jobs submitted'}")

    def _log_once(self, text: str) -> None:
        if text != self._shown:
            self._shown = text
            self._log(text)

    def _why(self, job: str) -> str:
        """The end of a job's output, for the message; empty where there is none."""
        for path in sorted(self._outputs.glob(f"*{job}.err")):
            lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
            return ": " + " | ".join(lines[-ERROR_LINES:]) if lines else ""
        return ""


def job_script(
    scheduler: str, name: str, outputs: Path | None = None, security: Security | None = None
) -> str:
    """The batch script of one worker, as Dask's own config (jobqueue.slurm) asks for it.

    `outputs` is the folder for the job's output, which this makes.
    """
    options = _options() | {"security": security}
    if outputs is not None:
        options["log_directory"] = str(outputs)
    job = _jobqueue().slurm.SLURMJob
    return str(job(scheduler=scheduler, name=name, protocol="tls://", **options).job_script())


def scheduler_options() -> dict[str, Any]:
    """Where the scheduler listens: `scheduler-options` and `interface` of jobqueue.slurm."""
    given = _jobqueue().core.dask.config.get("jobqueue.slurm")
    interface = {"interface": given["interface"]} if given["interface"] else {}
    return interface | (given["scheduler-options"] or {})


def _options() -> dict[str, Any]:
    """Least needs of a job, where Dask's own config does not set them."""
    given = _jobqueue().core.dask.config.get("jobqueue.slurm")
    needs = {"cores": 1, "processes": 1, "memory": "4 GiB"}
    options = {key: given[key] or value for key, value in needs.items()}
    prologue = [
        *given["job-script-prologue"],
        # The current folder may be a stranger's: no module is imported from it.
        "export PYTHONSAFEPATH=1",
        f'export PYTHONPATH="{ROOT}${{PYTHONPATH:+:$PYTHONPATH}}"',
    ]
    return options | {"job_script_prologue": prologue}


@contextlib.contextmanager
def credential_files(security: Security, folder: Path) -> Iterator[Security]:
    """The worker's part of temporary credentials, as files that only you can read.

    They are in `folder`, which the jobs' machines share, and are removed at the end.
    """
    from distributed import Security as Credentials

    texts = security.get_tls_config_for_role("worker")
    paths = {key: folder / f".{key}.pem" for key in ("ca_file", "cert", "key")}
    try:
        for key, path in paths.items():
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            path.write_text(texts[key])
        yield Credentials(
            tls_ca_file=str(paths["ca_file"]),
            tls_worker_cert=str(paths["cert"]),
            tls_worker_key=str(paths["key"]),
            require_encryption=True,
        )
    finally:
        for path in paths.values():
            path.unlink(missing_ok=True)


def _jobqueue() -> Any:
    """dask-jobqueue, which brings the defaults of its part of Dask's config.

    Its import takes over SIGINT and SIGTERM, and would end the command with exit code 0.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    import dask_jobqueue

    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return dask_jobqueue


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
