"""experiments/runs/lock.py: one process at a time in a run directory."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.errors import InUseError, UsageError
from experiments.runs import lock
from experiments.runs.lock import locked
from tests.conftest import ROOT


def test_a_held_directory_is_refused_with_the_process_that_holds_it(tmp_path: Path) -> None:
    with (
        locked(tmp_path),
        pytest.raises(UsageError, match=rf"in use by another run \(process {os.getpid()}\)"),
        locked(tmp_path),
    ):
        pass


def test_a_directory_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            pass


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from experiments.runs.lock import locked\n"
        "with locked(Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"process {holder.pid}"), locked(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    with locked(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without flock."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("no_locks")
class TestWithoutLocks:
    def test_it_is_told_and_the_directory_is_held_all_the_same(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with (
            locked(tmp_path),
            pytest.raises(InUseError, match=rf"process {os.getpid()} on .*; if it has ended"),
            locked(tmp_path),
        ):
            pass
        first = capsys.readouterr().err.splitlines()[0]
        assert first.startswith(f"warning: {tmp_path}: this file system has no locks (No locks av")

    def test_it_is_free_again_afterwards(self, tmp_path: Path) -> None:
        for _ in range(2):
            with locked(tmp_path):
                assert (tmp_path / ".lock.owner").exists()
        assert not (tmp_path / ".lock.owner").exists()

    def test_a_process_that_was_killed_holds_nothing(self, tmp_path: Path) -> None:
        with subprocess.Popen(["true"]) as ended:
            pass
        (tmp_path / ".lock.owner").write_text(f"{ended.pid} {platform.node()}")
        with locked(tmp_path):
            pass

    def test_of_two_that_see_a_dead_owner_one_holds_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The other one makes its file after this one has read that the owner is dead."""
        with subprocess.Popen(["true"]) as ended:
            pass
        path, alive = tmp_path / ".lock.owner", f"{os.getpid()} {platform.node()}"
        path.write_text(f"{ended.pid} {platform.node()}")
        is_dead = lock._is_dead

        def overtaken(owner: tuple[str, str]) -> bool:
            found = is_dead(owner)
            if found:
                path.write_text(alive)
            return found

        monkeypatch.setattr(lock, "_is_dead", overtaken)
        with pytest.raises(InUseError, match=f"process {os.getpid()} on"), locked(tmp_path):
            pass
        assert path.read_text() == alive
        assert [each.name for each in tmp_path.glob(".lock.owner*")] == [".lock.owner"]

    @pytest.mark.parametrize("owner", ["1 another-host", "", f"1 {platform.node()}"])
    def test_one_that_may_live_holds_it(self, tmp_path: Path, owner: str) -> None:
        (tmp_path / ".lock.owner").write_text(owner)
        with pytest.raises(InUseError), locked(tmp_path):
            pass


def test_another_error_of_a_lock_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output"), locked(tmp_path):
        pass
