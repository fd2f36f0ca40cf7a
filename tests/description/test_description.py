"""Shapes, parameters and work against counts on paper, and the arrows of the picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.config.compose import load_config
from experiments.description import describe as describing
from experiments.description.picture import picture
from experiments.description.shapes import read_shapes
from experiments.description.work import Pace, count_work, error_passes
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig

SMALL = ("task.size=4000", "graph.batch_size=20")


def counts(*overrides: str, experiment: str = "r2rt_n5") -> dict[str, int]:
    config = load_config(experiment, overrides)
    shapes = read_shapes(config, make_workload(config))
    return {each.variable: each.size for each in shapes.parameters}


@pytest.mark.parametrize(
    ("cell", "size"),
    [
        ("scratch", (2 + 4) * 4 + 4),
        ("basic_rnn", (2 + 4) * 4 + 4),
        ("gru", 3 * ((2 + 4) * 4 + 4)),
        ("basic_lstm", 4 * ((2 + 4) * 4 + 4)),
        ("lstm", 4 * ((2 + 4) * 4 + 4)),
    ],
)
def test_the_parameters_of_each_cell(cell: str, size: int) -> None:
    found = counts(*SMALL, f"model.cell={cell}")
    assert sum(size for name, size in found.items() if name.startswith("layer_0")) == size
    assert sum(found.values()) == size + 4 * 2 + 2


def formulas(experiment: str, *overrides: str) -> dict[str, str]:
    config = load_config(experiment, overrides)
    shapes = read_shapes(config, make_workload(config))
    return {each.variable: each.formula for each in shapes.parameters}


def test_the_formulas_name_what_each_matrix_joins() -> None:
    keys = [*SMALL, "model.cell=lstm", "model.projection=2"]
    found = formulas("r2rt_n5", *keys)
    assert found["layer_0/lstm_cell/kernel"] == "(2 inputs + 2 outputs) × 4 × 4 units"
    assert found["layer_0/lstm_cell/projection/kernel"] == "4 units × 2 outputs"
    found = formulas("r2rt_n5", *SMALL, "model.cell=gru")
    assert found["layer_0/gru_cell/gates/kernel"] == "(2 inputs + 4 units) × 2 × 4 units"
    found = formulas("numbers")
    assert found["decoder/layer_0/gru_cell/candidate/kernel"] == "(42 inputs + 64 units) × 64 units"


def test_gains_are_no_products_and_both_cells_of_a_decoder_are() -> None:
    def forward(experiment: str, *overrides: str) -> int:
        config = load_config(experiment, overrides)
        workload = make_workload(config)
        return count_work(config, workload, read_shapes(config, workload)).forward_multiplications

    plain = [*SMALL, "model.cell=gru"]
    assert forward("r2rt_n5", *plain) == forward("r2rt_n5", *plain, "model.layer_norm=true")
    config = load_config("numbers")
    task = make_workload(config).task
    cells = 2 * 3 * 64 * (task.num_inputs + 64)
    assert forward("numbers") == 50 * 11 * (cells + 64 * task.num_classes)


@pytest.mark.parametrize(
    ("experiment", "override", "start"),
    [
        ("r2rt_n5", "graph.num_steps=5", "carried to the next window"),
        ("r2rt_n5", "training.carry_state=false", "zeros before each window"),
        ("digits_small", "model.initial_state=learned", "learned before each example"),
    ],
)
def test_where_a_window_starts(experiment: str, override: str, start: str) -> None:
    config = load_config(experiment, [override])
    (state,) = (
        each
        for each in read_shapes(config, make_workload(config)).tensors
        if each.tensor == "state, part 0"
    )
    assert state.meaning == start


def test_errors_of_rtrl_reach_the_start() -> None:
    config = load_config("r2rt_n5", [*SMALL, "truncation.kind=rtrl"])
    workload = make_workload(config)
    lines = describing.work_lines(
        config, count_work(config, workload, read_shapes(config, workload))
    )
    assert "errors reach the start of a sequence (rtrl)" in lines[0]


@pytest.mark.parametrize(
    ("keep", "experiment", "width"),
    [(1.0, "numbers", 42), (0.8, "numbers", 42), (0.8, "r2rt_n5", 2)],
)
def test_masks_and_marks_of_a_decoder_are_no_encoded_inputs(
    keep: float, experiment: str, width: int
) -> None:
    config = load_config(experiment, [f"model.output_keep_prob={keep}"])
    tensors = read_shapes(config, make_workload(config)).tensors
    (encoded,) = (each.shape for each in tensors if each.tensor == "encoded inputs")
    assert encoded == [config.graph.num_steps, config.graph.batch_size, width]


def test_num_steps_does_not_change_the_parameters() -> None:
    assert counts(*SMALL, "graph.num_steps=1") == counts(*SMALL, "graph.num_steps=50")


def test_stacked_layers_have_weights_of_their_own() -> None:
    found = counts(*SMALL, "model.state_size=[4,8]")
    assert found["layer_1/scratch_cell/W"] == (4 + 8) * 8


def test_the_described_variables_are_those_that_are_trained() -> None:
    config = load_config("r2rt_n5", [*SMALL, "model.cell=lstm", "execution.xla=off"])
    workload = make_workload(config)
    with TrainingSession(build(config, workload), 1) as session:
        session.initialize(0)
        trained = session.variables()
    for each in read_shapes(config, workload).parameters:
        assert list(trained[f"model/{each.variable}"].shape) == each.shape
        assert trained[f"model/{each.variable}"].size == each.size


def test_work_on_paper() -> None:
    """W is 6 × 4 and the head 4 × 2; 20 rows of 5 steps; Adagrad keeps one value a weight."""
    config = load_config("r2rt_n5", SMALL)
    workload = make_workload(config)
    work = count_work(config, workload, read_shapes(config, workload))
    assert work.forward_multiplications == 20 * 5 * (24 + 8)
    assert work.backward_multiplications == 2 * work.forward_multiplications
    assert work.activation_bytes == 4 * 20 * 5 * (2 + 4 + 2)
    assert work.parameter_bytes == 4 * 38 * 3
    assert work.updates_per_epoch == work.updates == 40
    assert work.time_steps == 4000


@pytest.mark.parametrize(
    ("truncation", "num_steps", "passes"),
    [
        (TruncationConfig(kind="full"), 20, 1),
        (TruncationConfig(kind="tf_style", depth=5), 20, 1),
        (TruncationConfig(kind="true_bptt", depth=7), 20, 7),
        (TruncationConfig(kind="williams_peng", depth=8, stride=4, context=True), 20, 2),
        (TruncationConfig(kind="williams_peng", depth=8, stride=4, context=True), 4, 1),
        (TruncationConfig(kind="true_bptt", depth=7, context=True), 1, 1),
    ],
)
def test_errors_that_stop_at_different_places_pass_side_by_side(
    truncation: TruncationConfig, num_steps: int, passes: float
) -> None:
    assert error_passes(truncation, num_steps) == passes


def ends_of_errors(*keys: str) -> NDArray[np.float64]:
    """The left and the right end of each error's arrow in the picture, [losses, 2]."""
    (axes,) = picture(load_config("r2rt_n5", keys)).axes
    arrows: list[Any] = [each for each in axes.texts if each.get_text() == ""]
    arrows = [each for each in arrows if each.xy[1] < -0.5]  # below the cells
    return np.array([(each.xy[0], each.xyann[0]) for each in arrows])


