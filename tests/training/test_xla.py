"""experiments/training/xla.py: whether XLA pays, and how many updates there are."""

from __future__ import annotations

import pytest

from experiments.config.compose import load_config
from experiments.training.workload import make_workload
from experiments.training.xla import uses_xla


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


@pytest.mark.parametrize("choice", ["on", "off"])
def test_a_choice_is_followed(choice: str) -> None:
    config = load_config("r2rt_n5", [f"execution.xla={choice}", "execution.loop=per_step"])
    assert uses_xla(config, 1000) == (choice == "on")


@pytest.mark.parametrize(
    ("overrides", "compiles"),
    [
        (["training.seeds=100"], True),
        (["task.size=10000"], False),  # no work that would pay for compiling
        (["training.seeds=100", "execution.loop=per_step"], False),
        (["training.seeds=100", "truncation={kind: artbp, cut_probability: 0.1}"], False),
    ],
)
def test_auto_looks_at_the_work_ahead(overrides: list[str], compiles: bool) -> None:
    config = load_config("r2rt_n5", overrides)
    assert uses_xla(config, make_workload(config).updates) == compiles


@pytest.mark.parametrize(("cell", "compiles"), [("gru", True), ("scratch", False)])
def test_auto_knows_that_the_own_cell_takes_longer_to_compile(cell: str, compiles: bool) -> None:
    wide = [f"model.cell={cell}", "graph.num_steps=33", "training.seeds=4"]
    config = load_config("horizon", wide)
    assert uses_xla(config, make_workload(config).updates) == compiles
