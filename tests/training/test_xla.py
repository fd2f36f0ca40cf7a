"""experiments/training/xla.py: whether XLA pays, and how many updates there are."""

from __future__ import annotations

import pytest

from experiments.config.compose import load_config
from experiments.training import execution
from experiments.training.execution import decide
from experiments.training.workload import make_workload


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], 1000),
        (["training.epochs=3"], 3000),
        (["graph.num_steps=7"], 714),  # rows of 5000 hold 714 windows of 7
        (["graph.batch_size=300", "graph.num_steps=1"], 3333),
    ],
)
def test_updates_are_whole_windows_of_whole_rows(overrides: list[str], expected: int) -> None:
    assert make_workload(load_config("r2rt_n5", overrides)).updates == expected


def compiles(experiment: str, *overrides: str, updates: int | None = None) -> bool:
    """Whether auto compiles; `updates` of each seed, where the data are not to be read."""
    config = load_config(experiment, [*overrides])
    workload = make_workload(config)
    if updates is not None:
        workload = workload._replace(updates=updates)
    return decide(config, workload).xla == "on"


@pytest.mark.parametrize("choice", ["on", "off"])
def test_a_choice_is_followed(choice: str) -> None:
    overrides = [f"execution.xla={choice}", "execution.loop=per_step"]
    assert compiles("r2rt_n5", *overrides) == (choice == "on")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["training.seeds=100"], True),
        (["task.size=10000"], False),  # no work that would pay for compiling
        (["training.seeds=100", "execution.loop=per_step"], False),
        (["training.seeds=100", "truncation={kind: artbp, cut_probability: 0.1}"], True),
    ],
)
def test_auto_looks_at_the_work_ahead(overrides: list[str], expected: bool) -> None:
    assert compiles("r2rt_n5", *overrides) == expected


@pytest.mark.parametrize(
    "truncation",
    [
        "{kind: true_bptt, depth: 18}",  # 30 s of compiling, 3.6 ms saved in each of 20,000 updates
        "{kind: true_bptt, depth: 18, context: true}",
        "{kind: williams_peng, depth: 18, stride: 9}",
    ],
)
def test_auto_knows_that_truncation_copies_the_cell(truncation: str) -> None:
    assert compiles("lag_17", f"truncation={truncation}")
    assert not compiles("lag_17", f"truncation={truncation}", "training.seeds=1")


# digits come with scikit-learn: a GRU of 8 steps; its dropout is of the outputs.
DIGITS = ("digits_small", "model.state_size=700", "graph.batch_size=64")
NO_DROPOUT = ("model.input_keep_prob=1", "model.output_keep_prob=1")


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not imported it yet, and may use two cores."""
    monkeypatch.setattr(execution, "imported_with_onednn", lambda: None)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")


def test_auto_knows_that_draws_and_an_embedding_are_slow() -> None:
    many = ["model.state_keep_prob=0.5", "model.input_keep_prob=0.5", "execution.onednn=off"]
    one = ["execution.onednn=off", "execution.threads=1"]
    assert compiles(*DIGITS, *NO_DROPOUT, *one, updates=1000)
    assert not compiles("digits_small", "model.state_size=4", *many, updates=2000)
    assert not compiles("sentiment_small", *NO_DROPOUT, "graph.batch_size=512", updates=10**6)


@pytest.mark.usefixtures("no_tensorflow")
def test_on_wide_layers_onednn_leaves_xla_less_to_save() -> None:
    one = "execution.threads=1"
    assert compiles(*DIGITS, *NO_DROPOUT, "execution.onednn=off", one, updates=1000)
    assert not compiles(*DIGITS, *NO_DROPOUT, one, updates=1000)
    assert compiles(*DIGITS, *NO_DROPOUT, one, updates=20_000)


def test_auto_knows_that_many_copies_of_a_gated_cell_take_long_to_compile() -> None:
    """Of 80 copies 60 s and more, a quadratic part: for the same symbols as with 20, too much."""
    narrow = ["model.state_size=20", "graph.batch_size=32", *NO_DROPOUT]
    assert compiles("text_python_docs", *narrow, "graph.num_steps=20", updates=80_000)
    assert not compiles("text_python_docs", *narrow, "graph.num_steps=80", updates=20_000)
    assert compiles("text_python_docs", *narrow, "graph.num_steps=80", updates=80_000)


@pytest.mark.usefixtures("no_tensorflow")
def test_a_second_core_helps_where_xla_cannot_use_it() -> None:
    assert not compiles(*DIGITS, *NO_DROPOUT, updates=20_000)  # auto takes both
    assert compiles("r2rt_n5", "execution.threads=2", updates=10**6)  # narrow
