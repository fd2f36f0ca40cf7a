"""experiments/output.py: what is printed may get lost; the command goes on to its end."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.output import SafeStream, safe_output
from tests.conftest import (
    ROOT,
    SMALL,
    TIMEOUT,
    command,
    count_lines,
    summary_of,
    wait_until,
)
from tests.handmade import finished_run

LONG = ("r2rt_n5", *SMALL, "training.epochs=200", "logging.tensorboard=false")
TRAIN = ("train", "r2rt_n5", *SMALL, "training.epochs=1", "logging.tensorboard=false")


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of bash; $RUN is run.py. Its exit code is that of the first part of a pipe."""
    return subprocess.run(
        ["bash", "-c", f"{line}\nexit ${{PIPESTATUS[0]}}"],
        cwd=cwd, capture_output=True, text=True, timeout=TIMEOUT,
        env=os.environ | {"RUN": f"{sys.executable} {ROOT / 'run.py'}"},
    )  # fmt: skip


class Failing(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, _text: str) -> int:
        raise self._error


class TestSafeStream:
    def test_it_writes_what_it_is_given(self) -> None:
        text = io.StringIO()
        SafeStream(text).write("täxt")
        assert text.getvalue() == "täxt"

    @pytest.mark.parametrize(
        ("error", "why"),
        [
            (BrokenPipeError(32, "Broken pipe"), ""),
            (OSError(5, "Input/output error"), ""),
            (ValueError("closed"), ""),
            (OSError(28, "No space left on device"), "No space left on device"),
        ],
    )
    def test_it_says_why_a_reader_misses_something(self, error: Exception, why: str) -> None:
        stream = SafeStream(Failing(error))
        for _ in range(3):
            stream.write("lost")
        assert stream.why_lost() == why

    def test_no_stream_at_all_takes_everything(self) -> None:
        stream = SafeStream(None)
        stream.write("lost")
        assert not stream.isatty()
        assert stream.why_lost() == ""

    def test_what_the_encoding_lacks_is_escaped(self) -> None:
        raw = io.BytesIO()
        stream = SafeStream(io.TextIOWrapper(raw, encoding="ascii"))
        stream.write("loss ± 0.1, 李\n")
        stream.flush()
        assert raw.getvalue() == rb"loss \xb1 0.1, \u674e" + b"\n"

    def test_the_streams_come_back_after_the_block(self) -> None:
        before = sys.stdout, sys.stderr
        with safe_output() as outer, safe_output() as inner:
            assert inner is outer
        assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("where", ["| head -n 0", "| true", ">&-", ">&- 2>&-", "> /dev/full"])
def test_training_goes_on_to_its_end_whoever_reads(tmp_path: Path, where: str) -> None:
    done = shell(f"$RUN {' '.join(TRAIN)} --run-dir run {where}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert summary_of(tmp_path / "run")["status"] == "complete"
    assert "final loss" in (tmp_path / "run" / "log.txt").read_text()
    warning = "warning: standard output: No space left on device; log.txt has every line\n"
    assert done.stderr == (warning if where == "> /dev/full" else "")


def test_ctrl_c_of_a_pipe_stops_both_and_is_told(tmp_path: Path) -> None:
    # `kill -INT 0` goes to the whole pipe, as Ctrl-C on a terminal does; the reader dies of it.
    sweep = f"$RUN sweep {' '.join(LONG)} graph.num_steps=2,5 --workers 1"
    line = f"trap : INT; {sweep} | (read -r _; kill -INT 0); exit ${{PIPESTATUS[0]}}"
    stopped = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT, start_new_session=True,
        env=os.environ | {"RUN": f"{sys.executable} {ROOT / 'run.py'}"},
    )  # fmt: skip
    assert stopped.returncode == 130, stopped.stderr
    assert "rerun the same command to resume" in stopped.stderr


