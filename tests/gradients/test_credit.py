"""run.py credit: the measured matrix, in files and in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.gradients.credit import credit, describe, measure
from rnn_graphs.truncation.credit import definition

TRUE = ("graph.num_steps=49", "truncation.kind=true_bptt", "truncation.depth=7")


def test_files_hold_the_definition(tmp_path: Path) -> None:
    config = load_config("r2rt_n10", ["truncation.kind=true_bptt", "truncation.depth=4"])
    credit(config, tmp_path / "out")
    written = np.loadtxt(tmp_path / "out" / "credit.csv", delimiter=",")
    np.testing.assert_array_equal(written, definition(config.truncation, 10))
    assert (tmp_path / "out" / "credit.png").read_bytes().startswith(b"\x89PNG")


def test_counts_the_blogs_example(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    credit(load_config("r2rt_n5", list(TRUE)), tmp_path)
    assert "43 of 49 errors reach 7 steps" in capsys.readouterr().out


def test_the_summary_may_be_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    credit(load_config("r2rt_n5", list(TRUE)), tmp_path, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["reaching"], found["errors"], found["longest"]) == (43, 49, 7)
    assert found["files"] == [str(tmp_path / "credit.csv"), str(tmp_path / "credit.png")]


def test_a_picture_that_cannot_be_drawn_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no font")

    monkeypatch.setattr("experiments.gradients.credit.figure", fail)
    credit(load_config("r2rt_n5", ["graph.num_steps=2"]), tmp_path, as_json=True)
    shown = capsys.readouterr()
    assert json.loads(shown.out)["files"] == [str(tmp_path / "credit.csv")]
    assert shown.err == (
        f"warning: {tmp_path / 'credit.png'}: cannot be drawn: RuntimeError: no font\n"
    )


def test_mean_of_artbp_is_near_full() -> None:
    overrides = ["graph.num_steps=4", "truncation.kind=artbp", "truncation.cut_probability=0.2"]
    config = load_config("r2rt_n10", overrides)
    # 1000 rows: the deviation of an entry is below sqrt(1 / 0.8**3 - 1) / sqrt(1000) = 0.031.
    np.testing.assert_allclose(measure(config), definition(config.truncation, 4), rtol=0, atol=0.15)


def test_style_in_words() -> None:
    assert describe(load_config("r2rt_n5", []).truncation) == "tf_style"
    assert describe(load_config("r2rt_n5", list(TRUE)).truncation) == "true_bptt (depth 7)"


def test_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--out"):
        credit(load_config("r2rt_n5", []), tmp_path / "file" / "out")


def test_a_bidirectional_model_has_no_such_matrix(tmp_path: Path) -> None:
    config = load_config("r2rt_n5", ["model.bidirectional=true"])
    with pytest.raises(UsageError, match=r"model\.bidirectional: its errors come from both sides"):
        credit(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("experiment", "depth", "message"),
    [
        ("digits_small", 3, r"truncation\.context: an example has no steps before its first"),
        ("r2rt_n5", 1_000_000_000, r"less 999999999 steps of context"),
        ("r2rt_n5", 3000, r"truncation\.depth: expected a graph of at most 2000 steps"),
    ],
)
def test_context_that_training_refuses_is_refused(
    experiment: str, depth: int, message: str, tmp_path: Path
) -> None:
    changes = ["truncation.kind=true_bptt", f"truncation.depth={depth}", "truncation.context=true"]
    with pytest.raises(UsageError, match=message):
        credit(load_config(experiment, changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_artbp_shows_the_noise_of_its_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = ["graph.num_steps=2", "truncation.kind=artbp", "truncation.cut_probability=0.2"]
    credit(load_config("r2rt_n5", changes), tmp_path)
    # One boundary: 0 with chance 0.2, else 1.25, so the variance is 0.25.
    assert "1 steps back, where the standard error is 0.0158" in capsys.readouterr().out


def test_a_probability_below_1_is_not_shown_as_1() -> None:
    changes = ["truncation.kind=artbp", "truncation.cut_probability=0.999999"]
    assert describe(load_config("r2rt_n5", changes).truncation) == (
        "artbp (cut_probability 0.999999)"
    )
