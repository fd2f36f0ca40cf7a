"""Runs and their data: changed files, the stored vocabulary, one held-out loss, what is left out.

experiments/training/run_data.py, experiments/runs/data_identity.py, through training, evaluation
and generation on real files.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import run
from experiments.comparison.compare import CompareOptions, compare
from experiments.comparison.groups import group_runs
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.config.yaml_file import dump_yaml
from experiments.errors import Interrupted, UsageError
from experiments.runs.data_identity import read_identity
from experiments.runs.directory import RunDirectory
from experiments.runs.found import find_runs
from experiments.runs.metrics import read_metrics
from experiments.sweeps.child import _train
from experiments.sweeps.launcher import _batch
from experiments.sweeps.messages import Message
from experiments.sweeps.points import Point, check_can_start
from experiments.training import runner
from experiments.training.evaluate import evaluate_run
from experiments.training.export import export
from experiments.training.generate import Sampling, generate_text
from experiments.training.resources import one_graph
from experiments.training.states import SequenceOptions, record_run
from tests.conftest import StopAtSave, assert_same_end, summary_of

TEXT = "the cat sat on the mat.\n" * 500
SMALL = (
    "model.cell=gru", "model.state_size=32", "graph.num_steps=16", "graph.batch_size=16",
    "optimizer.kind=adam", "optimizer.learning_rate=0.02", "execution.xla=off", "logging.every=10",
    "logging.tensorboard=false", "logging.checkpoint_seconds=0", "task.source=file",
    "execution.iterations_per_loop=20",
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("only_training")


def config_of(path: Path, *overrides: str) -> Config:
    return load_config("text_python_docs", [*SMALL, f"task.path={path}", *overrides])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a text and a run that was trained on it."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "cat.txt").write_text(TEXT)
    runner.train(config_of(folder / "cat.txt"), folder / "run")
    return folder


@pytest.fixture
def book(trained: Path, tmp_path: Path) -> Path:
    """A text of the run's own, beside a copy of the run, in a folder of the test."""
    for name in ("cat.txt", "run"):
        copy = shutil.copytree if name == "run" else shutil.copyfile
        copy(trained / name, tmp_path / name)
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text().replace(str(trained), str(tmp_path)))
    return tmp_path / "cat.txt"


def replace(book: Path) -> None:
    """The file as it was, but for one letter."""
    book.write_text(TEXT.replace(".", "z"))


CHANGED = r"trained on other data: .*cat\.txt has the sha256 [0-9a-f]{12}…, not [0-9a-f]{12}…"


def test_a_run_writes_with_the_vocabulary_it_was_trained_on(book: Path) -> None:
    run, sampling = RunDirectory(book.parent / "run"), Sampling(24, 0, 0)
    written = generate_text(run, "the ", sampling, "last")
    assert written == "the cat sat on the mat.\nthe "
    replace(book)
    assert generate_text(run, "the ", sampling, "last") == written
    book.unlink()
    assert generate_text(run, "the ", sampling, "last") == written


def test_evaluate_stops_at_a_changed_file_or_reads_it_by_the_runs_vocabulary(book: Path) -> None:
    run = RunDirectory(book.parent / "run")
    losses = [result.evaluated.loss for result in evaluate_run(run, None, "last")]
    replace(book)
    with pytest.raises(UsageError, match=CHANGED):
        list(evaluate_run(run, None, "last"))
    with pytest.raises(UsageError, match=r"not in the run's vocabulary, 'z' the first"):
        list(evaluate_run(run, None, "last", data_changed=True))
    book.write_text(TEXT.replace("cat", "mat"))  # whose vocabulary has no c: all ids are others
    found = [result.evaluated.loss for result in evaluate_run(run, None, "last", data_changed=True)]
    assert min(losses) < 0.1
    assert all(low < high < 2 for low, high in zip(losses, found, strict=True))


