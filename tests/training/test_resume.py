"""experiments/training/resume.py: where a run resumes, decided from its files alone."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from data.streams import state_of, training_stream
from experiments.errors import UsageError
from experiments.runs.checkpoints import Checkpoint, Position, SeedStatus, save
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile, MetricsRow, digest
from experiments.training.resume import ResumePoint, cut_back, find_resume_point
from tests.conftest import LoadedCheckpoints, count_lines, small_config

CONFIG = small_config("training.seeds=3")


class Logged:
    """A Progress that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, text: str) -> None:
        self.lines.append(text)

    def result(self, text: str) -> None:
        self.lines.append(text)

    def stage(self, name: str) -> None:
        raise AssertionError("nothing is trained here")

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        raise AssertionError("nothing is trained here")


class Run:
    """A run directory in the making."""

    def __init__(self, path: Path) -> None:
        self.directory = RunDirectory(path)
        self.progress = Logged()
        self.metrics = MetricsFile(self.directory.metrics)
        self.metrics.start()

    def train(self, seed: int, updates: int, status: SeedStatus = "running") -> Path:
        """One more row and a checkpoint after it."""
        self.metrics.append([MetricsRow(seed, 1, updates, updates, 0.5, "train", 0.6)])
        held = digest(self.metrics.read().of_seed(seed)).hexdigest()
        position = Position(seed, updates=updates, status=status, metrics_digest=held)
        variables = {"W": np.zeros(2)}
        save(
            self.directory.checkpoints,
            Checkpoint(position, state_of(training_stream(seed)), variables),
        )
        return self.directory.checkpoints / f"seed-{seed}" / f"{updates:012d}.npz"

    def find(self) -> ResumePoint:
        point = find_resume_point(CONFIG, self.directory)
        cut_back(point, self.directory, self.progress)
        return point

    @property
    def rows(self) -> int:
        return count_lines(self.directory.metrics) - 1


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_a_new_run_starts_at_the_start(run: Run) -> None:
    run.directory.metrics.unlink()
    point = run.find()
    assert (point.finished, point.started) == ([], {})
    assert run.rows == 0
    assert run.progress.lines == []


def test_a_seed_under_way_resumes_at_its_newest_checkpoint(run: Run) -> None:
    for updates in (100, 200):
        run.train(0, updates)
    run.metrics.append([MetricsRow(0, 1, 300, 300, 0.5, "train", 0.6)])  # after the checkpoint
    point = run.find()
    assert point.finished == []
    assert point.started[0].position.updates == 200
    assert run.rows == 2


def test_a_half_written_row_is_cut_off(run: Run) -> None:
    run.train(0, 100)
    intact = run.directory.metrics.read_bytes()
    run.directory.metrics.write_bytes(intact + b"0,1,200,")
    run.find()
    assert run.directory.metrics.read_bytes() == intact


@pytest.mark.parametrize("status", ["complete", "diverged"])
def test_the_seed_after_a_finished_one_starts_anew(run: Run, status: SeedStatus) -> None:
    run.train(0, 100, status)
    run.metrics.append([MetricsRow(1, 1, 100, 100, 0.5, "train", 0.6)])  # no checkpoint yet
    point = run.find()
    assert [position.seed for position in point.finished] == [0]
    assert point.started == {}
    assert run.rows == 1


def test_all_seeds_finished_leave_nothing_to_do(run: Run) -> None:
    for seed in CONFIG.seeds:
        run.train(seed, 100, "complete")
    point = run.find()
    assert [position.seed for position in point.finished] == [0, 1, 2]
    assert point.started == {}
    assert run.rows == 3


def test_a_damaged_checkpoint_is_logged_set_aside_and_passed_over(run: Run) -> None:
    run.train(0, 100)
    damaged = run.train(0, 200)
    damaged.write_bytes(damaged.read_bytes()[:1000])
    point = run.find()
    assert point.started[0].position.updates == 100
    assert run.progress.lines == [
        f"checkpoint {damaged}: cannot be used; falling back to update 100"
    ]  # fmt: skip
    assert not damaged.exists()
    assert damaged.with_name(f"{damaged.name}.unusable").exists()
    assert run.rows == 1