def test_a_sweep_trains_every_point_though_nobody_reads(tmp_path: Path) -> None:
    points = "graph.num_steps=2,5"
    line = f"$RUN sweep {' '.join(TRAIN[1:])} {points} --workers 1 | head -n 1"
    done = shell(line, tmp_path)
    assert done.returncode == 0, done.stderr
    summaries = list(tmp_path.glob("runs/*/*/summary.json"))
    assert [summary_of(path.parent)["status"] for path in summaries] == ["complete"] * 2


def test_a_terminal_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        command(*TRAIN, "--run-dir", "run"),
        cwd=tmp_path, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(follower)
        os.close(leader)  # every write is an Input/output error from now on
    assert process.returncode == 0
    assert summary_of(tmp_path / "run")["status"] == "complete"


def test_a_terminal_that_hangs_up_stops_a_run_that_can_resume(tmp_path: Path) -> None:
    """As a lost ssh session does: the kernel sends SIGHUP to what runs in the foreground."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        command("train", *LONG, "--run-dir", "run"),
        cwd=tmp_path, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0), text=True,
    ) as process:  # fmt: skip
        os.close(follower)
        wait_until(lambda: count_lines(tmp_path / "run" / "metrics.csv") > 2, process)
        os.close(leader)
    assert process.returncode == 130
    summary = summary_of(tmp_path / "run")
    assert summary["status"] == "interrupted"
    assert summary["reason"].startswith("stopped at seed 0")


def test_a_command_that_only_prints_fails_where_it_cannot(tmp_path: Path) -> None:
    full = shell("$RUN config r2rt_n5 > /dev/full", tmp_path)
    assert (full.returncode, full.stderr) == (
        1, "error: standard output: No space left on device\n",
    )  # fmt: skip
    unread = shell("$RUN config r2rt_n5 | true", tmp_path)
    assert (unread.returncode, unread.stderr) == (0, "")


def test_a_full_disk_from_the_start_is_told(
    tmp_path: Path, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("16k")
    (disk / "run").mkdir()
    with pytest.raises(OSError, match="No space"):
        (disk / "filler").write_bytes(bytes(1_000_000))
    full = shell(f"$RUN {' '.join(TRAIN)} --run-dir disk/run", tmp_path)
    assert full.returncode == 1
    (line,) = full.stderr.splitlines()
    assert line.startswith("error: disk/run: the disk is full")
    small_disk("10m")
    assert shell(f"$RUN {' '.join(TRAIN)} --run-dir disk/run", tmp_path).returncode == 0


def test_ctrl_c_during_a_write_is_still_an_interrupt() -> None:
    class Interrupting(io.StringIO):
        def write(self, _text: str) -> int:
            signal.raise_signal(signal.SIGINT)
            return 0

    with pytest.raises(KeyboardInterrupt):
        SafeStream(Interrupting()).write("text")


# The reader is gone before the writer begins, so that every write meets a closed pipe.
GONE = '{ sleep 0.2; exec "$@"; } | true; exit ${PIPESTATUS[0]}'


def after_its_reader(arguments: list[str], cwd: Path) -> tuple[int, str]:
    """The exit code and standard error of a command that writes to a pipe without a reader."""
    done = subprocess.run(
        ["bash", "-c", GONE, "bash", *arguments], cwd=cwd, capture_output=True, text=True
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",), ("list", "--json"), ("config", "r2rt_n5"), ("runs", "."), ("--help",),
        ("diff", "one", "two"), ("sweep", "r2rt_width", "--dry-run"), ("--version",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_printing_command_ends_well(arguments: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("one", "two"):
        finished_run(tmp_path, name, [[0.5]])
    assert after_its_reader(command(*arguments), tmp_path) == (0, "")


def test_an_error_keeps_its_exit_code(tmp_path: Path) -> None:
    code, err = after_its_reader(command("config", "zebra"), tmp_path)
    assert code == 2
    assert err.startswith("error: experiment 'zebra'")


def test_head_gets_its_lines(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$@" | head -1', "bash", *command("config", "r2rt_n5")],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "name: r2rt_n5\n", "")
