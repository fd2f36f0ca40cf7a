"""data/tasks/captions.py: one image, then the letters of a name."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_digits

from data.tasks.captions import END, VOCABULARY, Captions, CaptionsConfig
from experiments.paths import CONFIGS

YAML = CONFIGS / "task" / "captions.yaml"
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def decode(ids: Iterable[int]) -> str:
    """The letters before END."""
    return "".join(takewhile(END.__ne__, (VOCABULARY[number] for number in ids)))


@pytest.fixture(scope="module")
def task() -> Captions:
    return CaptionsConfig.model_validate(yaml.safe_load(YAML.read_text("utf-8"))).make()


def test_the_image_stands_at_the_first_step_alone(task: Captions) -> None:
    count = len(task.train.inputs)
    assert task.train.inputs.shape == (count, 6, 64)
    assert task.num_inputs == 64
    expected = load_digits().data[:count].astype(np.float32) / np.float32(16)
    np.testing.assert_array_equal(task.train.inputs[:, 0], expected)
    assert not task.train.inputs[:, 1:].any()


def test_the_labels_are_the_letters_of_the_name_and_the_end(task: Captions) -> None:
    digits = load_digits().target
    sets = [
        task.train,
        *(task.evaluation(name, np.random.RandomState(0)) for name in task.held_out),
    ]
    labels = np.concatenate([part.labels for part in sets])
    lengths = np.concatenate([part.lengths for part in sets])
    assert [decode(row) for row in labels] == [NAMES[digit] for digit in digits]
    assert lengths.tolist() == [len(NAMES[digit]) + 1 for digit in digits]
    ends = labels[np.arange(len(labels)), lengths - 1]
    assert {VOCABULARY[number] for number in ends} == {"<end>"}


def test_the_loss_counts_up_to_the_end(task: Captions) -> None:
    steps = np.arange(6)
    expected = [steps < length for length in task.train.lengths]
    np.testing.assert_array_equal(task.train.weights, np.array(expected))


def test_the_vocabulary_is_the_end_and_15_letters(task: Captions) -> None:
    assert [*VOCABULARY] == ["<end>", *"efghinorstuvwxz"]
    assert task.num_classes == 16


def test_inputs_and_labels_stay_together_when_shuffled(task: Captions) -> None:
    drawn = task.draw(np.random.RandomState(0))
    name_of = {
        image.tobytes(): decode(row)
        for image, row in zip(task.train.inputs, task.train.labels, strict=True)
    }
    assert len(name_of) == len(drawn.inputs)  # no image is there twice
    for image, row, length in zip(drawn.inputs, drawn.labels, drawn.lengths, strict=True):
        assert decode(row) == name_of[image.tobytes()]
        assert length == len(name_of[image.tobytes()]) + 1
