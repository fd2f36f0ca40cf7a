"""experiments/benchmarks: the baselines compute what they are compared with."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import run
from data.batching import cut_into_rows
from data.streams import training_stream
from experiments.benchmarks import choice, graphs, per_loss, truncation, updates
from experiments.benchmarks.bench import bench
from experiments.benchmarks.beyond import exponent
from experiments.benchmarks.scale import cost_of
from experiments.benchmarks.timing import Measurement, compare
from experiments.benchmarks.truncation import GraphSize, judge_sizes
from experiments.errors import RunError
from experiments.training.session import TrainingSession, build
from experiments.training.timing import in_turn
from experiments.training.workload import make_workload
from rnn_graphs.graphs.training import StepMaker
from rnn_graphs.truncation.step import make_step
from tests.conftest import small_config


def losses(depth: int, step_maker: StepMaker) -> NDArray[np.floating]:
    """30 updates of true_bptt from seed 0."""
    config = small_config(
        "graph.num_steps=6",
        f"truncation={{kind: true_bptt, depth: {depth}}}",
        "execution.iterations_per_loop=30",
    )
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(training_stream(0)), config.graph.batch_size)
    with TrainingSession(build(config, work, step_maker), 1) as session:
        session.initialize(0)
        return session.train(rows.windows(0, 30, 6), 30)["loss"]


@pytest.mark.parametrize("depth", [1, 2, 4, 6, 9])
def test_a_graph_a_loss_trains_as_true_bptt_does(depth: int) -> None:
    np.testing.assert_allclose(
        losses(depth, per_loss.make_step), losses(depth, make_step), rtol=0, atol=1e-5
    )


def test_functions_are_timed_in_turn_after_a_first_call_each() -> None:
    calls: list[str] = []
    clock = iter([0.0, 1.0, 1.0, 3.0, 10.0, 12.0, 12.0, 16.0])
    functions = [lambda: calls.append("a"), lambda: calls.append("b")]
    first, second = in_turn(functions, 2, lambda: next(clock))
    assert calls == ["a", "b"] * 3
    assert (first, second) == ([1.0, 2.0], [2.0, 4.0])
    assert compare(first, second).ratio == 2


@pytest.mark.parametrize(("deepest", "met"), [(1300, True), (4000, False)])
def test_a_graph_that_grows_with_num_steps_times_depth_does_not_meet_its_row(
    deepest: int, met: bool
) -> None:
    sizes = [GraphSize(40, 5, 1000), GraphSize(80, 5, 1500), GraphSize(40, 20, deepest)]
    steps, depth = judge_sizes(sizes)
    assert steps.met
    assert depth.met == met


def test_a_program_that_fails_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise RunError("ours (on): killed")

    monkeypatch.setattr(choice, "seconds_alone", failing)
    chosen = small_config("execution.threads=1", "execution.xla=on").execution
    failed, skipped = choice.measure_choice({"r2rt_n5": chosen, "other": "no data"})
    assert (failed.target, failed.met) == ("failed: ours (on): killed", False)
    assert (skipped.target, skipped.met) == ("skipped: no data", None)


def test_what_was_measured_before_an_error_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing() -> list[Measurement]:
        raise RunError("no")

    monkeypatch.setattr(choice, "decide_all", dict)
    monkeypatch.setattr(graphs, "measure_graphs", list)
    monkeypatch.setattr(truncation, "measure_sizes", list)
    row = Measurement("data", 1.0, "s", None, None, "", None)
    monkeypatch.setattr(updates, "measure_data", lambda: row)
    monkeypatch.setattr(updates, "measure_updates", failing)
    with pytest.raises(RunError):
        bench(tmp_path)
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["measurements"] == [row._asdict()]


def test_only_the_parts_that_are_asked_for_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Measurement("data", 1.0, "s", None, None, "", None)
    monkeypatch.setattr(updates, "measure_data", lambda: row)
    assert run.main(["bench", "data", "--out", str(tmp_path)]) == 0
    written = json.loads((tmp_path / "bench.json").read_text())
    assert (written["measurements"], written["graphs"]) == ([row._asdict()], [])
    assert "graphs" not in capsys.readouterr().out


def test_an_unknown_part_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run.main(["bench", "speed", "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: part: expected one of graphs, data, updates, ")
    assert line.endswith("; got speed")
    assert not out.exists()


def test_the_exponent_of_a_power_is_found() -> None:
    sizes = (4, 8, 16)
    assert exponent(sizes, [2e-6 * size**3 for size in sizes]) == pytest.approx(3)


def test_the_memory_of_a_command_is_its_own() -> None:
    held = np.ones(50_000_000)  # 0.4 GB of this process, which a child would inherit as its peak
    cost = cost_of(["--version"])
    assert held[-1] == 1
    assert 0.005 < cost.gibibytes < 0.3
    assert cost.seconds > 0


def test_a_command_that_fails_has_no_cost() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        cost_of(["compare", "nowhere"])
