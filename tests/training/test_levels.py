"""Runs by subwords and hybrid: read, scored, exported and evaluated from their directory."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from data.task import Spelled
from experiments.commands import _per_character
from experiments.config.compose import load_config
from experiments.errors import RunError, UsageError
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.evaluate import SplitResult, evaluate_run
from experiments.training.evaluator import Evaluated
from experiments.training.export import export
from experiments.training.generate import Sampling, generate_text
from experiments.training.score import score_text

LINES = "the cat sat on the mat\nthe dog ran after a cat\n"


pytestmark = pytest.mark.usefixtures("only_training")


def train(folder: Path, level: str, size: int) -> RunDirectory:
    path = folder / "book.txt"
    path.write_text(LINES * 40)
    keys = [
        f"task.level={level}", f"task.vocabulary_size={size}", "task.source=file",
        f"task.path={path}", "task.comparable=true", "graph.num_steps=2", "graph.batch_size=20",
        "model.cell=scratch", "model.state_size=8", "model.embedding=4", "training.epochs=1",
        "execution.xla=off", "logging.tensorboard=false",
    ]  # fmt: skip
    runner.train(load_config("text_python_docs", keys), folder / "run")
    return RunDirectory(folder / "run")


@pytest.mark.parametrize(
    ("level", "size"), [("subwords", 24), pytest.param("hybrid", 6, marks=pytest.mark.slow)]
)
def test_a_run_is_used_without_its_text(
    tmp_path: Path, level: str, size: int
) -> None:  # fmt: skip
    run = train(tmp_path, level, size)
    for result in evaluate_run(run, None, "last"):
        assert result.spelled is not None
        nats = result.evaluated.loss * result.spelled.labels
        bits = nats / result.spelled.characters / math.log(2)
        assert result.bits_per_character == pytest.approx(bits)
        assert result.spelled.unknown == 0
    (tmp_path / "book.txt").unlink()
    text = generate_text(run, "the mat", Sampling(12, 1.0, 0), "last")
    assert text.startswith("the mat")
    scored = score_text(run, "the mat sat\n", "last")
    assert scored.spelled.characters == 12
    vocabulary = json.loads(run.data.read_text())["vocabulary"]
    assert set(scored.symbols) <= set(vocabulary)
    assert scored.bits_per_character == pytest.approx(
        -np.sum(scored.log_probabilities) / math.log(2) / 12
    )
    exported = export(run, tmp_path / "out", "last")
    assert exported.variables["model/embedding"] == (len(vocabulary), 4)
    with pytest.raises(UsageError, match=r"book\.txt"):
        list(evaluate_run(run, None, "last"))  # held-out data are the text's

    if level == "subwords":
        check_that_a_vocabulary_is_only_text(run)


def check_that_a_vocabulary_is_only_text(run: RunDirectory) -> None:
    """Anything in data.json is a symbol; nothing in it is run or fetched."""
    content = json.loads(run.data.read_text())
    content["vocabulary"] = [
        "__import__('os').system('touch x')",
        "\x80\x04.",
        *map(str, range(22)),
    ]
    run.data.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=r"TEXT: character 't' is not in the vocabulary of 24"):
        score_text(run, "the", "last")
    assert "__import__" in generate_text(run, "", Sampling(60, 5.0, 0), "last")
    content["vocabulary"] = ["a", "b"]
    run.data.write_text(json.dumps(content))
    with pytest.raises(RunError, match="shape") as refused:
        generate_text(run, "", Sampling(3, 1.0, 0), "last")
    assert "\n" not in str(refused.value)


def test_bits_per_character_say_what_unk_leaves_out() -> None:
    evaluated = Evaluated(math.log(2) * 6, {}, 50)
    result = SplitResult(1, 10, "valid", evaluated, Spelled(50, 100, 0))
    assert _per_character(result) == ["3.0000 bits per character of 100"]
    (text,) = _per_character(result._replace(spelled=Spelled(50, 100, 7)))
    assert text.startswith("at least 3.0000 bits per character of 100 (spelling 7 <unk> among 50")
    assert _per_character(result._replace(spelled=None)) == []
