"""Clusters of workers: local processes, a running Dask cluster, or Slurm jobs."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.errors import UsageError
from experiments.sweeps import slurm
from experiments.training.cores import allowed_cores

if TYPE_CHECKING:
    from distributed import Client

LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 10
SAFE_PATH = "PYTHONSAFEPATH"  # Python: no modules from the current folder
# Dask looks a hundred times a second at what each worker does, and fifty times at whether each
# event loop is late. That takes a tenth of a core from the training.
UNWATCHED = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}

Log = Callable[[str], None]  # prints a line for the user


class Cluster(NamedTuple):
    """An open cluster."""

    client: Client
    workers: int  # points at a time
    cores: int | None  # of each point; None: each worker divides its own
    # Called repeatedly with the number of points that have not ended.
    tend: Callable[[int], None] = lambda _needed: None


def check_cluster(where: str, workers: int | None) -> None:
    """Raise UsageError for an invalid `--cluster` or `--workers`."""
    if where == "slurm":
        if importlib.util.find_spec("dask_jobqueue") is None:
            raise UsageError("--cluster slurm needs dask-jobqueue: pip install -e '.[slurm]'")
        if workers is None:
            raise UsageError("--cluster slurm: expected --workers N, the number of jobs")
    elif where != "local":
        if workers is not None:
            raise UsageError(
                f"--workers {workers}: not possible with {where}, whose workers are fixed"
            )
        if "://" not in where and not Path(where).is_file():
            raise UsageError(
                f"--cluster {where}: expected local, slurm, tcp://host:port or a scheduler file"
            )


@contextlib.contextmanager
def open_cluster(
    where: str, workers: int | None, points: int, folder: Path, log: Log
) -> Iterator[Cluster]:
    """The cluster that `--cluster` names, for this many points; closed at the end of the block.

    `folder` receives the output of Slurm jobs; `log` prints a line for the user.
    Raises UsageError if the cluster cannot be reached.
    """
    import dask  # takes a second, with the rest of it
    from distributed.utils import silence_logging_cmgr

    with (
        silence_logging_cmgr(logging.CRITICAL),  # errors that matter are reported as reasons
        dask.config.set(UNWATCHED),
        _no_modules_of_the_current_folder(),
    ):
        if where == "local":
            with _local(min(workers or allowed_cores(), points)) as cluster:
                yield cluster
        elif where == "slurm":
            with _slurm(min(workers or 1, points), folder, log) as cluster:
                yield cluster
        else:
            if not _is_encrypted(where):
                log(
                    f"{where} is not encrypted: anyone who can reach it can run code as you (see tls://)"
                )
            with _running(where, log) as cluster:
                yield cluster


@contextlib.contextmanager
def _no_modules_of_the_current_folder() -> Iterator[None]:
    """Python processes that start in the block, Dask's workers among them, act as with -P."""
    earlier = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if earlier is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = earlier


def _is_encrypted(where: str) -> bool:
    """Whether a scheduler's address, or the one in the file that it wrote, uses TLS."""
    if "://" in where:
        return where.startswith("tls://")
    try:
        return str(json.loads(Path(where).read_text("utf-8"))["address"]).startswith("tls://")
    except (OSError, ValueError, KeyError, TypeError):
        return True  # connecting will report what is wrong with the file


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Cluster]:
    """Processes of one thread each, on the loopback interface."""
    from distributed import Client, LocalCluster, Security

    # A terminal sends Ctrl-C to every process of its group. The workers and their children inherit
    # this mask, so only this process handles it; a Ctrl-C during the block arrives after it.
    # Python's own helper process must already run, because starting it would lift the mask.
    resource_tracker.ensure_running()
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host=LOOPBACK,
            # Any user of this machine can reach the port, so it needs TLS with private keys.
            protocol="tls://",
            security=Security.temporary(),
            dashboard_address=f"{LOOPBACK}:0",
            memory_limit=0,  # Dask does not see the memory of the child processes
            silence_logs=logging.CRITICAL,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)
    with cluster, Client(cluster) as client:
        yield Cluster(client, workers, max(1, allowed_cores() // workers))


@contextlib.contextmanager
def _slurm(jobs: int, folder: Path, log: Log) -> Iterator[Cluster]:
    """One worker a job. The scheduler runs here and listens where Dask's config says."""
    from distributed import Client, Scheduler, Security, SpecCluster

    folder.mkdir(parents=True, exist_ok=True)
    security = Security.temporary()
    options = {"protocol": "tls://", "security": security, "dashboard_address": f"{LOOPBACK}:0"}
    scheduler = {"cls": Scheduler, "options": options | slurm.scheduler_options()}
    with (
        slurm.credential_files(security, folder) as files,
        SpecCluster({}, scheduler, security=security, silence_logs=False) as cluster,
        Client(cluster) as client,
    ):
        address = cluster.scheduler_address
        script = functools.partial(slurm.job_script, address, outputs=folder, security=files)
        held = slurm.SlurmJobs(jobs, script, folder, log)

        def tend(needed: int) -> None:
            workers = cluster.scheduler_info["workers"].values()
            held.tend({str(worker["name"]) for worker in workers}, needed)

        try:
            yield Cluster(client, jobs, None, tend)
        finally:
            held.cancel()


@contextlib.contextmanager
def _running(where: str, log: Log) -> Iterator[Cluster]:
    """A running cluster, by its address or scheduler file. Dask's own config sets up TLS."""
    from distributed import Client

    place = {"address": where} if "://" in where else {"scheduler_file": where}
    try:
        client = Client(**place, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"--cluster {where}: {error}") from error
    with client:
        if not client.nthreads():
            log(f"{where} has no worker yet; waiting for one")
        yield Cluster(client, max(1, sum(client.nthreads().values())), None)
