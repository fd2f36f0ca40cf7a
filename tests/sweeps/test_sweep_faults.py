"""Sweeps that are disturbed: real signals, disks and clusters, from outside."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from experiments.config.compose import load_config
from experiments.runs.directory import RunDirectory
from experiments.runs.naming import name_as_written
from experiments.sweeps.launcher import STOPPING
from experiments.training import runner
from tests.conftest import (
    ROOT,
    SMALL,
    TIMEOUT,
    assert_same_end,
    command,
    count_lines,
    run_command,
    summary_of,
    wait_until,
)

pytestmark = pytest.mark.faults

REST = tuple(text for text in SMALL if not text.startswith("training.epochs"))
SHORT, LONG, OTHER = 1, 40, 2  # epochs; the long one leaves time to do something to it
GRID = f"training.epochs={SHORT},{LONG},{OTHER}"
SWEEP = ("sweep", "r2rt_n5", *REST, GRID, "--workers", "2")


def overrides(epochs: int) -> list[str]:
    return [*REST, f"training.epochs={epochs}"]


def name_of(epochs: int) -> str:
    return name_as_written(overrides(epochs))


def directory(folder: Path, epochs: int) -> Path:
    return folder / "runs" / "r2rt_n5" / name_of(epochs)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every point, trained without a sweep."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for epochs in (SHORT, LONG, OTHER):
        config = load_config("r2rt_n5", overrides(epochs))
        runner.train(config, directory(folder, epochs))
    return folder


@contextlib.contextmanager
def started(folder: Path, arguments: Sequence[str] = SWEEP) -> Iterator[subprocess.Popen[str]]:
    """The sweep, in a process group of its own, as a terminal gives each command."""
    process = subprocess.Popen(
        command(*arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, process_group=0,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_the_long_one(folder: Path, process: subprocess.Popen[str]) -> psutil.Process:
    """The process that trains the long point, as soon as it has written a row."""
    path = directory(folder, LONG)
    wait_until(lambda: count_lines(path / "metrics.csv") > 1, process)
    return psutil.Process(int((path / ".lock").read_text()))


def assert_no_process_of(processes: Sequence[psutil.Process]) -> None:
    """No process of these is left a moment later."""
    _, alive = psutil.wait_procs(processes, timeout=TIMEOUT)
    assert not alive


def finished_files(folder: Path) -> dict[Path, bytes]:
    """Every file of the points that are complete."""
    root = folder / "runs" / "r2rt_n5"
    return {
        file: file.read_bytes()
        for path in root.iterdir()
        if (path / "summary.json").exists() and summary_of(path)["status"] == "complete"
        for file in path.rglob("*")
        if file.is_file()
    }


def assert_all_end_as(undisturbed: Path, folder: Path) -> None:
    for epochs in (SHORT, LONG, OTHER):
        assert_same_end(directory(folder, epochs), directory(undisturbed, epochs), [0])


def finish(folder: Path, undisturbed: Path) -> str:
    """Rerun the command: it trains the rest and leaves complete points alone."""
    before = finished_files(folder)
    done = run_command(SWEEP, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {file: file.read_bytes() for file in before} == before
    assert_all_end_as(undisturbed, folder)
    return done.stdout


def failures(output: str) -> dict[str, str]:
    """The reasons of the failed points, by name, as listed at the end."""
    return dict(re.findall(r"^failed: (\S+): (.*)$", output, re.MULTILINE))


def status_in_table(output: str, epochs: int) -> str:
    """The status of the point, which the table names by what differs."""
    (status,) = re.findall(rf"^training\.epochs={epochs} +(\w+)", output, re.M)
    return str(status)


def test_a_point_that_is_killed(tmp_path: Path, undisturbed: Path) -> None:
    with started(tmp_path) as process:
        wait_for_the_long_one(tmp_path, process).kill()
        out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1, out + err
    assert failures(out) == {name_of(LONG): "killed by SIGKILL"}
    assert err == "error: 1 of 3 points failed; rerun the same command to retry them\n"
    assert status_in_table(out, SHORT) == status_in_table(out, OTHER) == "complete"
    assert "3 points, 2 already done" in finish(tmp_path, undisturbed)


def test_a_point_that_is_killed_takes_no_seed_of_its_graph_with_it(tmp_path: Path) -> None:
    seeds = [f"training.first_seed={seed}" for seed in (0, 1, 2)]
    grid = ("training.first_seed=0,1,2", "--workers", "1")
    paths = [tmp_path / "runs/r2rt_n5" / name_as_written([*overrides(5), seed]) for seed in seeds]
    with started(tmp_path, ("sweep", "r2rt_n5", *overrides(5), *grid)) as process:
        wait_until(lambda: count_lines(paths[1] / "metrics.csv") > 1, process)
        psutil.Process(int((paths[1] / ".lock").read_text())).kill()
        out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1, out + err
    assert failures(out) == {paths[1].name: "killed by SIGKILL"}
    assert [summary_of(path)["status"] for path in paths] == ["complete", "running", "complete"]


def test_a_zygote_that_is_killed(tmp_path: Path, undisturbed: Path) -> None:
    """Its child ends its point, and the worker starts another zygote for the next one."""
    with started(tmp_path, (*SWEEP[:-1], "1")) as process:
        zygote = wait_for_the_long_one(tmp_path, process).parent()
        assert zygote is not None
        zygote.kill()
        out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, out + err
    assert_all_end_as(undisturbed, tmp_path)


def test_a_point_that_raises(tmp_path: Path, undisturbed: Path) -> None:
    path = directory(tmp_path, LONG)
    path.mkdir(parents=True)
    RunDirectory(path).prepare(load_config("r2rt_n5", overrides(LONG)), overwrite=False)
    (path / "metrics.csv").mkdir()
    done = run_command(SWEEP, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    (reason,) = failures(done.stdout).values()
    assert "expected a file" in reason
    (path / "metrics.csv").rmdir()
    assert "3 points, 2 already done" in finish(tmp_path, undisturbed)


def test_a_point_that_diverges(tmp_path: Path) -> None:
    grid = ("optimizer.kind=sgd", "optimizer.learning_rate=0.1,1e38", "--workers", "2")
    arguments = ("sweep", "r2rt_n5", *overrides(SHORT), *grid)
    for there in (0, 2):  # the second time there is nothing to train, and the same to report
        done = run_command(arguments, tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        assert f"2 points, {there} already done" in done.stdout
        assert failures(done.stdout) == {}
        (line,) = re.findall(r"^diverged: (.*)$", done.stdout, re.MULTILINE)
        assert "learning_rate=1e+38" in line
        assert line.endswith(": the loss or a weight was not finite")
        assert "error: 1 of 2 points diverged, and would again; a lower" in done.stderr


def test_a_worker_that_is_killed(tmp_path: Path, undisturbed: Path) -> None:
    with started(tmp_path) as process:
        child = wait_for_the_long_one(tmp_path, process)
        zygote, worker, *_ = child.parents()
        worker.kill()
        out, err = process.communicate(timeout=TIMEOUT)
    assert_no_process_of([child, zygote, worker])
    assert process.returncode == 0, out + err  # Dask gave the point to another worker
    assert f"training.epochs={LONG}: its worker died; another worker resumes it" in out
    assert_all_end_as(undisturbed, tmp_path)


def test_the_command_killed_with_its_scheduler(tmp_path: Path, undisturbed: Path) -> None:
    with started(tmp_path) as process:
        wait_for_the_long_one(tmp_path, process)
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        assert_no_process_of(family)
    finish(tmp_path, undisturbed)


@contextlib.contextmanager
def dask(part: str, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A part of a Dask cluster, as a user starts it; the scheduler's address goes to a file."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{part}", *arguments,
         "--scheduler-file", "scheduler.json", "--no-dashboard"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def test_the_scheduler_of_a_cluster_that_is_killed(tmp_path: Path, undisturbed: Path) -> None:
    cluster = (*SWEEP[:-2], "--cluster", "scheduler.json")
    loopback = ("--host", "127.0.0.1")
    workers = ("--nworkers", "2", "--nthreads", "1", "--death-timeout", "60")
    with dask("scheduler", tmp_path, *loopback, "--port", "0") as scheduler:
        while not (tmp_path / "scheduler.json").exists():
            time.sleep(0.05)
        with dask("worker", tmp_path, *loopback, *workers), started(tmp_path, cluster) as process:
            child = wait_for_the_long_one(tmp_path, process)
            scheduler.kill()
            out, err = process.communicate(timeout=TIMEOUT)
            assert_no_process_of([child])
    assert process.returncode == 1, out + err
    assert failures(out)[name_of(LONG)] == "the connection to the scheduler was lost"
    assert "Traceback" not in err
    finish(tmp_path, undisturbed)


class TestCtrlC:
    def test_while_points_are_under_way(self, tmp_path: Path, undisturbed: Path) -> None:
        with started(tmp_path) as process:
            wait_for_the_long_one(tmp_path, process)
            family = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            out, err = process.communicate(timeout=TIMEOUT)
            assert_no_process_of(family)
        assert process.returncode == 130, out + err
        stopping, error = err.splitlines()
        assert stopping == STOPPING
        assert re.fullmatch(
            r"error: stopped with \d of 3 points done; rerun the same command to resume", error
        )
        assert status_in_table(out, LONG) == "interrupted"
        assert summary_of(directory(tmp_path, LONG))["status"] == "interrupted"
        finish(tmp_path, undisturbed)

    def test_twice_it_does_not_wait(self, tmp_path: Path) -> None:
        with started(tmp_path) as process:
            child = wait_for_the_long_one(tmp_path, process)
            child.suspend()  # it cannot answer the request
            family = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(1)  # no sign shows from outside that the first one was taken
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT)
            assert_no_process_of(family)
        assert process.returncode == 130, out + err
        assert status_in_table(out, LONG) == "interrupted"

    @pytest.mark.parametrize("processes", [0, 1, 3, 4])
    def test_while_it_starts(self, tmp_path: Path, processes: int) -> None:
        """Processes that it has started so far: none, Python's tracker, workers, a child."""
        with started(tmp_path) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            driver = psutil.Process(process.pid)
            wait_until(lambda: len(driver.children(recursive=True)) >= processes, process)
            family = driver.children(recursive=True)
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT)
            assert_no_process_of(family)
        assert process.returncode == 130, first + out + err
        assert status_in_table(out, LONG) in ("missing", "interrupted")
        *before, error = err.splitlines()
        assert error.startswith("error: stopped with 0 of 3 points done")
        assert before in ([], [STOPPING])


