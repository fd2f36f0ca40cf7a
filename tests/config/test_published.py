"""The shipped experiments that follow published programs have those programs' numbers."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.config.compose import load_config

MNIST_IMAGES, MNIST_VALID = 60_000, 5_000  # of the training file; for validation in TF's reader
# What the YAML's comments say of each program.
PUBLISHED: dict[str, dict[str, Any]] = {
    "char_rnn": {
        "model.cell": "basic_lstm",
        "model.state_size": (128, 128),
        "model.embedding": 128,
        "graph.num_steps": 50,
        "graph.batch_size": 50,
        "training.epochs": 50,
        "optimizer.kind": "adam",
        "optimizer.learning_rate": 0.002,
        "optimizer.decay_rate": 0.97,
        "optimizer.staircase": True,
        "optimizer.clip_norm": 5.0,
    },
    "mnist_lstm": {
        "task.source": "mnist",
        "model.cell": "basic_lstm",
        "model.state_size": 128,
        "graph.unroll": "static",
        "graph.num_steps": 28,
        "graph.batch_size": 128,
        "truncation.kind": "full",
        "optimizer.kind": "adam",
        "optimizer.learning_rate": 0.001,
        "optimizer.decay_rate": None,
        "optimizer.clip_norm": None,
    },
    "mnist_basic_lstm": {
        "task.source": "mnist",
        "model.cell": "basic_lstm",
        "model.state_size": 64,
        "graph.unroll": "dynamic",
        "graph.num_steps": 28,
        "graph.batch_size": 64,
        "truncation.kind": "full",
        "optimizer.kind": "adam",
        "optimizer.learning_rate": 0.01,
        "optimizer.decay_rate": None,
        "optimizer.clip_norm": None,
    },
    "imdb": {
        "task.source": "imdb",
        "task.length": 80,  # words of a review
        "task.valid": 0,
        "model.cell": "basic_rnn",
        "model.embedding": 100,
        "model.state_size": (64, 64),
        "model.input_keep_prob": 0.5,
        "graph.num_steps": 80,
        "truncation.kind": "full",
        "training.epochs": 4,
    },
}


def found(experiment: str, key: str) -> Any:
    """The value of a key, lists as tuples."""
    section, name = key.split(".")
    value = getattr(getattr(load_config(experiment), section), name)
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("experiment", PUBLISHED)
def test_the_numbers_are_those_of_the_program(experiment: str) -> None:
    published = PUBLISHED[experiment]
    assert {key: found(experiment, key) for key in published} == published


def test_the_rate_of_char_rnn_decays_once_an_epoch() -> None:
    """decay_steps is the updates of an epoch, which the length of the text decides."""
    config = load_config("char_rnn")
    task = config.as_dict()["task"]
    (symbols,) = task["expect"]["symbols"]
    row = int(symbols * (1 - task["valid"])) // config.graph.batch_size
    assert config.optimizer.decay_steps == row // config.graph.num_steps == 401


@pytest.mark.parametrize(
    ("experiment", "updates"), [("mnist_lstm", 858), ("mnist_basic_lstm", 1718)]
)
def test_mnist_is_trained_for_the_updates_that_the_comment_names(
    experiment: str, updates: int
) -> None:
    config = load_config(experiment)
    held_out = round(config.as_dict()["task"]["valid"] * MNIST_IMAGES)
    assert held_out == MNIST_VALID
    an_epoch = (MNIST_IMAGES - held_out) // config.graph.batch_size
    assert config.training.epochs * an_epoch == updates