def test_the_picture_has_an_arrow_for_each_loss_to_the_end_of_its_error() -> None:
    keys = ("truncation.kind=true_bptt", "truncation.depth=3", "truncation.context=true")
    left, right = ends_of_errors(*keys).T
    assert len(left) == 5
    np.testing.assert_allclose(right - left, 3 - 1 + 2 * 0.12)


def test_errors_that_go_beyond_the_window_leave_the_picture_on_its_left() -> None:
    left, right = ends_of_errors("truncation.kind=rtrl").T
    np.testing.assert_allclose(left, -0.6 - 0.12)  # where "state" is
    np.testing.assert_allclose(right, np.arange(5) + 0.12)


def test_an_error_of_no_leak_ends_at_its_own_step() -> None:
    left, right = ends_of_errors("truncation.kind=rflo", "truncation.leak=0").T
    np.testing.assert_allclose(left, np.arange(5) - 0.12)
    np.testing.assert_allclose(right, np.arange(5) + 0.12)


def test_a_wide_graph_is_drawn_in_part() -> None:
    (axes,) = picture(load_config("lag_17")).axes
    assert axes.get_title(loc="left") == "lag_17: one update; the last 12 of 54 steps"


def test_json_has_all_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(describing, "measure_pace", lambda *_: Pace(0.5, 1e-3, 2.0))
    describing.describe(load_config("r2rt_n5", SMALL), tmp_path, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["parameters_in_all"] == 38
    assert found["pace"]["run_seconds"] == 2.0
    assert found["floors"]["lag 3"] == pytest.approx(0.5192, abs=1e-4)
    assert [each["tensor"] for each in found["tensors"]][-1] == "loss"
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_does_not_fail_a_description(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("experiments.reporting.pictures.render", lambda _: 1 / 0)
    monkeypatch.setattr(describing, "measure_pace", lambda *_: Pace(0.5, 1e-3, 2.0))
    describing.describe(load_config("r2rt_n5", SMALL), tmp_path)
    printed = capsys.readouterr()
    assert "graph.png: cannot be drawn: ZeroDivisionError" in printed.err
    assert "written" not in printed.out


def test_buckets_and_other_remarks_are_described(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(describing, "measure_pace", lambda *_: Pace(0.5, 1e-3, 2.0))
    config = load_config("captions", ["graph.buckets=3"])
    describing.describe(config, None)
    assert "buckets of up to" in capsys.readouterr().out
    describing.describe(config, None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["padded_lengths"] == list(make_workload(config).padded)
    assert any("buckets of up to" in remark for remark in found["notes"])
