"""r2rt's binary sequence: y_t depends on single inputs a few steps back.

Source: r2rt, "Recurrent Neural Networks in Tensorflow I" (2016), `gen_data`.
x_t is 0 or 1 with equal chance; P(y_t = 1) is `base` plus the `effect` of every
dependency whose x_{t - lag} is 1. The blog uses base 0.5, (3, +0.5), (8, -0.25).
Losses and entropies are in nats per time step.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from data.config import FloorModels, Section, TaskSection
from data.sequences import FRESH, SequenceTask
from data.task import Answers, Drawn, Sequence

CHUNK = 1 << 16  # draws at a time: stays in cache, and an epoch of 1e8 in memory
LEARNED = 0.5  # of the true effect
FRESH_SIZE = 400_000  # symbols for evaluation: a mean loss to about 0.001
MAX_DEPENDENCIES = 8  # floors and probabilities are exact, over all 2^n combinations
ROUNDING = 1e-12  # 0.5 + 0.3 + 0.2 may miss 1 by an ulp and is still meant as 1


class Dependency(Section):
    """The chance of y_t = 1 changes by `effect` where x_{t - lag} is 1."""

    lag: int = Field(ge=0)
    effect: float = Field(ge=-1, le=1)


class BinaryDependencyConfig(TaskSection):
    """The keys of the task."""

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

    def make(self) -> BinaryDependency:
        """The task."""
        return BinaryDependency(self)

    @property
    def dependency_lags(self) -> tuple[int, ...]:
        return tuple(dependency.lag for dependency in self.dependencies)

    def floor_models(self) -> FloorModels:
        """A model that knows some lags has the mean of P(y = 1) over the others."""
        lags, axes = self.dependency_lags, range(len(self.dependencies))
        chances = [each.probability for each in self.make().combinations()]
        truth = np.clip(np.reshape(chances, [2] * len(lags)), 0, 1)
        models = {}
        for count in range(len(axes) + 1):
            for known in itertools.combinations(axes, count):
                unknown = tuple(axis for axis in axes if axis not in known)
                model = truth.mean(unknown, keepdims=True)
                name = " + ".join(f"lag {lags[axis]}" for axis in known) or "none"
                models[name] = np.broadcast_to(model, truth.shape)
        return FloorModels(lags, truth, models)


class Combination(NamedTuple):
    """One setting of the lagged inputs, with its chance of a 1."""

    inputs: tuple[int, ...]  # x_{t - lag}, one for each dependency
    probability: float  # P(y_t = 1)


@dataclass(frozen=True)
class BinaryDependency(SequenceTask):
    """The task. The config is checked, so every probability is within [0, 1]."""

    num_inputs: ClassVar[int] = 2
    num_classes: ClassVar[int] = 2

    config: BinaryDependencyConfig

    @property
    def size(self) -> int:
        return self.config.size

    @property
    def probe(self) -> LagProbe:
        """Asks a model for the effect of each lagged input."""
        return LagProbe(self)

    def draw(self, stream: np.random.RandomState) -> Sequence:
        """Draw one epoch from a legacy NumPy stream, bit for bit as the blog's loop does.

        The blog draws all inputs by `choice(2, size)`, then one `rand()` a symbol, and
        reads x[i - lag] with Python's negative indices, so the first symbols look at
        the end of the sequence. All of that is kept.
        """
        return self._draw(stream, self.config.size)

    def evaluation(self, _split: str, stream: np.random.RandomState) -> Sequence:
        """New data of FRESH_SIZE symbols, or of the epoch's size where that is less."""
        return self._draw(stream, min(self.config.size, FRESH_SIZE))

    def _draw(self, stream: np.random.RandomState, size: int) -> Sequence:
        inputs = np.empty(size, np.int8)
        for start in range(0, size, CHUNK):
            # choice(2, n) is randint(0, 2, n), and takes one 32-bit draw a value in either width.
            stop = min(start + CHUNK, size)
            inputs[start:stop] = stream.randint(0, 2, stop - start, dtype=np.int32)
        thresholds = np.array([combination.probability for combination in self.combinations()])
        labels = np.empty(size, np.int8)
        for start in range(0, size, CHUNK):
            stop = min(start + CHUNK, size)
            index = self.combination_index(inputs, start, stop)
            labels[start:stop] = stream.random_sample(stop - start) <= thresholds[index]
        return Sequence(inputs, labels)

    def combinations(self) -> list[Combination]:
        """Every setting of the lagged inputs, the first dependency as the highest bit."""
        result = []
        for bits in itertools.product((0, 1), repeat=len(self.config.dependencies)):
            probability = self.config.base
            for dependency, bit in zip(self.config.dependencies, bits, strict=True):
                if bit:  # in the blog's order: the thresholds must be the same to the last bit
                    probability += dependency.effect
            result.append(Combination(bits, probability))
        return result

    def combination_index(
        self, inputs: NDArray[np.int8], start: int, stop: int
    ) -> NDArray[np.intp]:
        """The place in `combinations` of each time step of [start, stop). Shape [stop - start]."""
        index = np.zeros(stop - start, np.intp)
        for lag in self.config.dependency_lags:
            index <<= 1
            index |= _lagged(inputs, start, stop, lag)
        return index

    def floors(self) -> dict[str, float]:
        """The least loss of a model that knows each subset of the dependencies, nats per step.

        Exact: the mean, over the known inputs, of the entropy of P(y=1) averaged over
        the unknown ones. Keys are "none", "lag 3", "lag 3 + lag 8", and so on.
        """
        models = self.config.floor_models().models
        return {name: float(_entropies(model).mean()) for name, model in models.items()}