def test_a_checkpoint_that_cannot_be_read_now_is_not_taken_for_damaged(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run.train(0, 100)

    def broken(_path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", broken)
        with pytest.raises(OSError, match="Input/output"):
            run.find()
    assert path.exists()
    assert run.find().started[0].position.updates == 100


def test_with_every_checkpoint_damaged_the_seed_starts_again(run: Run) -> None:
    run.train(0, 100, "complete")
    for path in (run.train(1, 100), run.train(1, 200)):
        path.write_bytes(b"")
    point = run.find()
    assert [position.seed for position in point.finished] == [0]
    assert point.started == {}
    assert run.rows == 1
    assert all("falling back to the start of the seed" in line for line in run.progress.lines[:2])
    assert run.progress.lines[2:] == [
        "seed 1: no checkpoint continues its 2 rows in metrics.csv; it is trained from its start"
    ]


def test_a_finished_seed_that_falls_back_leaves_the_others_as_they_are(run: Run) -> None:
    run.train(0, 100)
    run.train(0, 200, "complete").write_bytes(b"")
    run.train(1, 100, "complete")
    run.train(2, 100)
    point = run.find()
    assert [position.seed for position in point.finished] == [1]
    assert {seed: each.position.updates for seed, each in point.started.items()} == {
        0: 100, 2: 100,
    }  # fmt: skip
    assert run.rows == 3
    assert (run.directory.checkpoints / "seed-1" / "000000000100.npz").exists()


def test_rows_in_another_order_come_back_in_the_order_of_the_seeds(run: Run) -> None:
    for seed in (1, 0, 2):
        run.train(seed, 100, "complete")
    assert [position.seed for position in run.find().finished] == [0, 1, 2]
    assert [line.row.seed for line in run.metrics.read().lines] == [0, 1, 2]


def test_rows_that_were_cut_off_at_the_end_cost_no_more_than_a_checkpoint(run: Run) -> None:
    run.train(0, 100)
    run.train(0, 200)
    run.directory.metrics.write_bytes(run.directory.metrics.read_bytes()[:-5])
    assert run.find().started[0].position.updates == 100
    assert run.rows == 1


def changed(content: bytes, how: str) -> bytes:
    """A metrics.csv as an editor or a spreadsheet leaves it."""
    header, first, *others = content.splitlines(keepends=True)
    return {
        "carriage returns": content.replace(b"\n", b"\r\n"),
        "one carriage return": content.replace(b"\n", b"\r\n", 2).replace(b"\r\n", b"\n", 1),
        "byte order mark": b"\xef\xbb\xbf" + content,
        "another encoding": content.decode().encode("utf-16"),
        "a note": content + b"# looks good\n",
        "a note in a row": header + first.replace(b"\n", b" # odd\n") + b"".join(others),
        "a blank line": header + b"\n" + first + b"".join(others),
        "a decimal comma": content.replace(b"0.6", b"0,6"),
        "semicolons": content.replace(b",", b";"),
        "a field too many": header + first.replace(b"\n", b",\n") + b"".join(others),
        "a field too few": header + first.replace(b",\n", b"\n") + b"".join(others),
        "another number": content.replace(b"0.6", b"0.60", 1),
        "no header": first + b"".join(others),
        "a row less": header + b"".join(others),
        "a row twice": header + first + first + b"".join(others),
        "rows exchanged": b"".join([header, *others, first]),
        "another seed": content + first.replace(b"0,", b"7,", 1),
        "nothing": b"",
        "gone": b"",
    }[how]


CHANGES = (
    "carriage returns", "one carriage return", "byte order mark", "another encoding", "a note",
    "a note in a row", "a blank line", "a decimal comma", "semicolons", "a field too many",
    "a field too few", "another number", "no header", "a row less", "a row twice",
    "rows exchanged", "another seed", "nothing", "gone",
)  # fmt: skip


@pytest.mark.parametrize("how", CHANGES)
def test_a_metrics_csv_that_was_changed_is_refused_with_nothing_touched(run: Run, how: str) -> None:
    for updates in (100, 200, 300):
        run.train(0, updates)
    path = run.directory.metrics
    content = changed(path.read_bytes(), how)
    path.write_bytes(content)
    if how == "gone":
        path.unlink()
    before = sorted(run.directory.path.rglob("*"))
    with pytest.raises(UsageError, match=r"metrics\.csv"):
        run.find()
    assert sorted(run.directory.path.rglob("*")) == before
    assert how == "gone" or path.read_bytes() == content


@pytest.mark.parametrize("how", [how for how in CHANGES if how != "another number"])
def test_so_it_is_beside_checkpoints_of_earlier_versions(
    run: Run, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tests.training.test_resume.digest", lambda _lines: SimpleNamespace(hexdigest=lambda: "")
    )
    test_a_metrics_csv_that_was_changed_is_refused_with_nothing_touched(run, how)


def test_checkpoints_of_earlier_versions_resume(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(
        "tests.training.test_resume.digest", lambda _lines: SimpleNamespace(hexdigest=lambda: "")
    )
    run.train(0, 100, "complete")
    run.train(1, 100)
    run.metrics.append([MetricsRow(1, 1, 200, 200, 0.5, "train", 0.6)])
    point = run.find()
    assert [position.seed for position in point.finished] == [0]
    assert point.started[1].position.updates == 100
    assert run.rows == 2


def test_a_header_that_was_half_written_is_a_new_run(run: Run) -> None:
    content = run.directory.metrics.read_bytes()
    run.directory.metrics.write_bytes(content[:20])
    point = run.find()
    assert (point.finished, point.started) == ([], {})
    assert run.directory.metrics.read_bytes() == content


def test_a_stranger_s_file_in_its_place_is_left_alone(run: Run) -> None:
    run.directory.metrics.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="expected the columns"):
        run.find()
    assert run.directory.metrics.read_text() == "a,b\n1,2\n"


def test_seeds_that_have_ended_take_no_memory(
    run: Run, loaded_checkpoints: LoadedCheckpoints
) -> None:
    for seed in CONFIG.seeds:
        run.train(seed, 400, "complete")
    assert [position.seed for position in run.find().finished] == [0, 1, 2]
    assert loaded_checkpoints.most == 0
