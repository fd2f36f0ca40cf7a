"""data/tasks/text.py, on small files and on the real ones."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from data.batching import cut_into_rows
from data.corpus import SPLITS
from data.streams import evaluation_stream, training_stream
from data.task import DataError
from data.tasks.text import TextConfig
from tests.conftest import ROOT
from tests.data.texts import TEST, config_of, make_task, needs


@pytest.fixture
def no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RNN_DATA", raising=False)


def test_labels_are_the_next_symbols(book: Path) -> None:
    task = make_task(book, valid=0.2, test=0.1)
    sequence = task.draw(training_stream(0))
    text = book.read_text("utf-8")
    assert task.codec.decode(sequence.inputs) == text[:69]
    assert task.codec.decode(sequence.labels) == text[1:70]
    for split, start, stop in (("valid", 70, 90), ("test", 90, 100)):
        held_out = task.evaluation(split, evaluation_stream(0))
        assert task.codec.decode(held_out.inputs) == text[start : stop - 1]
        assert task.codec.decode(held_out.labels) == text[start + 1 : stop]


def test_every_epoch_is_the_same_memory_and_draws_nothing(book: Path) -> None:
    task, stream = make_task(book, valid=0, test=0), training_stream(0)
    first, second = task.draw(stream), task.draw(stream)
    assert stream.randint(1 << 30) == training_stream(0).randint(1 << 30)
    rows = cut_into_rows(second, 3)
    for part in (first.inputs, first.labels, second.inputs, rows.inputs, rows.labels):
        assert np.shares_memory(part, task.corpus.parts["train"])
        assert not part.flags.writeable


def test_the_protocol(book: Path) -> None:
    task = make_task(book)
    assert (task.num_inputs, task.num_classes) == (5, 5)
    assert (task.inputs, task.labels) == ("ids", "ids")
    assert task.carries_state
    assert task.floors() == {}
    assert task.held_out == ("valid", "test")
    assert make_task(book, valid=0.1, test=0).held_out == ("valid",)
    assert make_task(book, valid=0, test=0.1).held_out == ("test",)
    assert make_task(book, valid=0, test=0).held_out == ()
    assert task.windows(batch_size=4, num_steps=5, context=0) == 4  # 90 - 1 symbols, rows of 22


def test_a_text_shorter_than_the_batch_is_refused(book: Path) -> None:
    with pytest.raises(ValueError, match=r"^graph\.batch_size: .* the size of the data, 89; got 9"):
        make_task(book).windows(batch_size=90, num_steps=1, context=0)


def test_the_form_of_penn_treebank(treebank: Path) -> None:
    task = make_task(treebank, source="three_files", level="words")
    # <eos> 3; cat, sat, the 2 each; <unk>, a 1 each
    assert task.vocabulary == ("<eos>", "cat", "sat", "the", "<unk>", "a")
    assert task.corpus.parts["train"].tolist() == [3, 1, 2, 0, 3, 4, 2, 0, 5, 1, 0]
    assert task.corpus.parts["valid"].tolist() == [3, 1, 0, 5, 4, 0]
    assert task.corpus.parts["test"].tolist() == [5, 3, 0]
    assert task.codec.decode(task.corpus.parts["valid"]) == "the cat\na <unk>\n"
    assert task.held_out == ("valid", "test")


def test_the_vocabulary_is_that_of_the_training_file(treebank: Path) -> None:
    treebank.with_name("small.valid.txt").write_text("the dog sat\n", "utf-8")
    task = make_task(treebank, source="three_files", level="words")
    assert task.codec.decode(task.corpus.parts["valid"]) == "the <unk> sat\n"


def test_three_files_by_characters(treebank: Path) -> None:
    task = make_task(treebank, source="three_files", level="characters")
    assert task.codec.decode(task.corpus.parts["test"]) == TEST


def test_the_sources_are_known_by_their_hashes(book: Path, treebank: Path) -> None:
    (source,) = make_task(book).sources
    assert source == (str(book), hashlib.sha256(book.read_bytes()).hexdigest())
    three = make_task(treebank, source="three_files", level="words").sources
    assert [source.name for source in three] == [f"{treebank}.{split}.txt" for split in SPLITS]
    assert three[2].sha256 == hashlib.sha256(TEST.encode()).hexdigest()


def test_a_text_in_the_ids_of_another_vocabulary(book: Path) -> None:
    task = config_of(source="file", path=str(book)).make_with(("d", "c", "b", "a", "\n"))
    assert task.corpus.parts["train"][:5].tolist() == [3, 2, 1, 0, 4]
    with pytest.raises(DataError, match=r"18 of 90 characters are not in the run's .*, 'b' the"):
        config_of(source="file", path=str(book)).make_with(("d", "c", "a", "\n"))


def test_without_its_text_a_task_can_still_write() -> None:
    task = config_of(source="file", path="gone").without_data(("a", "b", "\n"))
    assert (task.num_inputs, task.num_classes) == (3, 3)
    assert task.codec.decode(task.codec.encode("ab\n")) == "ab\n"


def test_epochs_that_begin_at_another_place_hold_the_same_symbols(book: Path) -> None:
    task, plain = make_task(book, rotate=True), make_task(book)
    stream = training_stream(0)
    first, second = task.draw(stream), task.draw(stream)
    usual = plain.draw(training_stream(0))
    assert first.inputs.tolist() != second.inputs.tolist()
    for drawn in (first, second):
        pairs = zip(drawn.inputs, drawn.labels, strict=True)
        assert sorted(pairs) == sorted(zip(usual.inputs, usual.labels, strict=True))
        joined = [*drawn.inputs, *drawn.inputs]
        whole = usual.inputs.tolist()
        assert any(joined[n : n + len(whole)] == whole for n in range(len(whole)))
    again = training_stream(0)
    assert task.draw(again).inputs.tolist() == first.inputs.tolist()


def test_a_file_is_read_once_and_again_when_it_has_changed(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_task(book)
    monkeypatch.setattr(Path, "read_bytes", None)  # calling it would fail
    assert make_task(book).corpus is first.corpus
    monkeypatch.undo()
    book.write_text("xyz" * 40, "utf-8")
    assert make_task(book).vocabulary == ("x", "y", "z")
    assert first.vocabulary == ("\n", "a", "b", "c", "d")
    digest = hashlib.sha256(b"xyz" * 40).hexdigest()
    expect = {"sha256": [digest]}
    make_task(book, expect=expect)
    book.write_text("xyw" * 40, "utf-8")
    os.utime(book, ns=(0, 0))
    with pytest.raises(DataError, match=f"not the expected data: expected sha256 {digest}, found"):
        make_task(book, expect=expect)


def test_what_is_not_as_expected(treebank: Path) -> None:
    right = {"symbols": [11, 6, 3], "vocabulary": 6}
    keys = {"source": "three_files", "level": "words"}
    make_task(treebank, **keys, expect=right)
    with pytest.raises(DataError) as error:
        make_task(treebank, **keys, expect=right | {"symbols": [11, 7, 3]})
    valid = treebank.with_name("small.valid.txt")
    assert str(error.value) == f"{valid}: not the expected data: expected 7 words, found 6"
    with pytest.raises(DataError, match=r"expected 10,000 different words, found 6$"):
        make_task(treebank, **keys, expect=right | {"vocabulary": 10_000})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"path": "x"}, "path: source python_docs reads no file"),
        ({"source": "file"}, "path: source file needs it; got null"),
        ({"source": "file", "path": ""}, "at least 1 character"),
        ({"source": "three_files"}, "path: source three_files needs it; got null"),
        ({"source": "three_files", "path": "x", "valid": 0.1}, "valid: three files have their own"),
        ({"source": "three_files", "path": "x", "test": 0}, "test: three files have their own"),
        ({"valid": 0.5, "test": 0.5}, r"must leave a share to training; got 0\.5 \+ 0\.5"),
        ({"valid": 0.96}, r"must leave a share to training; got 0\.96 \+ 0\.05"),
        ({"valid": -0.1}, "valid"),
        ({"level": "letters"}, "level"),
        ({"vocabulary_size": 100}, "vocabulary_size: characters are all kept"),
        ({"level": "words", "vocabulary_size": 1}, "greater than or equal to 2"),
        ({"expect": {"sha256": ["86c4"]}}, "sha256"),
        ({"expect": {"symbols": [1, 2, 3]}}, r"expect\.symbols: expected 1 for source python_docs"),
        ({"expect": {"vocabulary": 0}}, "vocabulary"),
        ({"expect": {"symbls": [1]}}, "symbls"),
        ({"pth": "x"}, "pth"),
    ],
)
def test_a_wrong_config_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config_of(**keys)


def test_the_defaults_run_on_what_python_ships() -> None:
    task = config_of().make()
    assert task.held_out == ("valid", "test")
    total = sum(map(len, task.corpus.parts.values()))
    assert total > 400_000
    assert len(task.corpus.parts["valid"]) == len(task.corpus.parts["test"]) == total // 20
    assert "statement" in task.codec.decode(task.corpus.parts["train"][:1000])
    assert config_of(level="words", vocabulary_size=1000).make().num_classes == 1000


def test_python_docs_against_a_hash() -> None:
    with pytest.raises(
        DataError, match=r"^pydoc_data\.topics: not the expected data: expected sha"
    ):
        config_of(expect={"sha256": ["0" * 64]}).make()


def shipped(experiment: str) -> TextConfig:
    """The task of a shipped experiment, as Hydra merges it."""
    path = ROOT / "configs" / "experiment" / f"{experiment}.yaml"
    return config_of(**yaml.safe_load(path.read_text("utf-8"))["task"])


@needs("ptb/ptb.train.txt")
def test_the_real_penn_treebank() -> None:
    task = shipped("ptb_vanilla").make()
    assert [len(part) for part in task.corpus.parts.values()] == [929_589, 73_760, 82_430]
    assert len(task.vocabulary) == 10_000
    assert task.vocabulary[:4] == ("the", "<unk>", "<eos>", "N")
    assert (
        task.codec.decode(task.corpus.parts["valid"][:7])
        == "consumers may want to move their telephones"
    )
    assert task.corpus.parts["train"].dtype == np.int16


@needs("tinyshakespeare/input.txt")
def test_the_real_tiny_shakespeare() -> None:
    task = shipped("shakespeare").make()
    assert [len(part) for part in task.corpus.parts.values()] == [1_003_855, 111_539]
    assert len(task.vocabulary) == 65
    assert task.codec.decode(task.corpus.parts["train"][:14]) == "First Citizen:"


@pytest.mark.usefixtures("no_folder")
@pytest.mark.parametrize("experiment", ["ptb_vanilla", "shakespeare"])
def test_without_the_files_the_message_says_where_they_are_to_be_had(
    experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = shipped(experiment)
    with pytest.raises(DataError) as error:
        config.make()
    assert str(error.value).endswith(f"; where to get it: {config.origin}")
    assert "\n" not in str(error.value)
