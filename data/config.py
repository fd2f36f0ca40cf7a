"""What a user may say about a task."""

from __future__ import annotations

import itertools
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

MAX_DEPENDENCIES = 8  # floors and probabilities are exact, over all 2^n combinations
ROUNDING = 1e-12  # 0.5 + 0.3 + 0.2 may miss 1 by an ulp and is still meant as 1


class Section(BaseModel):
    """A part of a config: cannot change, and has no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _a_boolean_is_no_number(cls, value: object, field: ValidationInfo) -> object:
        """Python takes True for 1, and so would pydantic."""
        annotation = cls.model_fields[str(field.field_name)].annotation
        if isinstance(value, bool) and annotation in (int, float, int | None, float | None):
            raise ValueError(f"expected a number; got {value}")
        return value


class Dependency(Section):
    """The chance of y_t = 1 changes by `effect` where x_{t - lag} is 1."""

    lag: int = Field(ge=0)
    effect: float = Field(ge=-1, le=1)


class BinaryDependencyConfig(Section):
    """r2rt's binary sequence; see data/binary_dependency.py."""

    kind: Literal["binary_dependency"]
    size: int = Field(ge=1, le=1_000_000_000)
    base: float = Field(ge=0, le=1)
    dependencies: tuple[Dependency, ...] = Field(max_length=MAX_DEPENDENCIES)

    @field_validator("dependencies")
    @classmethod
    def _lags_differ(cls, dependencies: tuple[Dependency, ...]) -> tuple[Dependency, ...]:
        lags = [dependency.lag for dependency in dependencies]
        for lag in lags:
            if lags.count(lag) > 1:
                raise ValueError(
                    f"each lag at most once, lag {lag} is there {lags.count(lag)} times"
                )
        return dependencies

    @model_validator(mode="after")
    def _longest_lag_fits(self) -> BinaryDependencyConfig:
        longest = max((dependency.lag for dependency in self.dependencies), default=0)
        if longest >= self.size:
            raise ValueError(
                f"size must be greater than the longest lag, {longest}; got {self.size}"
            )
        return self

    @model_validator(mode="after")
    def _probabilities_are_probabilities(self) -> BinaryDependencyConfig:
        for bits in itertools.product((0, 1), repeat=len(self.dependencies)):
            chance = self.base + sum(
                dependency.effect
                for dependency, bit in zip(self.dependencies, bits, strict=True)
                if bit
            )
            if not -ROUNDING <= chance <= 1 + ROUNDING:
                inputs = ", ".join(
                    f"x[t-{dependency.lag}]={bit}"
                    for dependency, bit in zip(self.dependencies, bits, strict=True)
                )
                raise ValueError(f"P(y=1) must stay within [0, 1]; for {inputs} it is {chance:g}")
        return self


# A new task adds its own model here; `kind` then chooses between them.
TaskConfig = BinaryDependencyConfig
