"""Base classes of the tasks' configs."""

from __future__ import annotations

from abc import abstractmethod

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from data.task import Task


class Section(BaseModel):
    """A part of a config. It is immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _a_boolean_is_no_number(cls, value: object, field: ValidationInfo) -> object:
        """Reject a boolean where a number is expected: pydantic would read True as 1."""
        annotation = cls.model_fields[str(field.field_name)].annotation
        if isinstance(value, bool) and annotation in (int, float, int | None, float | None):
            raise ValueError(f"expected a number; got {value}")
        return value


class TaskSection(Section):
    """The config of one task. `kind`, a Literal, is the name of the task's file."""

    kind: str

    @abstractmethod
    def make(self) -> Task:
        """The task. Raises DataError where its files are not as they should be."""

    def make_with(self, _vocabulary: tuple[str, ...]) -> Task:
        """The task, with a vocabulary in the place of that of its files, if it has one.

        Raises DataError where its files are not as they should be.
        """
        return self.make()

    def without_data(self, _vocabulary: tuple[str, ...]) -> Task | None:
        """The task with this vocabulary and no data, to write text; None if it has no text."""
        return None
