"""experiments/sweeps/zygotes.py: children of one zygote, and what happens when one of them dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from experiments.config.schema import Config
from experiments.runs.lock import locked
from experiments.sweeps.messages import Job, Message
from experiments.sweeps.zygotes import Zygote
from experiments.training import runner
from tests.conftest import ROOT, TIMEOUT, assert_same_end, small_config, summary_of

SHORT = small_config("training.epochs=1")
ENDLESS = small_config("training.epochs=100000")


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    one = Zygote({"OPENBLAS_NUM_THREADS": "1"})
    yield one
    one.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The short run, trained in this process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    runner.train(SHORT, folder)
    return folder


def train(zygote: Zygote, config: Config, path: Path) -> Iterator[Message]:
    return zygote.train([Job(path.name, config.as_dict(), str(path))], str(path.parent))


def child_of(path: Path) -> psutil.Process:
    return psutil.Process(int((path / ".lock").read_text()))


def until_it_trains(messages: Iterator[Message]) -> None:
    next(message for message in messages if message["kind"] == "advanced")


def test_children_keep_freed_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask's workers do not, and a child would inherit that."""
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    zygote = Zygote({"OPENBLAS_NUM_THREADS": "1"})
    try:
        environment = psutil.Process(zygote.pid).environ()
    finally:
        zygote.close()
    assert environment["OPENBLAS_NUM_THREADS"] == "1"
    assert "MALLOC_TRIM_THRESHOLD_" not in environment


def test_points_end_as_runs_of_their_own(
    zygote: Zygote, tmp_path: Path, undisturbed: Path
) -> None:  # fmt: skip
    """The second comes after one of another config, whose session opened threads."""
    other = small_config("training.epochs=1", "model.cell=gru", "execution.threads=2")
    pids = set()
    for name, config in (("first", SHORT), ("other", other), ("second", SHORT)):
        kinds = [message["kind"] for message in train(zygote, config, tmp_path / name)]
        assert (kinds[0], kinds[-1], zygote.code) == ("began", "ended", 0)
        pids.add((tmp_path / name / ".lock").read_text())
    assert len(pids) == 3
    assert_same_end(tmp_path / "first", undisturbed, [0])
    assert_same_end(tmp_path / "second", undisturbed, [0])


def test_it_has_a_single_thread(zygote: Zygote) -> None:
    assert psutil.Process(zygote.pid).num_threads() == 1


def test_a_child_that_is_killed_costs_its_job_alone(
    zygote: Zygote, tmp_path: Path, undisturbed: Path
) -> None:
    messages = train(zygote, ENDLESS, tmp_path / "killed")
    until_it_trains(messages)
    child_of(tmp_path / "killed").kill()
    assert "ended" not in [message["kind"] for message in messages]
    assert zygote.code == -signal.SIGKILL
    assert zygote.reason() == "killed by SIGKILL"
    list(train(zygote, SHORT, tmp_path / "next"))
    assert_same_end(tmp_path / "next", undisturbed, [0])


def test_a_child_is_asked_to_stop(zygote: Zygote, tmp_path: Path) -> None:
    messages = train(zygote, ENDLESS, tmp_path / "run")
    until_it_trains(messages)
    zygote.stop(signal.SIGTERM)
    (last,) = [message for message in messages if message["kind"] == "ended"]
    assert "stopped at seed 0" in last["reason"]
    assert zygote.code == 0
    assert summary_of(tmp_path / "run")["status"] == "interrupted"


def test_a_child_that_has_just_been_forked_is_asked_as_soon_as_it_is_known(
    zygote: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = zygote._process.stdout
    assert lines is not None

    def asking_before_the_first() -> Iterator[str]:
        for line in lines:
            if "forked" in line:
                zygote.stop(signal.SIGTERM)
            yield line

    monkeypatch.setattr(zygote._process, "stdout", asking_before_the_first())
    list(train(zygote, ENDLESS, tmp_path / "run"))
    assert zygote.code in (0, -signal.SIGTERM)  # the latter before it handles signals
    assert zygote.is_alive


def test_ctrl_c_of_the_terminal_reaches_the_child_and_spares_the_zygote(
    zygote: Zygote, tmp_path: Path
) -> None:
    messages = train(zygote, ENDLESS, tmp_path / "run")
    until_it_trains(messages)
    for pid in (zygote.pid, child_of(tmp_path / "run").pid):
        os.kill(pid, signal.SIGINT)
    list(messages)
    assert summary_of(tmp_path / "run")["status"] == "interrupted"
    assert zygote.is_alive


def test_an_error_of_the_program_is_a_reason(zygote: Zygote, tmp_path: Path) -> None:
    job = Job("x", {"not": "a config"}, str(tmp_path / "run"))
    *_, last = zygote.train([job], str(tmp_path))
    assert "ValidationError" in last["reason"]
    list(zygote.train([], str(tmp_path / "missing")))
    assert zygote.code == 1
    assert "No such file or directory" in zygote.reason()


def test_a_worker_that_dies_takes_both_with_it(tmp_path: Path) -> None:
    zygote = Zygote({})
    messages = train(zygote, ENDLESS, tmp_path / "run")
    until_it_trains(messages)
    processes = [psutil.Process(zygote.pid), child_of(tmp_path / "run")]
    zygote.hang_up()  # as the kernel does for a process that has died
    _, alive = psutil.wait_procs(processes, timeout=TIMEOUT)
    assert not alive
    with locked(tmp_path / "run"):
        assert summary_of(tmp_path / "run")["status"] == "running"
    zygote.close()


def test_a_zygote_that_is_killed_leaves_its_child_to_end(
    tmp_path: Path, undisturbed: Path
) -> None:  # fmt: skip
    zygote = Zygote({})
    messages = train(zygote, SHORT, tmp_path / "run")
    next(message for message in messages if message["kind"] == "began")
    psutil.Process(zygote.pid).kill()
    assert [message["kind"] for message in messages][-1] == "ended"
    assert not zygote.is_alive
    assert_same_end(tmp_path / "run", undisturbed, [0])
    zygote.close()


def test_children_find_all_imported_and_the_commit_known() -> None:
    code = """
from experiments.sweeps.zygote import _import_all
_import_all()
import sys
from experiments.runs.environment import git_commit
assert "tensorboard.plugins.hparams.summary" in sys.modules
assert git_commit.cache_info().currsize == 1
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