def test_the_disk_full_in_the_middle(
    small_disk: Callable[[str], Path], undisturbed: Path
) -> None:  # fmt: skip
    disk = small_disk("160k")
    done = run_command(SWEEP, disk)
    assert done.returncode == 1, done.stdout + done.stderr
    # The disk may be full for a point, or for the sweep itself before one ends.
    reasons = failures(done.stdout) or {"sweep": done.stderr}
    for reason in reasons.values():
        assert "disk is full" in reason or "No space" in reason, done.stdout + done.stderr
    small_disk("20m")
    finish(disk, undisturbed)


def test_two_sweeps_on_one_folder(tmp_path: Path, undisturbed: Path) -> None:
    with started(tmp_path) as one, started(tmp_path) as other:
        for process in (one, other):
            out, err = process.communicate(timeout=TIMEOUT)
            reasons = failures(out)
            assert process.returncode == (1 if reasons else 0), out + err
            assert all("in use by another run" in reason for reason in reasons.values())
    finish(tmp_path, undisturbed)


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    done = run_command(("sweep", "r2rt_width", "--cluster", "tcp://127.0.0.1:1"), tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: --cluster tcp://127.0.0.1:1: ")


SEEDS = (
    "sweep", "r2rt_n5", *REST, f"training.epochs={LONG}", "training.first_seed=0,1,2,3,4,5",
    "--workers", "1",
)  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_all_seeds_of_one_process(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path, SEEDS) as process:
        wait_until(lambda: any(tmp_path.glob("runs/r2rt_n5/*first_seed=0*/metrics.csv")), process)
        process.send_signal(number)
        assert process.wait(TIMEOUT) == 130
    folders = list((tmp_path / "runs" / "r2rt_n5").iterdir())
    assert [summary_of(folder)["status"] for folder in folders] == ["interrupted"]


def test_ctrl_z_stops_every_process_and_fg_lets_them_continue(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        wait_for_the_long_one(tmp_path, process)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
        os.killpg(process.pid, signal.SIGTSTP)  # as a terminal does
        wait_until(lambda: all(one.status() == psutil.STATUS_STOPPED for one in family), process)
        rows = count_lines(directory(tmp_path, LONG) / "metrics.csv")
        os.killpg(process.pid, signal.SIGCONT)
        wait_until(lambda: count_lines(directory(tmp_path, LONG) / "metrics.csv") > rows, process)


@pytest.mark.parametrize("name", ["data.py", "yaml.py", "random.py", "experiments.py", "pickle.py"])
def test_files_of_the_current_folder_are_no_modules(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("open('executed', 'w').close()\nraise SystemExit(3)\n")
    done = run_command(("sweep", "r2rt_n5", *REST, "training.epochs=1"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "executed").exists()


# The program as root; then another user, who finds the ports and tries to get in, without TLS and
# with TLS that trusts everybody but has no certificate of its own.
STRANGER = """
import asyncio, os, ssl, sys
from distributed.comm import connect
os.setgid(65534), os.setuid(65534)
trusting = ssl.create_default_context()
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
async def knock(address, **arguments):
    try:
        comm = await asyncio.wait_for(connect(address, timeout=3, **arguments), 5)
        await asyncio.wait_for(comm.write({"op": "identity", "reply": True}), 5)
        print("let in:", address, await asyncio.wait_for(comm.read(), 5))
    except (OSError, asyncio.TimeoutError, ssl.SSLError) as error:
        print("refused:", type(error).__name__)
async def main():
    tries = []
    for port in sys.argv[1:]:
        tries.append(knock(f"tcp://127.0.0.1:{port}"))
        tries.append(knock(f"tls://127.0.0.1:{port}", ssl_context=trusting))
    await asyncio.gather(*tries)
asyncio.run(main())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="to become another user needs root")
def test_another_user_is_refused(tmp_path: Path) -> None:
    endless = ("sweep", "r2rt_n5", *REST, "training.epochs=100000", "--workers", "1")
    with started(tmp_path, endless) as process:
        wait_until(lambda: any(tmp_path.glob("runs/r2rt_n5/*/metrics.csv")), process)
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(True)]
        ports = {
            connection.laddr.port
            for one in family
            for connection in one.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        tried = subprocess.run(
            [sys.executable, "-c", STRANGER, *map(str, ports)],
            capture_output=True, text=True, timeout=TIMEOUT, cwd="/",
        )  # fmt: skip
        assert process.poll() is None
    assert len(ports) >= 2  # of the scheduler, and of a worker
    assert tried.stdout.count("refused") == 2 * len(ports), tried.stdout + tried.stderr


def test_cores_that_are_not_allowed_get_no_worker(tmp_path: Path) -> None:
    (core, *_) = os.sched_getaffinity(0)
    done = subprocess.run(
        ["taskset", "-c", str(core), *command(*SWEEP[:-2], "--dry-run")],
        cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert done.returncode == 0
    program = "from experiments.training.cores import allowed_cores; print(allowed_cores())"
    counted = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-c", program],
        cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert counted.stdout == "1\n"
