"""graph.buckets: the same losses and gradients with less padding, in every style of truncation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.streams import training_stream
from experiments.config.compose import load_config
from experiments.errors import Interrupted, UsageError
from experiments.training import runner
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from tests.conftest import StopAtSave, assert_same_end

SMALL = (
    "model.state_size=5", "model.cell=scratch", "graph.precision=float64", "execution.xla=off",
    "execution.iterations_per_loop=5", "optimizer.kind=sgd", "optimizer.learning_rate=0.5",
    "logging.metrics=[accuracy,gradient_norm]", "training.epochs=1",
)  # fmt: skip
STYLES = {
    "full": (),
    "tf_style": ("truncation.kind=tf_style", "truncation.depth=2"),
    "true_bptt": ("truncation.kind=true_bptt", "truncation.depth=3"),
    "williams_peng": (
        "truncation.kind=williams_peng", "truncation.depth=4", "truncation.stride=2",
    ),
    "artbp": ("truncation.kind=artbp", "truncation.cut_probability=0.3"),
}  # fmt: skip
DROPOUT = ("model.input_keep_prob=0.7", "model.output_keep_prob=0.6")


@pytest.mark.parametrize(
    ("keys", "padded"),
    [
        ((*STYLES["full"], "graph.unroll=dynamic", *DROPOUT), (4, 5, 6)),
        ((*STYLES["full"], "graph.padding=sequence_length", "execution.loop=per_step"), (4, 5, 6)),
        (STYLES["tf_style"], (4, 6)),
        (STYLES["true_bptt"], (4, 5, 6)),
        (STYLES["williams_peng"], (4, 6)),
        (STYLES["artbp"], (4, 5, 6)),
    ],
    ids=["full", "per_step", "tf_style", "true_bptt", "williams_peng", "artbp"],
)
def test_updates_are_those_of_the_same_batches_without_buckets(
    keys: tuple[str, ...], padded: tuple[int, ...]
) -> None:
    """The batches of an epoch in buckets, trained by a graph with buckets and by one without."""
    config = load_config("captions", [*SMALL, *keys, "graph.buckets=4"])
    work = make_workload(config)
    assert work.padded == padded
    rows = work.draw(training_stream(3), config.graph.batch_size)
    losses, variables = [], []
    for each in (work, work._replace(padded=())):
        with TrainingSession(build(config, each), 1) as session:
            session.initialize(1)
            count = session.iterations
            found = [
                session.train(rows.windows(first, count, 6), count) for first in range(0, 10, count)
            ]
            losses.append({name: [part[name] for part in found] for name in found[0]})
            variables.append(session.variables())
    for name, values in losses[0].items():
        np.testing.assert_allclose(values, losses[1][name], rtol=1e-12, err_msg=name)
    for name, value in variables[0].items():
        np.testing.assert_allclose(value, variables[1][name], rtol=1e-11, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("unroll", ["static", "dynamic"])
def test_xla_compiles_the_buckets(unroll: str) -> None:
    losses = []
    for xla in ("on", "off"):
        keys = [*SMALL, f"graph.unroll={unroll}", f"execution.xla={xla}", "graph.buckets=4"]
        config = load_config("captions", keys)
        work = make_workload(config)
        rows = work.draw(training_stream(3), config.graph.batch_size)
        with TrainingSession(build(config, work), 1) as session:
            session.initialize(1)
            losses.append(session.train(rows.windows(0, 5, 6), 5)["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-10)


def test_the_graph_computes_no_more_steps_than_the_bucket_has() -> None:
    """Inputs that are not a number past a batch's longest example do not reach its loss."""
    config = load_config("captions", [*SMALL, "graph.buckets=4"])
    work = make_workload(config)
    rows = work.draw(training_stream(3), config.graph.batch_size)
    assert rows.lengths is not None
    shortest = int(rows.lengths.max(axis=0).argmin())
    window = rows.windows(shortest, 1, 6)
    assert window.lengths is not None
    assert window.lengths.max() == 4
    spoiled = window.inputs.copy()
    spoiled[:, 4:] = np.nan
    for padded, is_finite in ((work.padded, True), ((), False)):
        with TrainingSession(build(config, work._replace(padded=padded)), 1) as session:
            session.initialize(1)
            loss = session.train(window._replace(inputs=spoiled), 1)["loss"]
            assert bool(np.isfinite(loss).all()) == is_finite


@pytest.mark.usefixtures("only_training")
def test_a_run_in_buckets_resumes_bit_for_bit(tmp_path: Path, stop_at_save: StopAtSave) -> None:
    keys = [
        "model.state_size=4", "training.epochs=2", "training.seeds=2", "graph.buckets=4",
        "execution.iterations_per_loop=7", "execution.xla=off", "execution.threads=1",
        "logging.checkpoint_seconds=0", "training.validate_every=null", "logging.every=9",
        "logging.tensorboard=false",
    ]  # fmt: skip
    config = load_config("captions", keys)
    runner.train(config, tmp_path / "whole")
    for saves in (3, 4):
        stop_at_save.arm(saves)
        with pytest.raises(Interrupted):
            runner.train(config, tmp_path / "stopped")
    runner.train(config, tmp_path / "stopped")
    assert_same_end(tmp_path / "stopped", tmp_path / "whole", config.seeds)
    note = "buckets of up to 4, 5, 6 time steps"
    assert note in (tmp_path / "whole" / "log.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("experiment", "keys", "message"),
    [
        ("r2rt_n5", (), "graph.buckets: binary_dependency draws one sequence"),
        ("captions", ("graph.padding=none",), "padding=none counts the losses of the padding"),
        ("digits_small", (), "graph.buckets: all examples of digits have 8 time steps"),
        (
            "sentiment_small",
            ("task.pad=start", "graph.padding=mask"),
            r"all examples of sentiment have 40 time steps \(padding at the start counts\)",
        ),
    ],
)
def test_where_buckets_would_do_nothing_they_are_refused(
    experiment: str, keys: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make_workload(load_config(experiment, [*keys, "graph.buckets=2"]))
