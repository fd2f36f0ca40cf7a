"""The base of every part of a config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Section(BaseModel):
    """A part of a config. It is immutable and rejects unknown keys."""

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


# data/config.py has a copy: neither room imports the other.


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
