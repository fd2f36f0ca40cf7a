"""run.py gradients: what is printed, and the files written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import run
from experiments.errors import UsageError
from experiments.gradients.during_training import gradients
from experiments.gradients.measurement import (
    WINDOWS,
    GradientEstimate,
    Measured,
    mean_error_signal,
    styles,
)
from experiments.gradients.moments import parts_of
from experiments.gradients.report import rows
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from tests.conftest import SMALL, small_config

# 40 updates in two epochs; the moments are 0, 1, 2, 10 and 40.
TINY = (*SMALL, "graph.batch_size=100", "task.size=8000", "graph.num_steps=4")

# Of the task `matching`; small, because it would be trained if it were not refused.
ONE_DIRECTION = (
    *("model.bidirectional=false", "model.output_keep_prob=1", "model.state_size=2"),
    *("training.epochs=1", "training.validate_every=null", "graph.num_steps=4", "task.length=4"),
)


def test_lags_that_no_row_has_are_left_out() -> None:
    """One seed, moment and estimate; of two windows one has no row that goes back 2 steps."""
    nan = float("nan")
    signal = np.array([[[[1.0, 3.0, nan, nan], [2.0, 5.0, 4.0, nan]]]])
    one = np.ones([1, 1, 2, 1])
    estimate = GradientEstimate(TruncationConfig(kind="tf_style", depth=2))
    measured = Measured([0], [estimate], signal, one, one)
    np.testing.assert_array_equal(mean_error_signal(measured), [[1.5, 4, 4, nan]])
    values = [
        (row.window, row.lag, row.value)
        for row in rows(measured, range(1))
        if row.quantity == "error_signal"
    ]
    assert values == [(0, 0, 1), (0, 1, 3), (1, 0, 2), (1, 1, 5), (1, 2, 4)]


class TestCommand:
    @pytest.mark.parametrize(
        ("changes", "seeds"),
        [
            (("training.seeds=2",), 2),
            (("graph.unroll=dynamic", "graph.precision=float64", "execution.loop=per_step"), 1),
            (("model.cell=scratch", "graph.unroll=scratch", "graph.num_steps=1"), 1),
        ],
        ids=str,
    )
    def test_files_hold_every_number(
        self,
        changes: tuple[str, ...],
        seeds: int,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out = tmp_path / "out"
        assert run.main(["gradients", "r2rt_n5", *TINY, *changes, "--out", str(out)]) == 0
        assert (out / "gradients.png").read_bytes().startswith(b"\x89PNG")
        with open(out / "gradients.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        config = small_config(*TINY[len(SMALL) :], *changes)
        num_steps = config.graph.num_steps
        artbp = sum(style.kind == "artbp" for style in styles(num_steps))
        lines = len(styles(num_steps)) + artbp
        places = seeds * len(parts_of(make_workload(config).updates)) * WINDOWS
        beyond = [row for row in rows if row["quantity"].endswith("_to_rtrl")]
        assert {row["quantity"] for row in beyond} == {"relative_error_to_rtrl", "cosine_to_rtrl"}
        assert len(rows) - len(beyond) == places * (num_steps + 2 * lines)
        assert {row["seed"] for row in rows} == {str(seed) for seed in range(seeds)}
        assert all(np.isfinite(float(row["value"])) for row in rows)
        exact = [row for row in rows if row["depth"] == str(num_steps)]
        for quantity, expected in (("relative_error", 0), ("cosine", 1)):
            values = [float(row["value"]) for row in exact if row["quantity"] == quantity]
            np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
        printed = capsys.readouterr().out
        assert f"tf_style (depth {num_steps})" in printed
        assert printed.splitlines()[-1].startswith("written: ")

    def test_the_summary_may_be_json(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run.main(["gradients", "r2rt_n5", *TINY, "--json", "--out", str(tmp_path)]) == 0
        found = json.loads(capsys.readouterr().out)
        with open(tmp_path / "gradients.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["quantity"] == "error_signal"]
        first = [float(row["value"]) for row in rows if (row["updates"], row["lag"]) == ("0", "0")]
        assert found["error_signal"]["start"][0] == pytest.approx(np.mean(first))
        num_steps = small_config(*TINY[len(SMALL) :]).graph.num_steps
        exact = found["cosine"][f"tf_style (depth {num_steps})"]
        assert exact == {"start": pytest.approx(1), "end": pytest.approx(1)}

    def test_training_that_diverges_exits_1_with_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        changes = ("optimizer.kind=sgd", "optimizer.learning_rate=1e38")
        assert run.main(["gradients", "r2rt_n5", *TINY, *changes, "--out", str(tmp_path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: seed 0: the loss or a weight was not finite by update ")

    def test_padded_examples_are_measured(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        changes = ("training.epochs=1", "training.validate_every=null")
        assert run.main(["gradients", "captions", *changes, "--out", str(tmp_path)]) == 0
        with open(tmp_path / "gradients.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        lags = {int(row["lag"]) for row in rows if row["quantity"] == "error_signal"}
        assert all(np.isfinite(float(row["value"])) for row in rows)
        assert f"at lag {max(lags)}" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (("training.validate_every=10", "training.patience=2"), "training.patience: gradients"),
            (("model.bidirectional=true",), "model.bidirectional: its errors"),
            (
                ("truncation.kind=true_bptt", "truncation.depth=3", "truncation.context=true"),
                "truncation.context: an example has no steps before its first",
            ),
        ],
    )
    def test_what_cannot_be_measured_leaves_no_folder(
        self,
        changes: tuple[str, ...],
        message: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out = tmp_path / "out"
        assert run.main(["gradients", "digits_small", *changes, "--out", str(out)]) == 2
        assert message in capsys.readouterr().err
        assert not out.exists()

    def test_a_loss_that_depends_on_all_outputs_has_no_lag(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Its window has no lengths, so that the outputs of the padding would count."""
        out = tmp_path / "out"
        arguments = ["gradients", "matching", *ONE_DIRECTION, "--out", str(out)]
        assert run.main(arguments) == 2
        assert "the loss of matching depends on all outputs" in capsys.readouterr().err
        assert not out.exists()

    def test_folder_that_cannot_be_made_is_a_usage_error_before_training(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match=r"--out .*: cannot be made: Not a directory"):
            gradients(small_config(), tmp_path / "file" / "out")
        assert capsys.readouterr().out == ""


