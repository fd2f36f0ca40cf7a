"""States and gates along a sequence: from weights set by hand, and against TensorFlow's cells.

`python -m tests.training.test_states FILE.png` draws the sequence of weights set by hand.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import run
from data.task import Array
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.reporting.pictures import render, save_figure
from experiments.reporting.state_figure import state_figure, write_state_csv
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.states import Recording, SequenceOptions, StateReader, record_run
from rnn_graphs.cells.traits import CELLS, Cell
from rnn_graphs.config import ModelConfig
from rnn_graphs.model import TaskShape
from rnn_graphs.tf1 import tf
from tests.conftest import SMALL

# (value, keep, write) of each step, and c after it: the table of an LSTM's gates.
STEPS: list[tuple[str, tuple[float, float, float], float]] = [
    ("overwrite by 3", (3, 0, 1), 3),
    ("remember", (7, 1, 0), 3),
    ("add 2", (2, 1, 1), 5),
    ("remember", (9, 1, 0), 5),
    ("overwrite by 4", (4, 0, 1), 4),
    ("erase", (8, 0, 0), 0),
    ("add 1", (1, 1, 1), 1),
    ("remember", (6, 1, 0), 1),
]
WIDE = 40.0  # the pre-activation of a gate that is open; closed: its negative


def by_hand() -> Recording:
    """An LSTM of one unit, whose gates do as its inputs say; its activation is relu."""
    config = ModelConfig(cell="lstm", state_size=1, activation="relu")
    with StateReader(config, TaskShape(3, 2, inputs="features")) as reader:
        kernel = np.zeros([4, 4])  # rows: value, keep, write, h; columns: i, candidate, f, o
        kernel[0, 1] = 1
        kernel[1, 2] = kernel[2, 0] = 2 * WIDE
        bias = np.array([-WIDE, 0, -WIDE - 1, WIDE])  # the cell adds 1 to its forget gate
        shapes = {"kernel": kernel, "bias": bias, "W": np.zeros([1, 2]), "b": np.zeros(2)}
        reader.restore({name: shapes[name.rsplit("/", 1)[-1]] for name in reader.names})
        layers = reader.read(np.array([step for _, step, _ in STEPS]))
    return Recording("remember, add, erase, overwrite", [name for name, *_ in STEPS], layers)


def test_remember_add_erase_and_overwrite() -> None:
    recording = by_hand()
    (values,) = recording.layers
    steps = np.array([step for _, step, _ in STEPS])
    np.testing.assert_allclose(values["c"][:, 0], [c for *_, c in STEPS], atol=1e-12)
    np.testing.assert_allclose(values["h"], values["c"], atol=1e-12)
    np.testing.assert_allclose(values["forget gate"][:, 0], steps[:, 1], atol=1e-12)
    np.testing.assert_allclose(values["input gate"][:, 0], steps[:, 2], atol=1e-12)
    np.testing.assert_allclose(values["output gate"], 1, atol=1e-12)
    np.testing.assert_allclose(values["candidate"][:, 0], steps[:, 0], atol=1e-12)


def test_an_encoder_and_decoder_of_their_own_weights() -> None:
    """h alone, because each step has the gates of one cell or the other."""
    config = ModelConfig(cell="gru", state_size=3, decoder="own")
    with StateReader(config, TaskShape(6, 6, decoder_ids=3)) as reader:
        shapes = {
            "gates/kernel": [9, 6], "gates/bias": [6], "candidate/kernel": [9, 3],
            "candidate/bias": [3], "softmax/W": [3, 6], "softmax/b": [6],
        }  # fmt: skip
        sizes = {name: shapes["/".join(name.split("/")[-2:])] for name in reader.names}
        reader.restore({name: np.full(size, 0.5) for name, size in sizes.items()})
        (values,) = reader.read(np.array([0, 1, 4, 5]))
        (encoded,) = reader.read(np.array([0, 1]))
    assert set(values) == {"h"}
    assert values["h"].shape == (4, 3)
    np.testing.assert_array_equal(values["h"][:2], encoded["h"])


class ThreeParts(tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
    """A cell of the user's own: it remembers its last three inputs, the newest last."""

    state_size = (2, 2, 2)
    output_size = 2

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        _, second, third = state
        return inputs, (second, third, inputs)


@pytest.mark.usefixtures("known_cells")
def test_a_cell_of_ones_own_may_have_any_number_of_parts() -> None:
    made = Cell(lambda *_: ThreeParts(), takes=(), joins_inputs=False)
    CELLS["three_parts"] = made
    with StateReader(ModelConfig(cell="three_parts", state_size=2), TaskShape(2, 2)) as reader:
        reader.restore({"model/softmax/W": np.zeros([2, 2]), "model/softmax/b": np.zeros(2)})
        (values,) = reader.read(np.array([0, 1, 1, 0]))
    assert list(values) == ["state part 1", "state part 2", "state part 3"]
    np.testing.assert_array_equal(values["state part 3"], np.eye(2)[[0, 1, 1, 0]])
    np.testing.assert_array_equal(values["state part 1"][2:], np.eye(2)[[0, 1]])


