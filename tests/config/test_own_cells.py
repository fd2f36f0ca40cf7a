"""--cells FILE.py: an own cell under every command that takes it, and from no run directory."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import experiments
import run
from experiments.config.compose import load_config
from experiments.config.own_cells import register_cells
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from rnn_graphs.cells.traits import CELLS
from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.truncation.credit import definition
from tests import layers_reference
from tests.conftest import ROOT, SMALL, metrics_of
from tests.graphs import close, draw_example, run_steps
from tests.layers_reference import ACTIVATIONS, Array, gradient, pairs, sigmoid

EXAMPLE = ROOT / "examples" / "weighted_gru.py"
pytestmark = pytest.mark.usefixtures("known_cells")


def weighted_gru(
    _config: ModelConfig, w: list[Array], x: Array, state: list[Array]
) -> tuple[Array, list[Array]]:
    """The equations of the example, in NumPy."""
    (h,) = state
    gates, gates_bias, mix, mix_bias, candidates, recurrent, recurrent_bias = w
    both = np.concatenate([x, h], -1)
    r, u = np.split(sigmoid(both @ gates + gates_bias[:, None]), 2, -1)
    shares = np.exp(both @ mix + mix_bias[:, None])
    shares /= shares.sum(axis=-1, keepdims=True)
    mixed = sum(shares[..., k, None] * (x @ candidates[:, k]) for k in range(candidates.shape[1]))
    c = ACTIVATIONS["tanh"](mixed + (r * h) @ recurrent + recurrent_bias[:, None])
    h = u * h + (1 - u) * c
    return h, [h]


@pytest.mark.parametrize(
    ("unroll", "truncation"),
    [
        ("static", {"kind": "true_bptt", "depth": 2}),
        ("dynamic", {"kind": "full"}),
        ("dynamic", {"kind": "tf_style", "depth": 3}),
        ("static", {"kind": "williams_peng", "depth": 4, "stride": 2}),
    ],
)
def test_the_shipped_example_is_the_blogs_cell(
    unroll: Any, truncation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    register_cells(EXAMPLE)
    monkeypatch.setitem(layers_reference.CELLS, "weighted_gru", weighted_gru)
    monkeypatch.setattr(layers_reference, "_count", lambda _: 7)
    monkeypatch.setattr(
        layers_reference, "_one_hot", lambda inputs, _config, _at: np.eye(3)[inputs]
    )
    config, style = ModelConfig(cell="weighted_gru", state_size=3), TruncationConfig(**truncation)
    example = draw_example(1, time=6)
    ran = run_steps(config, example, [(unroll, style)])
    found = pairs(config, ran.weights, ran.example)
    close(ran.steps[0].losses, found.losses)
    expected = gradient(found, definition(style, len(example.labels)), None)
    for ours, theirs in zip(ran.steps[0].gradients, expected, strict=True):
        close(ours, theirs)


def test_a_run_is_trained_and_read_with_the_file_and_refused_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run"
    arguments = ["train", "r2rt_n5", *SMALL, "training.epochs=1", "model.cell=weighted_gru"]
    cells = ["--cells", str(EXAMPLE)]
    assert run.main([*arguments, *cells, "--run-dir", str(path), "-q"]) == 0
    assert len(metrics_of(path)) == 2
    assert "weighted_gru.py" not in (path / "config.yaml").read_text()
    del CELLS["weighted_gru"]
    assert run.main(["evaluate", str(path), *cells]) == 0
    del CELLS["weighted_gru"]
    capsys.readouterr()
    assert run.main(["evaluate", str(path)]) == 2
    assert "got 'weighted_gru'" in capsys.readouterr().err
    with pytest.raises(UsageError, match="expected one of scratch"):
        RunDirectory(path).read_config()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the shipped example on text, and the text's file beside it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "text.txt").write_text("in the beginning there was a cell. " * 40)
    known = dict(CELLS)
    assert run.main([*_train(folder), "--run-dir", str(folder / "run"), "-q"]) == 0
    CELLS.clear()
    CELLS.update(known)
    return folder


def _train(folder: Path, command: str = "train") -> list[str]:
    return [
        command, "text_python_docs", "task.source=file", f"task.path={folder / 'text.txt'}",
        "graph.batch_size=4", "graph.num_steps=3", "training.epochs=2", "task.held_out_rows=2",
        "model.state_size=3", "model.cell=weighted_gru", "model.initializer=orthogonal",
        "--cells", str(EXAMPLE),
    ]  # fmt: skip


@pytest.mark.parametrize("command", ["describe", "gradients", "credit"])
def test_commands_on_an_experiment_take_it(
    command: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main([*_train(trained, command), "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    if command == "gradients":
        assert "not compared with rtrl: model.cell: rtrl needs to know what each weight" in out
    if command == "describe":
        assert re.search(r"candidates +\[5, \d+, 3\] +5 × \d+ × 3", out)


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("states", ["--prompt", "in the"]),
        ("generate", ["--prompt", "in the", "--length", "5"]),
        ("score", ["in the beginning"]),
        ("evaluate", []),
        ("export", []),
    ],
)
def test_commands_on_a_run_take_it(
    command: str, more: list[str], trained: Path, tmp_path: Path
) -> None:
    out = ["--out", str(tmp_path / "out")] if command in ("states", "export") else []
    run_dir = str(trained / "run")
    assert run.main([command, run_dir, *more, *out, "--cells", str(EXAMPLE)]) == 0


def test_the_processes_of_a_sweep_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cells = ["--cells", os.path.relpath(EXAMPLE)]
    alone = ["train", "r2rt_n5", *SMALL, "model.cell=weighted_gru", "--run-dir", "alone", *cells]
    assert run.main([*alone, "-q"]) == 0
    CELLS.pop("weighted_gru")
    grid = ["model.cell=gru,weighted_gru", "--workers", "1", *cells]
    assert run.main(["sweep", "r2rt_n5", *SMALL, *grid, "-q"]) == 0
    (swept,) = tmp_path.glob("runs/**/*weighted_gru*/metrics.csv")
    assert metrics_of(swept.parent) == metrics_of(tmp_path / "alone")


def test_a_file_that_is_gone_when_a_process_needs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    register_cells(Path(shutil.copy(EXAMPLE, tmp_path / "mine.py")))
    (tmp_path / "mine.py").unlink()
    assert run.main(["sweep", "r2rt_n5", *SMALL, "model.cell=weighted_gru,gru", "--workers", "1"])
    assert "mine.py: no such file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1", "expected a dictionary CELLS of names and cells, got None"),
        ("CELLS = {}", "expected a dictionary CELLS"),
        ("CELLS = {'gru': int}", "the name 'gru' is taken"),
        ("CELLS = {'a b': int}", "expected names such as"),
        ("CELLS = {'mine': 3}", "mine: expected a class or a function: 3"),
        ("raise ValueError('no')", "ValueError: no"),
        ("def (", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "cells.py").write_text(content)
    known = dict(CELLS)
    with pytest.raises(UsageError, match=message):
        register_cells(tmp_path / "cells.py")
    assert known == CELLS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("CELLS = {'mine': lambda *_: None}", "mine: expected a cell, .* got None"),
        ("CELLS = {'mine': lambda size: None}", r"mine\(state_size, dtype\): .* 1 positional"),
    ],
)
def test_what_makes_no_cell_is_told(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "cells.py").write_text(content)
    register_cells(tmp_path / "cells.py")
    with pytest.raises(UsageError, match=message):
        experiments.build_graph(load_config("r2rt_n5", [*SMALL, "model.cell=mine"]))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        register_cells(tmp_path / "cells.py")
