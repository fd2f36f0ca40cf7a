"""Tasks of texts, as the shipped config has them, and the text of three small files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from data.tasks.text import Text, TextConfig
from tests.conftest import ROOT

DEFAULTS = yaml.safe_load((ROOT / "configs/task/text.yaml").read_text("utf-8"))
REAL = os.environ.get("RNN_DATA", "")

TRAIN = " the cat sat \n the <unk> sat \n a cat \n"
VALID = " the cat \n a <unk> \n"
TEST = " a the \n"


def config_of(**keys: Any) -> TextConfig:
    """The shipped config with these keys instead."""
    keys["expect"] = DEFAULTS["expect"] | keys.get("expect", {})
    return TextConfig.model_validate(DEFAULTS | keys)


def make_task(path: str | Path, **keys: Any) -> Text:
    """The task of a file, or of the three that a path stands for."""
    return config_of(**{"source": "file", "path": str(path)} | keys).make()


def needs(name: str) -> pytest.MarkDecorator:
    """Skip a test where a real file is not there."""
    return pytest.mark.skipif(
        not (REAL and Path(REAL, name).is_file()),
        reason=f"needs {name} in the folder that the environment variable RNN_DATA names",
    )
