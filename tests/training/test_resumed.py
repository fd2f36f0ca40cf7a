"""Runs that stopped and are resumed: they end as if they had not."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from experiments.errors import Interrupted, RunError, UsageError
from experiments.runs import checkpoints
from experiments.runs.checkpoints import Checkpoint
from experiments.training import runner
from experiments.training.seed import SeedTraining
from experiments.training.tensorboard import Events
from tests.conftest import StopAtSave, assert_same_end, shown_by_tensorboard, summary_of
from tests.training.conftest import CONFIG, SEEDS, stop


@pytest.mark.usefixtures("only_training")
class TestInterrupted:
    @pytest.mark.parametrize("number", [1, 20, 39, 40, 79])
    def test_it_resumes_as_if_it_had_not_stopped(
        self, undisturbed: Path, tmp_path: Path, stop_at_save: StopAtSave, number: int
    ) -> None:
        stop(CONFIG, tmp_path, stop_at_save, number)
        runner.train(CONFIG, tmp_path)
        assert_same_end(tmp_path, undisturbed, SEEDS)

    def test_it_may_be_interrupted_again_and_again(
        self, undisturbed: Path, tmp_path: Path, stop_at_save: StopAtSave
    ) -> None:
        for number in (3, 9, 27):
            stop(CONFIG, tmp_path, stop_at_save, number)
        runner.train(CONFIG, tmp_path)
        assert_same_end(tmp_path, undisturbed, SEEDS)

    def test_it_logs_where_it_resumes(
        self, tmp_path: Path, stop_at_save: StopAtSave, capsys: pytest.CaptureFixture[str]
    ) -> None:
        stop(CONFIG, tmp_path, stop_at_save, 5)
        runner.train(CONFIG, tmp_path)
        # The first session.run of a seed makes one update, the others ten.
        assert "seed 0: resuming at update 40" in capsys.readouterr().out

    def test_the_summary_says_so(self, tmp_path: Path, stop_at_save: StopAtSave) -> None:
        stop(CONFIG, tmp_path, stop_at_save, 50)
        summary = summary_of(tmp_path)
        assert summary["status"] == "interrupted"
        assert summary["seeds"] == {"0": "complete"}

    def test_tensorboard_shows_each_row_once(
        self, undisturbed: Path, tmp_path: Path, stop_at_save: StopAtSave
    ) -> None:
        stop(CONFIG, tmp_path, stop_at_save, 19)  # at update 200, where a row ends
        runner.train(CONFIG, tmp_path)
        shown = shown_by_tensorboard(tmp_path / "events" / "seed-0")
        assert [step for step, _ in shown] == [100, 200, 300, 400]

    def test_an_interrupt_before_the_first_update_keeps_the_run(
        self, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> Checkpoint:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(SeedTraining, "start", interrupted)
            with pytest.raises(Interrupted, match="rerun the command to resume"):
                runner.train(CONFIG, tmp_path)
        assert summary_of(tmp_path)["status"] == "interrupted"
        runner.train(CONFIG, tmp_path)
        assert_same_end(tmp_path, undisturbed, SEEDS)

    def test_sigterm_is_as_good_as_ctrl_c(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save = checkpoints.save

        def save_and_terminate(directory: Path, checkpoint: Checkpoint) -> None:
            save(directory, checkpoint)
            if checkpoint.position.updates == 50:
                signal.raise_signal(signal.SIGTERM)

        monkeypatch.setattr(checkpoints, "save", save_and_terminate)
        with pytest.raises(Interrupted):
            runner.train(CONFIG, tmp_path)
        assert summary_of(tmp_path)["status"] == "interrupted"


@pytest.fixture
def stopped(tmp_path: Path, stop_at_save: StopAtSave) -> Path:
    """A run that stopped in its second seed, with two checkpoints to resume from."""
    path = tmp_path / "stopped"
    stop(CONFIG, path, stop_at_save, 60)
    assert len(list((path / "checkpoint" / "seed-1").iterdir())) == 2
    return path


@pytest.mark.usefixtures("only_training")
class TestDamagedCheckpoints:
    @pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
    def test_the_one_before_takes_over_and_the_end_is_the_same(
        self, stopped: Path, undisturbed: Path, damage: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        newest = max((stopped / "checkpoint" / "seed-1").iterdir())
        content = newest.read_bytes()
        middle = len(content) // 2
        flipped = bytearray(content)
        flipped[middle] ^= 1
        damaged = {"truncated": content[:middle], "flipped": bytes(flipped), "empty": b""}
        newest.write_bytes(damaged[damage])
        earlier = int(newest.stem) - 10
        runner.train(CONFIG, stopped)
        told = capsys.readouterr().out
        assert f"checkpoint {newest}: cannot be used; falling back to update {earlier}" in told
        assert f"seed 1: resuming at update {earlier}" in told
        assert_same_end(stopped, undisturbed, SEEDS)

    def test_with_all_of_them_damaged_the_seed_starts_again(
        self, stopped: Path, undisturbed: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for path in (stopped / "checkpoint" / "seed-1").iterdir():
            path.write_bytes(path.read_bytes()[:-100])
        runner.train(CONFIG, stopped)
        assert capsys.readouterr().out.count("falling back to the start of the seed") == 2
        assert_same_end(stopped, undisturbed, SEEDS)

    def test_with_a_finished_seeds_damaged_it_is_finished_again(
        self, stopped: Path, undisturbed: Path
    ) -> None:
        newest = max((stopped / "checkpoint" / "seed-0").iterdir())
        newest.write_bytes(b"")
        runner.train(CONFIG, stopped)
        assert_same_end(stopped, undisturbed, SEEDS)


def contents(directory: Path) -> dict[Path, bytes]:
    """Of every file but the log."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.name != "log.txt")
    return {path: path.read_bytes() for path in files}


