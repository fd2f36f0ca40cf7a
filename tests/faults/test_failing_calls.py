"""Each write, rename and fsync of a command fails once, and nothing is lost.

The command says so in one line, damages nothing, and succeeds when it is run again. strace lets the
call fail, in a real process. By default six failures of each command are tried.
`make test-failing-calls` asks for all of them by RNN_FAILURES=all, and prints the counts.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from experiments.runs import checkpoints
from experiments.runs.directory import RunDirectory
from experiments.runs.run import read_run
from tests.conftest import SMALL
from tests.faults.forks import Command, Ended, Forks, open_forks
from tests.faults.kinds import FEW, OF_TEXT, Kind, assert_same_run, make_folder

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
]

SAMPLE = os.environ.get("RNN_FAILURES", "6")  # of each command; or all
CALLS = ("write", "pwrite64", "writev", "rename", "renameat", "renameat2", "fsync", "fdatasync")
ERRORS = (errno.ENOSPC, errno.EIO)
RUN = Kind("text_python_docs", (*FEW, *OF_TEXT, "training.epochs=2"))
TRACED = re.compile(r"(\w+)\((.*)")


class Call(NamedTuple):
    """A system call of a command that concerns the files of its folder."""

    name: str
    number: int  # from 1, of the calls of this name
    what: str  # the file


class Failure(NamedTuple):
    """A call that is made to fail."""

    call: Call
    error: int

    def __str__(self) -> str:
        call = self.call
        return f"{call.name} {call.number} ({call.what}): {errno.errorcode[self.error]}"


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with open_forks() as opened:
        yield opened


def tracer(log: Path, *inject: str) -> list[str]:
    """The command of strace that notes the CALLS."""
    return [
        "strace",
        "-f",
        "-y",
        "-s",
        "0",
        "-e",
        f"trace={','.join(CALLS)}",
        *inject,
        "-o",
        str(log),
    ]


def calls_in(log: Path, folder: Path) -> Iterator[Call]:
    """The calls on files in the folder, of the main thread, which has the smallest number."""
    lines = log.read_text(errors="replace").splitlines()
    main = min(int(line.split()[0]) for line in lines)
    numbers: Counter[str] = Counter()
    for line in lines:
        process, _, rest = line.partition(" ")
        found = TRACED.match(rest.strip())
        if not found or int(process) != main:
            continue
        numbers[found[1]] += 1
        if paths := re.findall(rf"{re.escape(str(folder))}/([^>\"]*)", found[2]):
            yield Call(found[1], numbers[found[1]], paths[0])


def failures_of(forks: Forks, command: Command, log: Path) -> list[Failure]:
    """Every failure of a command, or a sample."""
    ended = forks.run_traced(command, tracer(log))
    assert ended.code == 0, ended
    calls = list(calls_in(log, command.folder))
    every = [Failure(call, error) for call in calls for error in ERRORS]
    if SAMPLE == "all":
        return every
    return random.Random(str(command.arguments)).sample(every, int(SAMPLE))


def fail(forks: Forks, command: Command, failure: Failure, log: Path) -> Ended:
    """Run a command whose call fails, and see that it did."""
    call, error = failure
    inject = f"inject={call.name}:error={errno.errorcode[error]}:when={call.number}"
    ended = forks.run_traced(command, tracer(log, "-e", inject))
    assert "(INJECTED)" in log.read_text(errors="replace"), failure
    return ended


def assert_told(ended: Ended, failure: Failure) -> None:
    """One line of error, or none where what failed was not needed."""
    lines = ended.err.splitlines()
    assert ended.code in (0, 1), (failure, ended)
    assert len(lines) == ended.code, (failure, ended)
    if ended.code:
        assert lines[0].startswith("error: "), (failure, ended)
        assert os.strerror(failure.error) in lines[0] or "the disk is full" in lines[0], lines


def assert_readable(run: Path) -> None:
    """Every file of a run that is there is whole."""
    directory = RunDirectory(run)
    if directory.config.exists():
        read_run(directory)
    for path in run.glob("checkpoint/*/[0-9]*.npz"):
        checkpoints.load(path)


def report(name: str, failures: Sequence[Failure]) -> None:
    counts = Counter(failure.call.name for failure in failures)
    parts = ", ".join(f"{count} {call}" for call, count in sorted(counts.items()))
    print(f"{name}: {len(failures)} failures ({parts}), each told in one line, nothing damaged")


@pytest.mark.timeout(7200)
def test_training(tmp_path: Path, forks: Forks) -> None:
    undisturbed = make_folder(tmp_path / "undisturbed")
    found = failures_of(forks, RUN.command(undisturbed), tmp_path / "log")
    for number, failure in enumerate(found):
        folder = make_folder(tmp_path / str(number))
        ended = fail(forks, RUN.command(folder), failure, tmp_path / "log")
        assert_told(ended, failure)
        assert_readable(folder / "0")
        again = forks.run(RUN.command(folder))
        assert (again.code, again.err) == (0, ""), (failure, again)
        assert_same_run(folder / "0", undisturbed / "0")
        shutil.rmtree(folder)
    report("train", found)


@pytest.fixture
def trained(tmp_path: Path, forks: Forks) -> Path:
    """A folder with two runs that differ in a key."""
    folder = make_folder(tmp_path / "trained")
    for size in (3, 5):
        arguments = ("train", "r2rt_n5", *SMALL, f"model.state_size={size}", "--run-dir", str(size))
        assert forks.run(Command(arguments, folder)).code == 0
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.timeout(7200)
def test_comparing(tmp_path: Path, trained: Path, forks: Forks) -> None:
    arguments = ("compare", "3", "5", "--out", "report")
    undisturbed = Path(shutil.copytree(trained, tmp_path / "undisturbed"))
    found = failures_of(forks, Command(arguments, undisturbed), tmp_path / "log")
    names = set(contents(undisturbed / "report"))
    for number, failure in enumerate(found):
        folder = Path(shutil.copytree(trained, tmp_path / str(number)))
        assert_told(fail(forks, Command(arguments, folder), failure, tmp_path / "log"), failure)
        again = forks.run(Command(arguments, folder))
        assert (again.code, again.err) == (0, ""), (failure, again)
        after = contents(folder)
        assert {name.removeprefix("report/") for name in after if "report/" in name} == names
        assert {name: after[name] for name in contents(trained)} == contents(trained)
        shutil.rmtree(folder)
    report("compare", found)


@pytest.mark.timeout(7200)
def test_archiving_and_removing(tmp_path: Path, trained: Path, forks: Forks) -> None:
    """Runs are removed only after the archive holds them."""
    arguments = ("runs", ".", "--archive", "runs.tar.gz", "--remove", "--yes")
    before = contents(trained)
    undisturbed = Path(shutil.copytree(trained, tmp_path / "undisturbed"))
    found = failures_of(forks, Command(arguments, undisturbed), tmp_path / "log")
    for number, failure in enumerate(found):
        folder = Path(shutil.copytree(trained, tmp_path / str(number)))
        ended = fail(forks, Command(arguments, folder), failure, tmp_path / "log")
        if ended.code:
            assert contents(folder) == before, failure
            assert ended.err.startswith("error: "), (failure, ended)
            assert ended.err.count("\n") == 1, (failure, ended)
        shutil.rmtree(folder)
    report("runs --archive --remove", found)