class TestRun:
    """At the checkpoints of a run."""

    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        path = tmp_path_factory.mktemp("trained") / "run"
        assert run.main(["train", "r2rt_n5", *TINY, "-q", "--run-dir", str(path)]) == 0
        return path

    def test_has_the_numbers_of_the_end_of_the_same_training(
        self, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        along, after = tmp_path / "along", tmp_path / "after"
        assert run.main(["gradients", "r2rt_n5", *TINY, "-q", "--out", str(along)]) == 0
        before = [path.read_bytes() for path in sorted((trained / "checkpoint").rglob("*.npz"))]
        assert run.main(["gradients", str(trained), "-q", "--out", str(after)]) == 0
        last = [row for row in numbers(along) if row["updates"] == "40"]
        assert numbers(after) == last != []
        printed = capsys.readouterr().out
        assert "error signal, checkpoint: " in printed
        assert before == [
            path.read_bytes() for path in sorted((trained / "checkpoint").rglob("*.npz"))
        ]

    def test_the_summary_may_be_json(
        self, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run.main(["gradients", str(trained), "--json", "-q", "--out", str(tmp_path)]) == 0
        found = json.loads(capsys.readouterr().out)
        assert len(found["error_signal"]["checkpoint"]) == 4
        assert found["cosine"]["tf_style (depth 4)"] == {"checkpoint": pytest.approx(1)}
        assert found["cosine_to_rtrl"]["full"].keys() == {"checkpoint"}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                ("RUN", "graph.num_steps=2"),
                "expected no changes, got graph.num_steps=2",
            ),
            (("RUN", "--checkpoint", "best"), "no best checkpoint"),
            (("FOLDER",), "config.yaml"),
            (
                ("r2rt_n5", "--checkpoint", "best"),
                "--checkpoint best: works with a run directory only; got r2rt_n5",
            ),
            (
                ("r2rt_n5", "--data-changed"),
                "--data-changed: works with a run directory only; got r2rt_n5",
            ),
        ],
    )
    def test_what_cannot_be_measured_is_one_line(
        self,
        arguments: tuple[str, ...],
        message: str,
        trained: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        out, places = tmp_path / "out", {"RUN": str(trained), "FOLDER": str(tmp_path)}
        given = [places.get(argument, argument) for argument in arguments]
        assert run.main(["gradients", *given, "--out", str(out)]) in (1, 2)
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert message in line
        assert not out.exists()


def numbers(out: Path) -> list[dict[str, str]]:
    """The rows of gradients.csv."""
    with open(out / "gradients.csv", newline="") as file:
        return list(csv.DictReader(file))
