"""Base classes of the tasks' configs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, get_args, get_origin

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from data.task import Task


class Section(BaseModel):
    """A part of a config. It is immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _a_boolean_is_no_number(cls, value: object, field: ValidationInfo) -> object:
        """Reject True in place of a number, which Python and therefore pydantic read as 1."""
        booleans = [each for each in _items(value) if isinstance(each, bool)]
        if booleans:
            types = {*_leaves(cls.model_fields[str(field.field_name)].annotation)}
            if types & {int, float} and bool not in types:
                raise ValueError(f"expected a number; got {str(booleans[0]).lower()}")
        return value


# rnn_graphs/section.py has a copy: neither room imports the other.


def _leaves(annotation: Any) -> Iterator[Any]:
    """The types that a union, a tuple or an Annotated is made of."""
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated:
        parts = parts[:1]
    if not parts:
        yield annotation
    for part in parts:
        yield from _leaves(part)


def _items(value: object) -> Iterator[object]:
    """The items of a list, and of lists in it; else the value."""
    if not isinstance(value, (list, tuple)):
        yield value
        return
    for item in value:
        yield from _items(item)


class FloorModels(NamedTuple):
    """The ideal models behind a task's entropy floors, over each combination of lagged inputs."""

    lags: tuple[int, ...]
    truth: NDArray[np.float64]  # P(y = 1), one axis of 2 for each lag
    models: dict[str, NDArray[np.float64]]  # the model's P(y = 1) by the name of its floor


class TaskSection(Section):
    """The config of one task. `kind`, a Literal, is the name of the task's file."""

    kind: str

    @property
    def dependency_lags(self) -> tuple[int, ...]:
        """The lags of the inputs that the labels depend on; none where no probe asks for them."""
        return ()

    def floor_models(self) -> FloorModels | None:
        """The models of the entropy floors; None where the task does not know them."""
        return None

    @abstractmethod
    def make(self) -> Task:
        """The task. Raises DataError if its files are wrong."""

    def make_with(self, _vocabulary: tuple[str, ...]) -> Task:
        """The task, with a vocabulary in the place of that of its files, if it has one.

        Raises DataError if its files are wrong.
        """
        return self.make()

    def without_data(self, _vocabulary: tuple[str, ...]) -> Task | None:
        """The task with this vocabulary and no data, to write text; None if it has no text."""
        return None
