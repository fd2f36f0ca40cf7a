"""experiments/training/evaluate.py: the checkpoints of a run on held-out data."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data.task import Examples
from data.tasks.captions import Captions
from experiments.config.compose import load_config
from experiments.errors import RunError, UsageError
from experiments.runs import checkpoints
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.evaluate import check_position, evaluate_run
from run import main
from tests.conftest import LoadedCheckpoints, small_config, summary_of
from tests.training.conftest import FLOAT64

Change = Callable[[NDArray[Any]], NDArray[Any]]


def test_fresh_data_give_about_the_loss_of_training(run: RunDirectory) -> None:
    final = summary_of(run.path)["final_loss"]["per_seed"]
    for result in evaluate_run(run, None, "last"):
        assert result.evaluated.loss == pytest.approx(final[str(result.seed)], abs=0.02)


@pytest.mark.parametrize("batch_size", [0, 20_001])
def test_a_batch_size_that_the_data_cannot_fill_is_refused(
    run: RunDirectory, batch_size: int
) -> None:
    with pytest.raises(
        UsageError, match=f"expected 1 to the size of the data, 20000; got {batch_size}"
    ):
        list(evaluate_run(run, batch_size, "last"))


def test_one_checkpoint_is_in_memory_at_a_time(
    run: RunDirectory, loaded_checkpoints: LoadedCheckpoints
) -> None:
    assert [result.seed for result in evaluate_run(run, None, "last")] == [0, 1]
    assert loaded_checkpoints.most == 0


def test_a_run_without_checkpoints_is_told(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.check(FLOAT64, False)
    directory.prepare(FLOAT64, False)
    with pytest.raises(RunError, match="no last checkpoint; train it first"):
        list(evaluate_run(directory, None, "last"))
    directory.write_summary({"status": "complete"})  # `train` would leave it alone
    with pytest.raises(RunError, match="no last checkpoint; train it again with --overwrite"):
        list(evaluate_run(directory, None, "last"))


def test_a_run_that_never_validates_has_no_best_checkpoint(run: RunDirectory) -> None:
    said = (
        f"{run.path}: no best checkpoint, because the run has training.validate_every=null; "
        "take the last one with --checkpoint last"
    )
    with pytest.raises(RunError, match=f"^{re.escape(said)}$"):
        list(evaluate_run(run, None, "best"))


def test_a_run_that_validates_may_have_lost_its_best_checkpoint(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.prepare(load_config("digits_small", ["training.validate_every=1"]), False)
    directory.write_summary({"status": "complete"})
    with pytest.raises(RunError, match=r"no best checkpoint; train it again with --overwrite$"):
        list(evaluate_run(directory, None, "best"))


def test_a_run_with_nothing_held_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("to be or not to be, that is the question\n" * 99)
    keys = [
        "task.source=file", f"task.path={tmp_path / 'book.txt'}", "task.valid=0", "task.test=0",
        "training.validate_every=null", "training.patience=null", "graph.batch_size=10",
    ]  # fmt: skip
    directory = RunDirectory(tmp_path)
    directory.prepare(load_config("text_python_docs", keys), False)
    with pytest.raises(UsageError, match="text has no held-out data to evaluate"):
        list(evaluate_run(directory, None, "last"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda value: value.astype(np.complex128), r"expected float64 .*, found complex128"),
        (lambda value: value.astype(np.float32), r"expected float64 .*, found float32"),
        (lambda value: value.astype("U"), r"expected float64 .*, found <U"),
        (lambda value: value[:, :1], r"of shape \(4, 2\), found float64 of shape \(4, 1\)"),
        (lambda value: value * np.nan, "is not finite"),
    ],
)
def test_a_checkpoint_of_another_kind_is_refused_with_its_file(
    run: RunDirectory, tmp_path: Path, change: Change, reason: str
) -> None:
    copied = RunDirectory(Path(shutil.copytree(run.path, tmp_path / "run")))
    found = checkpoints.newest(copied.checkpoints, 0).checkpoint
    assert found is not None
    name = "model/softmax/W"
    variables = found.variables | {name: change(found.variables[name])}
    checkpoints.save(copied.checkpoints, found._replace(variables=variables))
    path = checkpoints.path_of(copied.checkpoints, found.position)
    with pytest.raises(RunError, match=f"^{path}: .*{name}.* {reason}"):
        list(evaluate_run(copied, None, "last"))


def test_a_damaged_checkpoint_is_named(run: RunDirectory, tmp_path: Path) -> None:
    copied = RunDirectory(Path(shutil.copytree(run.path, tmp_path / "run")))
    folder = copied.checkpoints / "seed-0"
    for path in folder.iterdir():
        path.write_bytes(b"damage")
    with pytest.raises(RunError, match=r"seed-0/0+400\.npz: damaged"):
        list(evaluate_run(copied, None, "last"))
    (folder / "best.npz").write_bytes(b"")
    with pytest.raises(RunError, match=r"seed-0/best\.npz: damaged"):
        list(evaluate_run(copied, None, "best"))


def test_the_other_seeds_are_printed_as_json_before_the_error(
    run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = RunDirectory(Path(shutil.copytree(run.path, tmp_path / "run")))
    folders = [copied.checkpoints / f"seed-{seed}" for seed in range(2)]
    for path in folders[0].iterdir():
        path.write_bytes(b"damage")
    assert main(["evaluate", str(copied.path), "--json"]) == 1
    said = capsys.readouterr()
    assert [result["seed"] for result in json.loads(said.out)] == [1]
    assert "damaged" in said.err
    for path in folders[1].iterdir():
        path.write_bytes(b"damage")
    assert main(["evaluate", str(copied.path), "--json"]) == 1
    assert not capsys.readouterr().out


def test_a_position_counts_the_losses_of_one_time_step_alone(tmp_path: Path) -> None:
    config = load_config("captions", ["training.epochs=1", "execution.xla=off"])
    runner.train(config, tmp_path)
    directory = RunDirectory(tmp_path)
    whole = {each.split: each.evaluated for each in evaluate_run(directory, None, "last")}
    totals = dict.fromkeys(whole, 0.0)
    for position in range(1, 7):
        for each in evaluate_run(directory, None, "last", position=position):
            totals[each.split] += each.evaluated.loss * each.evaluated.time_steps
    for split, evaluated in whole.items():
        assert totals[split] == pytest.approx(evaluated.loss * evaluated.time_steps, rel=1e-5)
    with pytest.raises(UsageError, match="--position: expected a time step with a loss, 1 to 6"):
        [*evaluate_run(directory, None, "last", position=7)]


def test_sets_may_share_no_position() -> None:
    """Here every validation example ends at the first step, every test example at the second."""
    labels = np.zeros([1, 2], np.int32)
    sets = {
        split: Examples(labels, labels, np.eye(2, dtype=np.float32)[[end]], np.array([end + 1]))
        for end, split in enumerate(("valid", "test"))
    }
    task = Captions(sets["valid"], sets, ())
    for position in (1, 2):
        with pytest.raises(
            UsageError, match="--position: no time step has a loss in each of valid, test; expected"
        ):
            check_position(position, small_config(), task)


def test_a_sequence_that_is_carried_has_no_positions(tmp_path: Path) -> None:
    runner.train(small_config("training.epochs=1"), tmp_path)
    with pytest.raises(UsageError, match="--position: the data are one sequence"):
        [*evaluate_run(RunDirectory(tmp_path), None, "last", position=2)]


def test_windows_that_start_anew_have_positions(tmp_path: Path) -> None:
    config = small_config("training.epochs=1", "training.carry_state=false")
    runner.train(config, tmp_path)
    directory = RunDirectory(tmp_path)
    (whole,) = (each.evaluated for each in evaluate_run(directory, None, "last"))
    found = []
    for position in range(1, config.graph.num_steps + 1):
        results = evaluate_run(directory, None, "last", position=position)
        found += [each.evaluated for each in results]
    assert {each.time_steps for each in found} == {whole.time_steps // config.graph.num_steps}
    assert np.mean([each.loss for each in found]) == pytest.approx(whole.loss, rel=1e-5)
    assert found[0].loss > found[-1].loss + 0.05  # its first step has no input 3 steps back
    with pytest.raises(UsageError, match="--position: expected a time step with a loss, 1 to 5"):
        [*evaluate_run(directory, None, "last", position=6)]


def test_bits_per_character_are_of_a_whole_text_and_of_no_position(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("abcd\n" * 400)
    config = load_config(
        "text_python_docs",
        [
            "task.source=file", f"task.path={tmp_path / 'text.txt'}", "training.carry_state=false",
            "graph.num_steps=5", "graph.batch_size=10", "model.cell=scratch", "model.state_size=4",
            "training.epochs=1", "execution.xla=off",
        ],
    )  # fmt: skip
    runner.train(config, tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    assert all(each.bits_per_character for each in evaluate_run(directory, None, "last"))
    for each in evaluate_run(directory, None, "last", position=2):
        assert each.bits_per_character is None