def test_states_stop_at_a_changed_file_and_a_prompt_needs_none(book: Path) -> None:
    directory = RunDirectory(book.parent / "run")
    symbols = record_run(directory, SequenceOptions(None, 20), "last").symbols
    book.write_text(TEXT.replace("cat", "mat"))
    with pytest.raises(UsageError, match=CHANGED):
        record_run(directory, SequenceOptions(None, 20), "last")
    changed = record_run(directory, SequenceOptions(None, 20, data_changed=True), "last").symbols
    assert "".join(changed) == "".join(symbols).replace("cat", "mat")
    book.unlink()
    assert record_run(directory, SequenceOptions("cat", 20), "last").symbols == ["c", "a", "t"]


def test_a_model_is_exported_as_it_was_trained_whatever_became_of_its_file(book: Path) -> None:
    directory = RunDirectory(book.parent / "run")
    shapes = export(directory, book.parent / "before", "last").variables
    book.write_text(TEXT.replace("cat", "mat"))  # whose vocabulary is smaller
    assert export(directory, book.parent / "changed", "last").variables == shapes
    book.unlink()
    assert export(directory, book.parent / "gone", "last").variables == shapes


def test_a_complete_run_is_not_complete_for_another_text(book: Path) -> None:
    run = book.parent / "run"
    assert runner.train(config_of(book), run)["status"] == "complete"
    replace(book)
    with pytest.raises(UsageError, match=CHANGED):
        runner.train(config_of(book), run)
    assert runner.train(config_of(book), run, overwrite=True)["status"] == "complete"
    identity = read_identity(RunDirectory(run))
    assert identity is not None
    assert identity.vocabulary is not None
    assert "z" in identity.vocabulary


def test_a_run_resumes_on_its_own_text_only(
    book: Path, stop_at_save: StopAtSave, trained: Path
) -> None:
    run = book.parent / "resumed"
    stop_at_save.arm(3)
    with pytest.raises(Interrupted):
        runner.train(config_of(book), run)
    book.write_text(TEXT.replace("cat", "mat"))
    with pytest.raises(UsageError, match=CHANGED):
        runner.train(config_of(book), run)
    shutil.copyfile(trained / "cat.txt", book)
    runner.train(config_of(book), run)
    assert_same_end(run, trained / "run", [0])


def test_a_run_that_goes_on_over_a_changed_text_says_which_it_has_seen(
    book: Path, stop_at_save: StopAtSave
) -> None:
    run = book.parent / "resumed"
    stop_at_save.arm(3)
    with pytest.raises(Interrupted):
        runner.train(config_of(book), run)
    before = read_identity(RunDirectory(run))
    book.write_text(TEXT.replace("cat", "mat"))
    runner.train(config_of(book), run, data_changed=True)
    after = read_identity(RunDirectory(run))
    assert before is not None
    assert after is not None
    assert after.vocabulary == before.vocabulary
    assert after.replaced == (before.sources,)
    assert after.sources != before.sources
    runner.train(config_of(book), run)  # complete, and of the text as it is now


