"""experiments/studies/grid.py: a product of values stands for runs."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from experiments.config.compose import load_config
from experiments.studies.grid import GridSpec, RunSpec

GRID = GridSpec(
    experiment="lag_17",
    overrides=("truncation.kind=tf_style",),
    over={"task.dependencies.0.lag": (2, 16), "model.cell": ("gru", "lstm")},
)


def test_every_combination_is_a_run_named_by_its_values() -> None:
    runs = GRID.runs("tf")
    assert list(runs) == ["tf/2,gru", "tf/2,lstm", "tf/16,gru", "tf/16,lstm"]
    expected = ("truncation.kind=tf_style", "task.dependencies.0.lag=16", "model.cell=gru")
    assert runs["tf/16,gru"] == RunSpec(experiment="lag_17", overrides=expected)


def test_a_boolean_is_written_as_the_command_line_has_it() -> None:
    content = {"experiment": "lag_17", "over": {"logging.tensorboard": [False, True, 1, "x"]}}
    runs = GridSpec.model_validate(content).runs("g")
    assert list(runs) == ["g/false", "g/true", "g/1", "g/x"]
    assert runs["g/false"].overrides == ("logging.tensorboard=false",)


def test_the_overrides_reach_the_config() -> None:
    spec = GRID.runs("tf")["tf/16,gru"]
    config = load_config(spec.source, spec.overrides).as_dict()
    assert config["task"]["dependencies"] == [{"lag": 16, "effect": 0.5}]
    assert config["model"]["cell"] == "gru"


def test_a_grid_over_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="over"):
        GridSpec(experiment="lag_17", over={})
