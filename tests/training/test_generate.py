"""experiments/training/generate.py: text out of a trained model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.generate import Sampling, draw, generate_text
from tests.conftest import small_config

PATTERN = "abcd\n" * 4000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A model that knows its text by heart."""
    folder = tmp_path_factory.mktemp("text")
    (folder / "pattern.txt").write_text(PATTERN)
    config = load_config(
        "text_python_docs",
        [
            "task.source=file", f"task.path={folder / 'pattern.txt'}", "graph.num_steps=10",
            "graph.batch_size=20", "model.cell=basic_lstm", "model.state_size=16",
            "optimizer.learning_rate=0.03", "execution.xla=off",
        ],
    )  # fmt: skip
    runner.train(config, folder / "run")
    return RunDirectory(folder / "run")


@pytest.mark.parametrize("temperature", [0, 0.5])
def test_a_text_known_by_heart_is_gone_on_with(run: RunDirectory, temperature: float) -> None:
    text = generate_text(run, "cd\nab", Sampling(20, temperature, 0), "last")
    assert text == "cd\nab" + "cd\nab" * 4


def test_without_a_prompt_it_begins_a_line(run: RunDirectory) -> None:
    assert generate_text(run, "", Sampling(10, 0, 0), "best") == "abcd\nabcd\n"


def test_the_seed_decides(run: RunDirectory) -> None:
    hot = [generate_text(run, "a", Sampling(40, 5.0, seed), "last") for seed in (0, 0, 1)]
    assert hot[0] == hot[1] != hot[2]


def test_a_symbol_that_it_does_not_know_is_named(run: RunDirectory) -> None:
    with pytest.raises(UsageError, match=r"--prompt: .*'z' is not in the vocabulary"):
        generate_text(run, "abz", Sampling(1, 1, 0), "last")


def test_a_run_without_text_is_refused(tmp_path: Path) -> None:
    runner.train(small_config("training.epochs=1"), tmp_path)
    with pytest.raises(UsageError, match="a run of binary_dependency cannot write text"):
        generate_text(RunDirectory(tmp_path), "", Sampling(1, 1, 0), "last")


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax(temperature: float) -> None:
    logits, count = np.array([0.0, 1.0, -1.0, 2.0]), 20_000
    stream = np.random.default_rng(0)
    drawn = np.bincount([draw(logits, temperature, stream) for _ in range(count)], minlength=4)
    chances = np.exp(logits / temperature)
    chances /= chances.sum()
    np.testing.assert_array_less(
        np.abs(drawn / count - chances), 5 * np.sqrt(chances * (1 - chances) / count)
    )
