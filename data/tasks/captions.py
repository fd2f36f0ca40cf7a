"""One to many: a digit's image at the first step, the letters of its name at this and the next.

image    0  0  0  0  0          8×8 pixels as one input of 64, then inputs of zeros
t        w  o  .                the label of each step; `.` stands for END
1        1  1  0  0  0          weight; a name of 3 letters is 4 steps long
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from data.config import TaskSection
from data.examples import ExampleTask, hold_out
from data.images import Images, small_digits
from data.task import Examples

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
END = "<end>"
VOCABULARY = (END, *sorted(set("".join(NAMES))))
LENGTH = max(len(name) for name in NAMES) + 1  # with END


class CaptionsConfig(TaskSection):
    """The keys of the task."""

    kind: Literal["captions"]
    valid: float = Field(ge=0, le=0.5)

    def make(self) -> Captions:
        """Read scikit-learn's digits. Returns the task."""
        images = small_digits()
        train, sets = hold_out(_captioned(images.train), _captioned(images.test), self.valid)
        return Captions(train, sets, images.sources)


@dataclass(frozen=True)
class Captions(ExampleTask):
    """The captions of scikit-learn's digits."""

    inputs: ClassVar[Literal["ids", "features"]] = "features"
    num_classes: ClassVar[int] = len(VOCABULARY)

    @property
    def num_inputs(self) -> int:
        return int(self.train.inputs.shape[2])


def _captioned(images: Images) -> Examples:
    """inputs [count, LENGTH, pixels], the image at step 0; labels [count, LENGTH]."""
    count = len(images.digits)
    inputs = np.zeros((count, LENGTH, images.pixels[0].size), np.float32)
    inputs[:, 0] = images.pixels.reshape(count, -1)
    labels = np.zeros((len(NAMES), LENGTH), np.int32)
    for row, name in zip(labels, NAMES, strict=True):
        row[: len(name)] = [VOCABULARY.index(letter) for letter in name]
    lengths = np.array([len(name) + 1 for name in NAMES], np.int32)
    weights = (np.arange(LENGTH) < lengths[:, None]).astype(np.float32)
    digits = images.digits
    return Examples(inputs, labels[digits], weights[digits], lengths[digits])
