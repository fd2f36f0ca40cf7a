"""Defaults have one home, configs/: those of the pydantic models are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from data.registry import CONFIGS as CONFIGS_OF_TASKS
from experiments.config.schema import Config
from experiments.paths import CONFIGS

BASE = yaml.safe_load((CONFIGS / "base.yaml").read_text("utf-8"))
SECTIONS: dict[str, type[BaseModel]] = {
    name: field.annotation
    for name, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}


def assert_defaults_are(model: type[BaseModel], content: dict[str, Any], where: str) -> None:
    """Every key is in the YAML, and with the model's default where the model has one."""
    assert set(content) == set(model.model_fields), where
    checked = model.model_validate(content)
    for key, field in model.model_fields.items():
        if not field.is_required():
            default = field.get_default(call_default_factory=True)
            assert getattr(checked, key) == default, f"{where}: {key}"


def test_there_are_sections_with_defaults() -> None:
    assert {"model", "graph", "truncation", "optimizer", "training"} <= set(SECTIONS)
    assert not SECTIONS["model"].model_fields["input_keep_prob"].is_required()


@pytest.mark.parametrize("name", SECTIONS)
def test_a_sections_defaults_are_those_of_base_yaml(name: str) -> None:
    assert_defaults_are(SECTIONS[name], BASE[name], f"configs/base.yaml, {name}")


@pytest.mark.parametrize("kind", CONFIGS_OF_TASKS)
def test_a_tasks_defaults_are_those_of_its_yaml(kind: str) -> None:
    path = Path("task") / f"{kind}.yaml"
    content = yaml.safe_load((CONFIGS / path).read_text("utf-8"))
    assert_defaults_are(CONFIGS_OF_TASKS[kind], content, f"configs/{path}")