@dataclass(frozen=True)
class LagProbe:
    """Asks a model which lagged inputs it uses.

    The model's P(y = 1) is averaged over the time steps of each combination of the lagged
    inputs. The effect of an input is the mean difference that it makes; it counts as
    learned from half of the true effect on.
    """

    task: BinaryDependency
    split: ClassVar[str] = FRESH

    def ask(self, drawn: Drawn, probabilities: NDArray[np.float64]) -> Answers:
        """The model's mean for each combination, and its effect for each lag.

        None stands for a mean over no time steps: rows may be too short for a lag.
        """
        chances, task = probabilities[:, :, 1], self.task
        index = task.combination_index(drawn.inputs, 0, chances.size).reshape(chances.shape)
        # At a row's start the state is zeros and has not seen the lagged inputs.
        seen = slice(max(task.config.dependency_lags, default=0), None)
        flat, kinds = chances[:, seen].ravel(), index[:, seen].ravel()
        table = task.combinations()
        counts = np.bincount(kinds, minlength=len(table))
        sums = np.bincount(kinds, flat, minlength=len(table))
        means = np.divide(sums, counts, out=np.full(len(table), np.nan), where=counts > 0)
        combinations = [
            {
                "inputs": list(combination.inputs),
                "true": combination.probability,
                "model": _number(mean),
                "time_steps": int(count),
            }
            for combination, mean, count in zip(table, means, counts, strict=True)
        ]
        return {"combinations": combinations, "effects": self._effects(means)}

    def _effects(self, means: NDArray[np.float64]) -> list[Answers]:
        """The effect of each dependency, from the model's mean for each combination."""
        inputs = np.array([combination.inputs for combination in self.task.combinations()])
        effects = []
        for column, dependency in enumerate(self.task.config.dependencies):
            ones = inputs[:, column] == 1
            effect = float(means[ones].mean() - means[~ones].mean())
            learned = bool(dependency.effect and effect / dependency.effect >= LEARNED)
            effects.append(
                {
                    "lag": dependency.lag,
                    "true": dependency.effect,
                    "model": _number(effect),
                    "learned": learned,
                }
            )
        return effects

    def describe(self, answers: list[Answers]) -> list[str]:
        """How many models learned each dependency."""
        lines = []
        for column, first in enumerate(answers[0]["effects"] if answers else []):
            lag, true = first["lag"], first["true"]
            effects = [answer["effects"][column] for answer in answers]
            effects = [effect for effect in effects if effect["model"] is not None]
            if not effects:
                lines.append(f"lag {lag}: rows too short to tell")
                continue
            learned = sum(effect["learned"] for effect in effects)
            mean = sum(effect["model"] for effect in effects) / len(effects)
            lines.append(
                f"lag {lag}: learned by {learned} of {len(effects)} seeds "
                f"(effect {mean:+.3f}, true {true:+.3f})"
            )
        return lines


def _number(value: float) -> float | None:
    """None for nan, which JSON does not have."""
    return None if math.isnan(value) else float(value)


def _lagged(inputs: NDArray[np.int8], start: int, stop: int, lag: int) -> NDArray[np.int8]:
    """inputs[i - lag] for i in [start, stop), with Python's negative indices."""
    if start >= lag:
        return inputs[start - lag : stop - lag]
    return np.take(inputs, np.arange(start - lag, stop - lag), mode="wrap")


def _entropies(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The entropy in nats of a coin for each chance of heads; 0 at both ends."""
    sides = np.stack([chances, 1 - chances])
    logs = np.log(sides, out=np.zeros_like(sides), where=sides > 0)
    entropies: NDArray[np.float64] = -(sides * logs).sum(0)
    return entropies
