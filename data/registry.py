"""All tasks: each file of data/tasks/ holds one config, whose `kind` is the file's name."""

from __future__ import annotations

import functools
import importlib
import operator
import pkgutil
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Tag

import data.tasks
from data.config import TaskSection


def _config_of(kind: str) -> type[TaskSection]:
    module = importlib.import_module(f"data.tasks.{kind}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, TaskSection)
        and value.__module__ == module.__name__
    )
    return found


CONFIGS = {
    module.name: _config_of(module.name) for module in pkgutil.iter_modules(data.tasks.__path__)
}


def _kind(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) else None


if TYPE_CHECKING:
    TaskConfig = TaskSection
else:
    TaskConfig = Annotated[
        functools.reduce(operator.or_, (Annotated[c, Tag(kind)] for kind, c in CONFIGS.items())),
        Discriminator(
            _kind,
            custom_error_type="task_kind",
            custom_error_message=f"kind: expected one of {', '.join(CONFIGS)}",
        ),
    ]