def test_the_picture_and_the_table_show_every_value(tmp_path: Path) -> None:
    recording = by_hand()
    picture = state_figure(*recording)
    (values,) = recording.layers
    shown = [axes for axes in picture.axes if axes.images]
    for axes, (name, value) in zip(shown, values.items(), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), value.T)
        assert axes.get_title(loc="left") == name
    assert [text.get_text() for text in shown[-1].get_xticklabels()] == recording.symbols
    write_state_csv(tmp_path / "states.csv", recording.symbols, recording.layers)
    rows = [*csv.DictReader((tmp_path / "states.csv").read_text().splitlines())]
    assert len(rows) == len(STEPS) * len(values)
    assert float(rows[2]["value"]) == 5
    assert rows[2]["symbol"] == "add 2"


def test_symbols_of_a_text_are_shown_as_they_are_and_no_spreadsheet_runs_them(
    tmp_path: Path,
) -> None:
    symbols = ["$", "$x_$", "=", "=cmd()", "-0.5", "李"]
    layers = [{"h": np.zeros((len(symbols), 1))}]
    picture = state_figure("t", symbols, layers)
    render(picture)
    (axes,) = [axes for axes in picture.axes if axes.images]
    assert [text.get_text() for text in axes.get_xticklabels()][:-1] == symbols[:-1]
    write_state_csv(tmp_path / "states.csv", symbols, layers)
    rows = [*csv.DictReader((tmp_path / "states.csv").read_text("utf-8").splitlines())]
    assert [row["symbol"] for row in rows] == ["$", "$x_$", "=", "'=cmd()", "-0.5", "李"]


@pytest.mark.parametrize(
    "keys",
    [
        {"cell": "basic_lstm", "state_size": 3},
        {"cell": "lstm", "state_size": (3, 2), "peepholes": True, "projection": 2},
        {"cell": "lstm", "state_size": 3, "layer_norm": True, "forget_bias": 0.3},
        {"cell": "gru", "state_size": (3, 2), "embedding": 2, "activation": "softsign"},
        {"cell": "gru", "state_size": 2, "layer_norm": True},
        {"cell": "scratch_lstm", "state_size": (3, 2), "forget_bias": 0.3},
        {"cell": "scratch_gru", "state_size": 3, "embedding": 2},
    ],
    ids=str,
)
def test_gates_explain_the_states_of_the_cell(keys: dict[str, Any]) -> None:
    """Each new state follows from the old one and the gates by the cell's equation."""
    stream = np.random.default_rng(0)
    inputs: Array = stream.integers(0, 4, 12)
    with StateReader(ModelConfig(**keys), TaskShape(4, 2)) as reader:
        shapes = {name: v.shape for name, v in reader._snapshot.values.items()}
        reader.restore({name: stream.normal(0, 1, shape) for name, shape in shapes.items()})
        layers = reader.read(inputs)
    sizes = keys["state_size"] if isinstance(keys["state_size"], tuple) else (keys["state_size"],)
    assert len(layers) == len(sizes)
    for values in layers:
        if "c" in values:
            before = np.concatenate([np.zeros_like(values["c"][:1]), values["c"][:-1]])
            made = values["forget gate"] * before + values["input gate"] * values["candidate"]
            np.testing.assert_allclose(values["c"], made, atol=1e-12)
            if keys["cell"] in ("basic_lstm", "scratch_lstm"):
                h = values["output gate"] * np.tanh(values["c"])
                np.testing.assert_allclose(values["h"], h, atol=1e-12)
        else:
            before = np.concatenate([np.zeros_like(values["h"][:1]), values["h"][:-1]])
            u = values["update gate"]
            np.testing.assert_allclose(
                values["h"], u * before + (1 - u) * values["candidate"], atol=1e-12
            )


def test_of_a_run_along_held_out_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = [*SMALL, "training.epochs=1", "task.size=2000", "model.cell=gru"]
    runner.train(load_config("r2rt_n5", keys), tmp_path / "run")
    recording = record_run(RunDirectory(tmp_path / "run"), SequenceOptions(None, 7), "last")
    assert len(recording.symbols) == 7
    assert set(recording.symbols) <= {"0", "1"}
    assert recording.layers[0]["h"].shape == (7, 4)
    with pytest.raises(UsageError, match="--prompt: binary_dependency has no text"):
        record_run(RunDirectory(tmp_path / "run"), SequenceOptions("a", 7), "last")
    with pytest.raises(UsageError, match=r"--example: .* one sequence; .*, got 0"):
        record_run(RunDirectory(tmp_path / "run"), SequenceOptions(None, 7, example=0), "last")
    for option, asked in (
        ("--example", SequenceOptions("a", 7, example=3)),
        ("--data-changed", SequenceOptions("a", 7, data_changed=True)),
    ):
        with pytest.raises(UsageError, match=f"{option}: --prompt is read, and no held-out data"):
            record_run(RunDirectory(tmp_path / "run"), asked, "last")
    # A picture that cannot be drawn leaves the table.
    monkeypatch.setattr("experiments.reporting.pictures.render", lambda _: 1 / 0)
    assert run.main(["states", str(tmp_path / "run"), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert "states.png: cannot be drawn: ZeroDivisionError" in printed.err
    assert printed.out.endswith(f"written: {tmp_path / 'out' / 'states.csv'}\n")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["states.csv"]


if __name__ == "__main__":
    save_figure(state_figure(*by_hand()), Path(sys.argv[1]))
