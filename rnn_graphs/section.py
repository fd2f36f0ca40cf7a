"""The base of every part of a config."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Section(BaseModel):
    """A part of a config. It is immutable and rejects unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _a_boolean_is_no_number(cls, value: object, field: ValidationInfo) -> object:
        """Reject True in place of a number, which Python and therefore pydantic read as 1."""
        if isinstance(value, bool):
            annotation = cls.model_fields[str(field.field_name)].annotation
            if annotation in (int, float, int | None, float | None):
                raise ValueError(f"expected a number; got {value}")
        return value
