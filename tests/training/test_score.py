"""run.py score and neighbours: probabilities of a text, and the geometry of an embedding."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from data.task import Spelled
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.neighbours import cosines_to, neighbours
from experiments.training.score import Scored, score_text
from experiments.training.trained_weights import find_checkpoint
from run import main
from tests.numpy_reference import Weights, forward, losses


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A small model of an alphabet of 5, with one vector for each."""
    folder = tmp_path_factory.mktemp("score")
    (folder / "pattern.txt").write_text("abcd\n" * 800)
    config = load_config(
        "text_python_docs",
        [
            "task.source=file", f"task.path={folder / 'pattern.txt'}", "graph.num_steps=10",
            "graph.batch_size=20", "model.cell=scratch", "model.state_size=8", "execution.xla=off",
            "model.embedding=3", "training.epochs=2", "graph.precision=float64",
        ],
    )  # fmt: skip
    runner.train(config, folder / "run")
    return RunDirectory(folder / "run")


def test_each_symbol_is_scored_given_those_before_it(run: RunDirectory) -> None:
    text = "abca\nd"
    scored = score_text(run, text, "last")
    found = find_checkpoint(run, 0, "last")
    assert found is not None
    E, W, b, U, c = (
        found.variables[f"model/{name}"]
        for name in ("embedding", "layer_0/scratch_cell/W", "layer_0/scratch_cell/b", "softmax/W",
                     "softmax/b")
    )  # fmt: skip
    # One-hot inputs times E W are the embedding's inputs.
    weights = Weights(np.concatenate([E @ W[:3], W[3:]]), b, U, c)
    ids = np.array(["\nabcd".index(symbol) for symbol in text])
    states = forward(weights, np.array([0, *ids[:-1]])[:, None], np.zeros([1, 8]))
    expected = -losses(weights, states, ids[:, None])[:, 0]
    assert scored.symbols == list(text)
    np.testing.assert_allclose(scored.log_probabilities, expected, atol=1e-12)
    assert scored.total == pytest.approx(expected.sum())
    assert scored.perplexity == pytest.approx(math.exp(-expected.mean()))
    assert scored.bits_per_character == pytest.approx(-expected.mean() / math.log(2))


def test_line_ends_count_as_they_are_read(run: RunDirectory) -> None:
    scored, one_form = (score_text(run, text, "last") for text in ("ab\r\nc", "ab\nc"))
    assert scored.spelled == one_form.spelled == Spelled(labels=4, characters=4, unknown=0)
    assert scored.bits_per_character == one_form.bits_per_character


def test_bits_per_character_are_a_lower_bound_where_words_are_not_spelled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`the cat <unk> sat`; the spaces between words are one each."""
    (tmp_path / "words.txt").write_text("the cat <unk> sat\n" * 100)
    config = load_config(
        "text_python_docs",
        [
            "task.source=file", f"task.path={tmp_path / 'words.txt'}", "task.level=words",
            "graph.num_steps=5", "graph.batch_size=10", "model.state_size=4", "training.epochs=1",
            "execution.xla=off",
        ],
    )  # fmt: skip
    runner.train(config, tmp_path / "run")
    scored = score_text(RunDirectory(tmp_path / "run"), "the  cat dog\r\n", "last")
    assert scored.spelled == Spelled(labels=4, characters=len("the cat dog\n"), unknown=1)
    assert scored.bits_per_character == pytest.approx(-scored.total / math.log(2) / 12)
    capsys.readouterr()
    command = ["score", str(tmp_path / "run"), "the cat dog"]
    assert main(command) == 0
    bound = "bits per character of 11 (spelling 1 <unk> among 3 labels not counted)"
    last = capsys.readouterr().out.splitlines()[-1]
    assert "at least" in last
    assert last.endswith(bound)
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["spelled"] == {"labels": 3, "characters": 11, "unknown": 1}


def test_a_perplexity_that_no_float_holds_is_infinite() -> None:
    assert Scored(["a"], [-800.0], Spelled(1, 1, 0)).perplexity == math.inf


@pytest.mark.parametrize(("text", "message"), [("", "at least one symbol"), ("az", "'z' is not")])
def test_a_text_that_cannot_be_scored_is_refused(
    run: RunDirectory, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        score_text(run, text, "last")


def test_what_is_read_and_what_is_written_are_no_text_to_score(tmp_path: Path) -> None:
    """An encoder never learned to predict the digits that it reads."""
    config = load_config(
        "numbers",
        [
            "task.digits=2", "task.length=6", "graph.num_steps=6", "model.state_size=4",
            "training.epochs=1", "execution.xla=off",
        ],
    )  # fmt: skip
    runner.train(config, tmp_path)
    with pytest.raises(UsageError, match="a run of numbers reads one text and writes another"):
        score_text(RunDirectory(tmp_path), "42", "last")


def test_cosines() -> None:
    vectors = np.array([[1.0, 0], [2, 0], [0, 3], [-1, 0], [1, 1], [0, 0]])
    np.testing.assert_allclose(cosines_to(vectors, 0), [1, 1, 0, -1, 0.5**0.5, 0], atol=1e-15)


def test_neighbours_are_in_the_order_of_their_cosines(run: RunDirectory) -> None:
    found = neighbours(run, "a", 3, "last")
    checkpoint = find_checkpoint(run, 0, "last")
    assert checkpoint is not None
    vectors = checkpoint.variables["model/embedding"]
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = {symbol: float(units[place] @ units[1]) for place, symbol in enumerate("\nabcd")}
    order = sorted(set("\nabcd") - {"a"}, key=lambda symbol: -cosines[symbol])
    assert [each.symbol for each in found] == order[:3]
    assert [each.cosine for each in found] == pytest.approx([cosines[s] for s in order[:3]])
    with pytest.raises(UsageError, match="WORD: 'x' is not in the vocabulary of 5 symbols"):
        neighbours(run, "x", 3, "last")


def test_a_model_without_an_embedding_has_no_neighbours(run: RunDirectory, tmp_path: Path) -> None:
    config = run.read_config()
    bare = config.model_copy(update={"model": config.model.model_copy(update={"embedding": None})})
    directory = RunDirectory(tmp_path)
    directory.config.write_text(yaml.safe_dump(bare.as_dict()))
    with pytest.raises(UsageError, match=r"model\.embedding is null"):
        neighbours(directory, "a", 3, "last")
