"""Clusters of workers: local processes, a running Dask cluster, or Slurm jobs."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.errors import UsageError
from experiments.paths import ROOT

if TYPE_CHECKING:
    from distributed import Client

LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 10


class Cluster(NamedTuple):
    """An open cluster."""

    client: Client
    workers: int  # points at a time
    cores: int | None  # of each point; None: each worker decides


def check_cluster(where: str, workers: int | None) -> None:
    """Raise UsageError for an invalid `--cluster` or `--workers`, before anything starts."""
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
def open_cluster(where: str, workers: int | None, points: int) -> Iterator[Cluster]:
    """The cluster that `--cluster` names, for this many points; closed at the end of the block.

    Raises UsageError if it cannot be reached.
    """
    from distributed.utils import silence_logging_cmgr  # Dask takes a second to import

    with silence_logging_cmgr(logging.CRITICAL):  # errors that matter are reported as reasons
        if where == "local":
            with _local(min(workers or os.cpu_count() or 1, points)) as cluster:
                yield cluster
        elif where == "slurm":
            with _slurm(workers or 1) as cluster:
                yield cluster
        else:
            with _running(where) as cluster:
                yield cluster


def job_script() -> str:
    """The script of each Slurm job, with a placeholder for the scheduler's address."""
    from dask_jobqueue.slurm import SLURMJob

    job = SLURMJob(scheduler="tcp://SCHEDULER", name="WORKER", **_slurm_options())
    return str(job.job_script())


@contextlib.contextmanager
def _local(workers: int) -> Iterator[Cluster]:
    """Local processes with one thread each, on the loopback interface."""
    from distributed import Client, LocalCluster

    # A terminal sends Ctrl-C to every process of its group. Workers inherit this mask and ignore
    # it; we get a Ctrl-C that arrives meanwhile after the block. Python's resource tracker must
    # be running already: starting it would lift the mask.
    resource_tracker.ensure_running()
    earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host=LOOPBACK,
            dashboard_address=f"{LOOPBACK}:0",
            memory_limit=0,  # Dask does not see the memory of the child processes
            silence_logs=logging.CRITICAL,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, earlier)
    with cluster, Client(cluster) as client:
        yield Cluster(client, workers, max(1, (os.cpu_count() or 1) // workers))


@contextlib.contextmanager
def _slurm(jobs: int) -> Iterator[Cluster]:
    """One worker a job. The scheduler runs here, on the interface that Dask's config names."""
    from dask_jobqueue.slurm import SLURMCluster
    from distributed import Client

    with SLURMCluster(**_slurm_options()) as cluster, Client(cluster) as client:
        cluster.scale(jobs=jobs)
        yield Cluster(client, jobs, None)


def _slurm_options() -> dict[str, Any]:
    """The resources of a job: those of Dask's config (jobqueue.slurm), with small defaults."""
    import dask
    import dask_jobqueue  # noqa: F401 - it adds its defaults to Dask's config

    given = dask.config.get("jobqueue.slurm")
    needs = {"cores": 1, "processes": 1, "memory": "4 GiB"}
    options = {key: given[key] or value for key, value in needs.items()}
    prologue = [*given["job-script-prologue"], f'export PYTHONPATH="{ROOT}:$PYTHONPATH"']
    return options | {"job_script_prologue": prologue}


@contextlib.contextmanager
def _running(where: str) -> Iterator[Cluster]:
    """The cluster at a scheduler's address or of a scheduler file. Dask's config sets up TLS."""
    from distributed import Client

    place = {"address": where} if "://" in where else {"scheduler_file": where}
    try:
        client = Client(**place, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"--cluster {where}: {error}") from error
    with client:
        yield Cluster(client, max(1, sum(client.nthreads().values())), None)