@pytest.mark.usefixtures("only_training")
class TestChangedByHand:
    @pytest.mark.parametrize("how", ["carriage returns", "gone", "another number"])
    def test_rows_that_were_changed_stop_it_before_anything_is_lost(
        self, stopped: Path, undisturbed: Path, how: str
    ) -> None:
        metrics, summary = stopped / "metrics.csv", stopped / "summary.json"
        rows = metrics.read_bytes()
        metrics.write_bytes(
            rows.replace(b"\n", b"\r\n" if how == "carriage returns" else b"1\n", 2)
        )
        if how == "gone":  # half a copy
            metrics.unlink()
            summary.unlink()
        kept = contents(stopped)
        with pytest.raises(UsageError, match=r"metrics\.csv"):
            runner.train(CONFIG, stopped)
        assert contents(stopped) == kept
        metrics.write_bytes(rows)
        runner.train(CONFIG, stopped)
        assert_same_end(stopped, undisturbed, SEEDS)

    def test_a_lost_summary_costs_nothing(self, finished: Path, undisturbed: Path) -> None:
        (finished / "summary.json").write_bytes(b"")
        rows = (finished / "metrics.csv").read_bytes()
        runner.train(CONFIG, finished)
        assert (finished / "metrics.csv").read_bytes() == rows
        assert_same_end(finished, undisturbed, SEEDS)

    def test_a_lost_checkpoint_costs_its_seed_alone(
        self, finished: Path, undisturbed: Path
    ) -> None:  # fmt: skip
        shutil.rmtree(finished / "checkpoint" / "seed-0")
        (finished / "summary.json").unlink()
        others = (finished / "metrics.csv").read_text().splitlines()[5:]
        assert all(line.startswith("1,") for line in others)
        runner.train(CONFIG, finished)
        assert (finished / "metrics.csv").read_text().splitlines()[5:] == others
        assert_same_end(finished, undisturbed, SEEDS)

    def test_a_checkpoint_of_another_type_is_named(self, stopped: Path) -> None:
        newest = max((stopped / "checkpoint" / "seed-1").iterdir())
        found = checkpoints.load(newest)
        variables = {name: value.astype(complex) for name, value in found.variables.items()}
        checkpoints.save(stopped / "checkpoint", found._replace(variables=variables))
        with pytest.raises(RunError, match=rf"{newest}: .*found complex128 .*; move it away"):
            runner.train(CONFIG, stopped)


@pytest.mark.usefixtures("only_training")
def test_events_are_closed_when_a_run_stops(
    tmp_path: Path, stop_at_save: StopAtSave, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []
    close = Events.close

    def counted(events: Events) -> None:
        closed.append(events)
        close(events)

    monkeypatch.setattr(Events, "close", counted)
    stop(CONFIG, tmp_path, stop_at_save, 3)
    assert len(closed) == 1
