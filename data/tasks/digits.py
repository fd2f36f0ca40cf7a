"""Handwritten digits read row by row and classified at the last row. Many to one.

A time step's input is one row of pixels, so an example is as long as an image is high. With
`layout: image`, the whole image is the input of a single step: a network without recurrence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from data.config import TaskSection
from data.examples import ExampleTask, hold_out, many_to_one, take
from data.files import resolve
from data.images import Images, ImageSets, mnist, small_digits
from data.task import DataError, Examples

DIGITS = 10
MNIST_FOLDER = "mnist"


class DigitsConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["digits"]
    source: Literal["scikit_learn", "mnist"]
    path: str | None
    valid: float = Field(ge=0, le=0.5)
    limit: int | None = Field(ge=1)
    layout: Literal["rows", "image"] = "rows"

    @field_validator("path")
    @classmethod
    def _path_is_for_mnist(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is not None and info.data.get("source") == "scikit_learn":
            raise ValueError(f"source scikit_learn reads no files; expected null, got {path!r}")
        return path

    def make(self) -> Digits:
        """Read the images. Returns the task."""
        images = self._images()
        train, sets = hold_out(
            self._examples(images.train), self._examples(images.test), self.valid
        )
        count = len(train.labels)
        if self.limit is not None and self.limit > count:
            raise DataError(
                f"task.limit: expected at most the number of training images, {count}; "
                f"got {self.limit}"
            )
        return Digits(take(train, slice(self.limit)), sets, images.sources)

    def _examples(self, images: Images) -> Examples:
        count, height, _ = images.pixels.shape
        steps = height if self.layout == "rows" else 1
        pixels = images.pixels.reshape(count, steps, -1)
        return many_to_one(pixels, images.digits, np.full(count, steps, np.int32))

    def _images(self) -> ImageSets:
        if self.source == "mnist":
            return mnist(resolve(MNIST_FOLDER if self.path is None else self.path))
        return small_digits()


@dataclass(frozen=True)
class Digits(ExampleTask):
    """Images of digits, each an example with one row of pixels a time step."""

    inputs: ClassVar[Literal["ids", "features"]] = "features"
    num_classes: ClassVar[int] = DIGITS

    @property
    def num_inputs(self) -> int:
        return int(self.train.inputs.shape[2])
