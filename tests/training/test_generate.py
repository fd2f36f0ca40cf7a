"""experiments/training/generate.py: text out of a trained model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.config.compose import load_config
from experiments.errors import RunError, UsageError
from experiments.runs import checkpoints
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


def test_a_prompt_is_read_as_files_are(run: RunDirectory) -> None:
    text = generate_text(run, "\ufeffcd\r\nab", Sampling(3, 0, 0), "last")
    assert text == "cd\nabcd\n"


def test_a_model_that_diverged_does_not_write(run: RunDirectory, tmp_path: Path) -> None:
    copy = RunDirectory(Path(shutil.copytree(run.path, tmp_path / "copy")))
    found = checkpoints.newest(copy.checkpoints, 0).checkpoint
    assert found is not None
    found.variables[next(iter(found.variables))].fill(np.inf)
    checkpoints.save(copy.checkpoints, found)
    with pytest.raises(RunError, match=r"the model diverged: .* is not finite"):
        generate_text(copy, "a", Sampling(1, 1, 0), "last")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A model of words that has met an unknown one."""
    folder = tmp_path_factory.mktemp("words")
    (folder / "words.txt").write_text("the cat <unk> sat\n" * 400)
    config = load_config(
        "text_python_docs",
        [
            "task.source=file", f"task.path={folder / 'words.txt'}", "task.level=words",
            "graph.num_steps=5", "graph.batch_size=20", "model.state_size=16", "training.epochs=8",
            "optimizer.learning_rate=0.03", "execution.xla=off",
        ],
    )  # fmt: skip
    runner.train(config, folder / "run")
    return RunDirectory(folder / "run")


@pytest.mark.parametrize("prompt", ["", "  ", "\t"])
def test_a_prompt_without_a_word_begins_a_line(words: RunDirectory, prompt: str) -> None:
    assert generate_text(words, prompt, Sampling(5, 0, 0), "last") == "the cat <unk> sat\n"


def test_an_unknown_word_is_read_as_such_and_told(
    words: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    text = generate_text(words, "cat dog", Sampling(2, 0, 0), "last")
    assert text == "cat <unk> sat\n"
    assert "--prompt: 'dog' is not in the vocabulary; read as <unk>" in capsys.readouterr().err


def test_a_text_without_lines_starts_from_a_symbol_that_exists(tmp_path: Path) -> None:
    (tmp_path / "genome").write_text("ACGT" * 500)
    config = load_config(
        "text_python_docs",
        [
            "task.source=file", f"task.path={tmp_path / 'genome'}", "graph.num_steps=5",
            "graph.batch_size=20", "model.state_size=8", "execution.xla=off", "training.epochs=1",
        ],
    )  # fmt: skip
    runner.train(config, tmp_path / "run")
    assert len(generate_text(RunDirectory(tmp_path / "run"), "", Sampling(7, 1, 0), "last")) == 7


def test_the_seed_decides(run: RunDirectory) -> None:
    hot = [generate_text(run, "a", Sampling(40, 5.0, seed), "last") for seed in (0, 0, 1)]
    assert hot[0] == hot[1] != hot[2]


def test_a_symbol_that_it_does_not_know_is_named(run: RunDirectory) -> None:
    with pytest.raises(UsageError, match=r"--prompt: .*'z' is not in the vocabulary"):
        generate_text(run, "abz", Sampling(1, 1, 0), "last")


def test_a_run_without_text_is_refused(tmp_path: Path) -> None:
    runner.train(small_config("training.epochs=1"), tmp_path)
    with pytest.raises(UsageError, match="a run of binary_dependency has no text"):
        generate_text(RunDirectory(tmp_path), "", Sampling(1, 1, 0), "last")


@pytest.mark.parametrize("temperature", [1e-40, 1e-320])
def test_a_temperature_near_zero_is_as_zero(temperature: float) -> None:
    logits, stream = np.array([-3, 5, -2], np.float32), np.random.default_rng(0)
    assert {draw(logits, temperature, stream) for _ in range(50)} == {1}


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


def test_top_k_draws_from_the_likeliest_alone() -> None:
    logits, stream, count = np.array([0.0, 1.0, -1.0, 2.0]), np.random.default_rng(0), 20_000
    drawn = np.bincount([draw(logits, 1.0, stream, 2) for _ in range(count)], minlength=4)
    assert drawn[0] == drawn[2] == 0
    chance = 1 / (1 + np.exp(-1))  # of the two that are left
    assert abs(drawn[3] / count - chance) < 5 * (chance * (1 - chance) / count) ** 0.5
    assert {draw(logits, 1.0, stream, 1) for _ in range(50)} == {3}


def test_at_spaces_only_the_symbol_after_white_space_is_drawn(run: RunDirectory) -> None:
    """A model that knows "abcd" by heart, so hot that it writes anything where it draws."""
    texts = [
        generate_text(run, "\na", Sampling(5, 50.0, seed, at_spaces=True), "last")
        for seed in range(12)
    ]
    assert all(text.startswith("\nabcd\n") for text in texts)
    assert len({text[-1] for text in texts}) >= 3  # drawn after the line's end


def test_at_spaces_is_for_characters(words: RunDirectory) -> None:
    """No word is white space, so that none would be drawn."""
    with pytest.raises(UsageError, match=r"--at-spaces: .* of characters; .* '<eos>'"):
        generate_text(words, "the", Sampling(5, 1.0, 0, at_spaces=True), "last")
