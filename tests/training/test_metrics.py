"""Metrics through training: an entry of the table is found everywhere; older files go on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.config.compose import load_config
from experiments.errors import Interrupted, UsageError
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import columns, read_metrics
from experiments.training import runner
from experiments.training.evaluate import evaluate_run
from rnn_graphs.metrics import METRICS, Metric
from rnn_graphs.tf1 import tf
from tests.conftest import StopAtSave, metrics_of, shown_by_tensorboard, small_config

# 8×8 digits: 40 updates an epoch, in about a second.
SMALL = (
    "model.cell=basic_rnn", "model.state_size=8", "execution.xla=off", "logging.every=10",
    "execution.iterations_per_loop=10", "training.epochs=2",
)  # fmt: skip

# One of each kind, by what is known of them: 1 − accuracy, the number of gradients, twice the loss.
ADDED = {
    "miss_rate": Metric(
        "{:.5f} missed", "misses", ("ids",), of_labels=lambda logits, labels: tf.not_equal(
            tf.argmax(logits, -1, output_type=tf.int32), tf.cast(labels, tf.int32)
        ),
    ),
    "gradient_count": Metric(
        "{:.0f} gradients", "gradients",
        of_update=lambda step, _window, _updater: tf.constant(len(step.gradients)),
    ),
    "twice": Metric("twice {:.3f}", "double_loss", of_loss=lambda loss: 2 * loss),
}  # fmt: skip


class TestAMetricIsOneEntry:
    @pytest.fixture(autouse=True)
    def added(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, metric in ADDED.items():
            monkeypatch.setitem(METRICS, name, metric)

    def test_the_config_check_knows_it(self) -> None:
        config = load_config("r2rt_n5", ["logging.metrics=[twice,accuracy]"])
        assert config.logging.metrics == ("twice", "accuracy")
        with pytest.raises(UsageError, match="did you mean 'miss_rate'"):
            load_config("digits_small", ["logging.metrics=[misrate]"])

    def test_a_task_that_cannot_have_it_refuses_it(self, tmp_path: Path) -> None:
        config = load_config("influence_balancing", ["logging.metrics=[twice,miss_rate]"])
        with pytest.raises(UsageError, match=r"logging\.metrics: miss_rate is for labels that are"):
            runner.train(config, tmp_path / "run")

    def test_training_measures_writes_and_shows_it(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        names = [*ADDED, "accuracy"]
        config = load_config("digits_small", [*SMALL, f"logging.metrics=[{','.join(names)}]"])
        runner.train(config, tmp_path)
        header = (tmp_path / "metrics.csv").read_text().splitlines()[0].split(",")
        assert header == columns()
        assert header[-3:] == list(ADDED)
        rows = read_metrics(tmp_path / "metrics.csv")
        for row in rows:
            assert row.metrics["miss_rate"] == pytest.approx(1 - row.metrics["accuracy"], abs=1e-6)
            assert row.metrics["twice"] == pytest.approx(2 * row.loss, rel=1e-8)
            count = {"train": 4, "valid": None}[row.split]  # W and b of the cell and of the head
            assert row.metrics.get("gradient_count") == count
        events = tmp_path / "events" / "seed-0"
        for split in ("train", "valid"):
            of_split = [row for row in rows if row.split == split]
            for tag, name in (("misses", "miss_rate"), ("double_loss", "twice")):
                shown = shown_by_tensorboard(events, f"{tag}/{split}")
                assert [step for step, _ in shown] == [row.updates for row in of_split]
                values = [row.metrics[name] for row in of_split]
                assert [value for _, value in shown] == pytest.approx(values, rel=1e-6)
        printed = capsys.readouterr().out
        for row in of_split:
            assert f"valid loss {row.loss:.4f}, {row.metrics['miss_rate']:.5f} missed" in printed
            assert f", twice {2 * row.loss:.3f}, accuracy" in printed
        for result in evaluate_run(RunDirectory(tmp_path), None, "last"):
            metrics = result.evaluated.metrics
            assert list(metrics) == ["accuracy", "perplexity", "bits", "miss_rate", "twice"]
            assert metrics["miss_rate"] == pytest.approx(1 - metrics["accuracy"], abs=1e-12)


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """The table before these were added to it; its order comes back with them."""
    whole = dict(METRICS)
    for name in names:
        del METRICS[name]
    try:
        yield
    finally:
        METRICS.clear()
        METRICS.update(whole)


def test_a_run_of_an_earlier_version_goes_on_under_its_own_header(
    tmp_path: Path, stop_at_save: StopAtSave
) -> None:
    config = small_config("logging.metrics=[bits,accuracy]")
    runner.train(config, tmp_path / "undisturbed")
    with without("gradient_norm", "perplexity", "chosen_depth"):
        stop_at_save.arm(25)  # after the second row
        with pytest.raises(Interrupted):
            runner.train(config, tmp_path / "run")
    runner.train(config, tmp_path / "run")
    header, *lines = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert header == (
        "seed,epoch,updates,time_steps,seconds,split,loss,accuracy,learning_rate,bits"
    )
    assert {line.count(",") for line in lines} == {header.count(",")}
    assert metrics_of(tmp_path / "run") == metrics_of(tmp_path / "undisturbed")
    assert all(set(row.metrics) == {"bits", "accuracy"} for row in metrics_of(tmp_path / "run"))
