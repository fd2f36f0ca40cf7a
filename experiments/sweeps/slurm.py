"""Workers as Slurm jobs, replaced while points are missing and cancelled at the end."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.errors import RunError, UsageError
from experiments.paths import ROOT

if TYPE_CHECKING:
    from distributed import Security

PROGRAMS = ("sbatch", "squeue", "scancel")
LOOK_SECONDS = 3.0  # between two checks of the queue
FRUITLESS = 5  # jobs in a row that may end before their workers connect
SECONDS = 60.0  # time limit of one Slurm command
ERROR_LINES = 3  # of a job's output, shown in the error message


def check_programs() -> None:
    """Raise UsageError where a program that submits or watches jobs is missing."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            raise UsageError(
                f"--cluster slurm: expected a machine that submits Slurm jobs, got no {program}"
            )


class Queued(NamedTuple):
    """One job in the output of squeue."""

    state: str  # PENDING, RUNNING, …
    reason: str  # why it waits; "None" if it does not


class SlurmJobs:
    """The Slurm jobs of one sweep, one worker each."""

    def __init__(
        self,
        count: int,
        script: Callable[[str], str],
        outputs: Path,
        log: Callable[[str], None],
    ) -> None:
        """Keep `count` jobs. `script` returns the batch script of a worker, by its name.

        `outputs` is the folder to which the script sends the jobs' output; `log` prints a line.
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
        """Submit the jobs that are missing, and log why there is no worker yet.

        connected: the names of the current workers; needed: the number that could be busy.
        Raises RunError if Slurm refuses a job, or if jobs keep ending before their workers connect.
        """
        if time.monotonic() < self._next_look:
            return
        self._connected.update(connected)
        queue = self._queue()
        if queue is not None:
            self._forget_ended(queue)
            while len(self._workers) < min(self._count, needed) and self._submit():
                pass
            if not connected:
                self._show_waiting(queue)
        self._next_look = time.monotonic() + LOOK_SECONDS

    def cancel(self) -> None:
        """Cancel every job. Does not raise, because it runs while a sweep ends."""
        jobs, self._workers = list(self._workers), {}
        if jobs:
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                _run(["scancel", *jobs])

    def _queue(self) -> dict[str, Queued] | None:
        """Our jobs in the queue, by number; None if Slurm does not answer."""
        if not self._workers:
            return {}
        command = ["squeue", "--noheader", "--me", "--format", "%i|%T|%r"]
        try:
            shown = _run(command)
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
                self._log(f"Slurm job {job} ended; missing points get another")
                continue
            self._fruitless += 1
            self._log(f"Slurm job {job} ended before its worker connected")
            if self._fruitless >= FRUITLESS:
                raise RunError(
                    f"Slurm: {self._fruitless} jobs in a row ended before their workers connected; "
                    f"their output is in {self._outputs}{self._why(job)}"
                )

    def _submit(self) -> bool:
        """Submit one job; False if Slurm does not answer.

        A job that it queued all the same has a name of its own, and ends with the scheduler.
        """
        name = f"worker-{self._submitted}"
        self._submitted += 1
        command = ["sbatch", "--parsable"]
        try:
            done = _run(command, self._script(name))
        except subprocess.TimeoutExpired:
            self._log_once("Slurm does not answer: sbatch takes too long")
            return False
        if done.returncode:
            raise RunError(f"sbatch: {_last_line(done.stderr)}")
        self._workers[done.stdout.strip().partition(";")[0]] = name
        return True

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
        """The end of a job's output, for the error message; empty if there is none."""
        for path in sorted(self._outputs.glob(f"*{job}.err")):
            lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
            return ": " + " | ".join(lines[-ERROR_LINES:]) if lines else ""
        return ""


def _run(command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a Slurm command, which reads `given`. Ctrl-C is for the sweep: it does not end it."""
    return subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=SECONDS,
        start_new_session=True,
    )  # fmt: skip


def job_script(
    scheduler: str, name: str, outputs: Path | None = None, security: Security | None = None
) -> str:
    """The batch script of one worker, according to Dask's own config (jobqueue.slurm).

    `outputs` is the folder for the job's output; it is created.
    """
    options = _options() | {"security": security}
    if outputs is not None:
        options["log_directory"] = str(outputs)
    job = _jobqueue().slurm.SLURMJob
    return str(job(scheduler=scheduler, name=name, protocol="tls://", **options).job_script())


def scheduler_options() -> dict[str, Any]:
    """The scheduler's address: `scheduler-options` and `interface` of jobqueue.slurm."""
    given = _jobqueue().core.dask.config.get("jobqueue.slurm")
    interface = {"interface": given["interface"]} if given["interface"] else {}
    return interface | (given["scheduler-options"] or {})


def _options() -> dict[str, Any]:
    """The options of a job, with defaults for those that Dask's own config does not set."""
    given = _jobqueue().core.dask.config.get("jobqueue.slurm")
    needs = {"cores": 1, "processes": 1, "memory": "4 GiB"}
    options = {key: given[key] or value for key, value in needs.items()}
    prologue = [
        *given["job-script-prologue"],
        # The current folder may belong to someone else: import no module from it.
        "export PYTHONSAFEPATH=1",
        # As for local workers, which read the config of the process that starts them.
        "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False",
        "export DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL=1s",
        f'export PYTHONPATH="{ROOT}${{PYTHONPATH:+:$PYTHONPATH}}"',
    ]
    return options | {"job_script_prologue": prologue}


@contextlib.contextmanager
def credential_files(security: Security, folder: Path) -> Iterator[Security]:
    """Temporary credentials for the workers, as files that only you can read.

    They are in a folder of their own in `folder`, which all machines share, and are removed at the
    end of the block.
    """
    from distributed import Security as Credentials

    texts = security.get_tls_config_for_role("worker")
    with tempfile.TemporaryDirectory(prefix=".tls-", dir=folder, ignore_cleanup_errors=True) as own:
        paths = {key: Path(own) / f"{key}.pem" for key in ("ca_file", "cert", "key")}
        for key, path in paths.items():
            path.touch(mode=0o600)
            path.write_text(texts[key])
        yield Credentials(
            tls_ca_file=str(paths["ca_file"]),
            tls_worker_cert=str(paths["cert"]),
            tls_worker_key=str(paths["key"]),
            require_encryption=True,
        )


def _jobqueue() -> Any:
    """Import dask-jobqueue, with the defaults of its part of Dask's config.

    The import replaces the handlers of SIGINT and SIGTERM by ones that exit with code 0, so the
    earlier handlers are restored.
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