def test_a_run_does_not_go_on_where_an_epoch_has_become_shorter_than_what_is_done(
    book: Path, stop_at_save: StopAtSave
) -> None:
    """It would make no update, and be called complete."""
    run = book.parent / "resumed"
    stop_at_save.arm(3)
    with pytest.raises(Interrupted, match="update 40"):
        runner.train(config_of(book, "training.epochs=1"), run)
    before = {
        path: path.read_bytes()
        for path in run.iterdir()
        if path.suffix != ".txt" and path.is_file()
    }
    book.write_text(TEXT[: len(TEXT) // 2])
    shorter = r"seed 0 has done 40 updates of an epoch, which has 2\d on the data as they are now"
    with pytest.raises(UsageError, match=shorter):
        runner.train(config_of(book, "training.epochs=1"), run, data_changed=True)
    assert {path: path.read_bytes() for path in before} == before


def test_a_file_that_only_moved_is_the_same(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory(book.parent / "run")
    (book.parent / "elsewhere").mkdir()
    book.rename(book.parent / "elsewhere" / "cat.txt")
    text = run.config.read_text().replace(str(book), "cat.txt")
    run.config.write_text(text)
    monkeypatch.delenv("RNN_DATA", raising=False)
    monkeypatch.chdir(book.parent / "elsewhere")
    assert len(list(evaluate_run(run, None, "last"))) == 2


def test_a_run_of_an_earlier_version_is_warned_about(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunDirectory(book.parent / "run")
    run.data.unlink()
    runner.train(config_of(book), run.path)
    list(evaluate_run(run, None, "last"))
    generate_text(run, "", Sampling(2, 0, 0), "last")
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count("kept no hash of its data") == 3
    assert not run.data.exists()


def test_a_damaged_identity_is_told(book: Path) -> None:
    run = RunDirectory(book.parent / "run")
    run.data.write_text("{}")
    with pytest.raises(UsageError, match=r"data\.json: sources: this key is needed"):
        list(evaluate_run(run, None, "last"))


def test_compare_names_the_file_that_is_not_the_same(book: Path) -> None:
    """The config of both runs is the same: one path, whose content changed between them."""
    replace(book)
    runs = book.parent / "runs"
    runs.mkdir()
    (book.parent / "run").rename(runs / "before")
    runner.train(config_of(book, "training.epochs=1"), runs / "after")
    config = json.loads(json.dumps((runs / "after" / "config.yaml").read_text()))
    (runs / "before" / "config.yaml").write_text(config)
    with pytest.raises(UsageError, match=r"after.*|before.*cat\.txt has the sha256"):
        compare([runs], CompareOptions(book.parent / "report"))
    groups = group_runs(find_runs([runs]))
    assert len(groups) == 2
    assert all(list(group.values) == ["data"] for group in groups)
    compare([runs], CompareOptions(book.parent / "report", data_changed=True))


def test_a_sweep_stops_before_its_first_point(book: Path) -> None:
    point = Point("only", (), config_of(book), book.parent / "run")
    check_can_start([point])
    replace(book)
    with pytest.raises(UsageError, match=CHANGED):
        check_can_start([point])


def test_a_sweep_goes_ahead_on_changed_data_where_the_user_says_so(
    book: Path, stop_at_save: StopAtSave
) -> None:
    """The permission reaches the process that trains a point."""
    directory = book.parent / "point"
    stop_at_save.arm(3)
    with pytest.raises(Interrupted):
        runner.train(config_of(book), directory)
    book.write_text(TEXT.replace("cat", "mat"))
    point = Point("point", (), config_of(book), directory)
    for data_changed in (False, True):
        sent: list[Message] = []
        (job,) = _batch([point], False, "children", data_changed).jobs
        with one_graph() as open_sessions:
            _train(job, open_sessions, sent.append)
        assert ("trained on other data" in sent[-1]["reason"]) == (not data_changed)
    assert sent[-1]["reason"] == ""
    assert summary_of(directory)["status"] == "complete"


@pytest.mark.parametrize("command", ["sweep", "reproduce"])
def test_a_sweep_and_a_study_stop_at_changed_data_or_use_it(
    command: str,
    book: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(book.parent)
    settings = dump_yaml(config_of(book).as_dict())
    (book.parent / "mine.yaml").write_text(settings)
    study = (
        "title: t\ndescription: d\nruns: {only: {experiment: mine.yaml}}\nfigures: []\nclaims: []\n"
    )
    (book.parent / "study.yaml").write_text(study)
    directory = book.parent / "runs" / "text_python_docs" / "default"
    directory.parent.mkdir(parents=True)
    (book.parent / "run").rename(directory)
    replace(book)
    asked = {"sweep": ["sweep", "mine.yaml"], "reproduce": ["reproduce", "study.yaml"]}[command]
    assert run.main(asked) == 2
    assert "trained on other data" in capsys.readouterr().err
    assert run.main([*asked, "--data-changed"]) == 0
    assert "1 point, 1 already done" in capsys.readouterr().out


def test_a_task_that_reads_nothing_has_no_identity(tmp_path: Path) -> None:
    config = load_config("r2rt_n5", ["task.size=2000", "graph.batch_size=20", "execution.xla=off"])
    runner.train(config, tmp_path)
    assert not (tmp_path / "data.json").exists()


@pytest.mark.parametrize("batch_size", [1, 3, 16, 64, 200])
def test_the_held_out_loss_is_one_number(book: Path, batch_size: int) -> None:
    """Validation, evaluation at any batch size, and one row by definition: all the same."""
    run = RunDirectory(book.parent / "run")
    row = [row for row in read_metrics(run.metrics) if row.split == "valid"][-1]
    (valid, _) = evaluate_run(run, batch_size, "last")
    assert valid.evaluated.loss == pytest.approx(row.loss, rel=1e-5)
    assert valid.evaluated.time_steps == 600 - 1  # every symbol but the first is predicted
    assert summary_of(run.path)["validation"]["per_seed"]["0"] <= row.loss * (1 + 1e-9)


def test_published_figures_of_rows_that_start_anew(book: Path) -> None:
    run = book.parent / "rows"
    runner.train(config_of(book, "task.held_out_rows=7"), run)
    directory = RunDirectory(run)
    (valid, _) = evaluate_run(directory, None, "last")
    assert valid.evaluated.time_steps == 599 // 7 * 7
    row = [row for row in read_metrics(directory.metrics) if row.split == "valid"][-1]
    assert valid.evaluated.loss == pytest.approx(row.loss, rel=1e-5)
    with pytest.raises(UsageError, match=r"--batch-size: the run has task\.held_out_rows=7"):
        list(evaluate_run(directory, 3, "last"))
    with pytest.raises(UsageError, match=r"task\.held_out_rows: expected at most .* 599; got 600"):
        runner.train(config_of(book, "task.held_out_rows=600"), book.parent / "too_many")


def test_an_old_run_is_validated_to_its_end_as_it_began(
    book: Path, stop_at_save: StopAtSave
) -> None:
    """Rows that start anew, one for each row of a batch; the weights do not depend on it."""
    of_today = book.parent / "of_today"
    runner.train(config_of(book, "task.held_out_rows=16"), of_today)
    old = book.parent / "old"
    stop_at_save.arm(1)
    with pytest.raises(Interrupted):
        runner.train(config_of(book), old)
    (old / "data.json").unlink()
    config = (old / "config.yaml").read_text()
    assert "  held_out_rows: null\n" in config
    (old / "config.yaml").write_text(config.replace("  held_out_rows: null\n", ""))
    with pytest.raises(UsageError, match=r"holds a run with task\.rotate = False"):
        runner.train(config_of(book, "task.rotate=true"), old)
    runner.train(config_of(book, "task.held_out_rows=5"), old)
    assert_same_end(old, of_today, [0])


def test_what_is_left_out_is_said_once(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book.write_text(TEXT[:3000])
    overrides = ["graph.batch_size=64", "graph.num_steps=32", "training.epochs=2"]
    run = book.parent / "left_out"
    runner.train(config_of(book, *overrides), run)
    said = (run / "log.txt").read_text()
    assert said.count("training leaves out 24% of the data") == 1
    rotated = book.parent / "rotated"
    runner.train(config_of(book, *overrides, "task.rotate=true"), rotated)
    assert "leaves out" not in (rotated / "log.txt").read_text()


def test_rotated_epochs_resume_bit_for_bit(book: Path, stop_at_save: StopAtSave) -> None:
    config = config_of(book, "task.rotate=true", "training.epochs=3")
    runner.train(config, book.parent / "undisturbed")
    for number in (2, 3):
        stop_at_save.arm(number)
        with pytest.raises(Interrupted):
            runner.train(config, book.parent / "stopped")
    runner.train(config, book.parent / "stopped")
    assert_same_end(book.parent / "stopped", book.parent / "undisturbed", [0])


def test_the_identity_of_a_text_is_its_hash(trained: Path) -> None:
    content = json.loads((trained / "run" / "data.json").read_text())
    digest = hashlib.sha256((trained / "cat.txt").read_bytes()).hexdigest()
    assert content["sources"] == [{"name": str(trained / "cat.txt"), "sha256": digest}]
    assert content["vocabulary"] == sorted(set(TEXT))
    assert np.all([len(symbol) == 1 for symbol in content["vocabulary"]])
