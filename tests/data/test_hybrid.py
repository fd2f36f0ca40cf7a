"""data/hybrid.py: words, and the spelling of rare ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.hybrid import BEGIN, END, Hybrid
from data.streams import evaluation_stream
from data.task import DataError
from tests.data.texts import config_of, make_task

TEXT = "the cat sat\nthe cat ran\nthe dog\na\n"
LEVEL = Hybrid(3)
VOCABULARY = LEVEL.vocabulary(LEVEL.split(TEXT), {})


def symbols_of(text: str) -> list[str]:
    return [VOCABULARY[index] for index in LEVEL.ids(LEVEL.split(text), VOCABULARY)]


def test_rare_words_are_spelled() -> None:
    letters = sorted(set(TEXT.replace("\n", "<eos>")) - {" "})
    assert ("<eos>", "the", "cat", BEGIN, END, *(f" {letter}" for letter in letters)) == VOCABULARY
    assert symbols_of("the dog\na") == [
        "the", BEGIN, " d", " o", " g", END, "<eos>", BEGIN, " a", END
    ]  # fmt: skip


@given(st.lists(st.lists(st.text("thecadogsrn<>", min_size=1, max_size=4)), max_size=4))
def test_any_lines_of_words_come_back(lines: list[list[str]]) -> None:
    text = "".join(" ".join(line) + "\n" for line in lines)
    assert LEVEL.join(symbols_of(text)) == text
    assert LEVEL.characters(LEVEL.split(text)) == len(text)
    assert LEVEL.unknown(LEVEL.split(text), VOCABULARY) == []


def test_a_model_may_write_marks_in_any_order() -> None:
    written = [END, " d", " o", "the", BEGIN, BEGIN, " a", " s", BEGIN, " g", END, END, " c"]
    assert LEVEL.join(written) == "do the as g c"
    assert LEVEL.join([BEGIN, END]) == ""


def test_characters_that_training_lacks(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(TEXT * 10 + "the \xe9t\xe9\n", "utf-8")
    task = make_task(path, level="hybrid", vocabulary_size=3, valid=0.03, test=0)
    held_out = task.evaluation("valid", evaluation_stream(0))
    assert task.codec.decode(held_out.labels).endswith("\ufffdt\ufffd\n")
    codec = config_of(level="hybrid", vocabulary_size=3).without_data(VOCABULARY).codec
    message = f"character 'z' is not in the vocabulary of {len(VOCABULARY)} symbols"
    with pytest.raises(ValueError, match=message):
        codec.encode("the zoo")
    assert codec.decode(codec.encode("the good")) == "the good"
    assert codec.decode(codec.first()) == "\n"


def test_bad_sizes_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(TEXT * 10, "utf-8")
    with pytest.raises(DataError, match=r"vocabulary_size: expected fewer .* 7, .*; got 7"):
        make_task(path, level="hybrid", vocabulary_size=7)
    with pytest.raises(ValidationError, match="level hybrid needs it; got null"):
        config_of(level="hybrid")


LEVELS = [("characters", None), ("subwords", 60), ("words", 12), ("hybrid", 12)]


@pytest.mark.parametrize(("level", "size"), LEVELS)
def test_labels_of_every_level_spell_the_same_text(
    tmp_path: Path, level: str, size: int | None
) -> None:  # fmt: skip
    """task.comparable: no character is counted twice or left out at any level."""
    lines = [f"  {word}  {place}\t{word}" for place in range(20) for word in ("cat", "zebra")]
    path = tmp_path / "book.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    task = make_task(
        path, level=level, vocabulary_size=size, comparable=True, valid=0.2, test=0.1
    )  # fmt: skip
    text = "".join(f"{word} {place} {word}\n" for place in range(20) for word in ("cat", "zebra"))
    parts = task.corpus.spelled
    test = text.index("\n", len(text) - int(len(text) * 0.1)) + 1
    valid = text.index("\n", len(text) - int(len(text) * 0.3)) + 1
    assert parts["valid"].characters == test - valid
    assert parts["test"].characters == len(text) - test
    if level != "words":
        held_out = task.evaluation("valid", evaluation_stream(0))
        assert task.codec.decode(held_out.labels) == text[valid:test]
        assert parts["valid"].unknown == 0
    else:
        labels = task.evaluation("valid", evaluation_stream(0)).labels.tolist()
        assert parts["valid"].unknown == labels.count(task.vocabulary.index("<unk>")) > 0
    assert parts["valid"].labels == len(task.evaluation("valid", evaluation_stream(0)).labels)
    # A uniform model of V symbols takes log2 V bits a label.
    bits = parts["valid"].bits_per_character(0.6931471805599453 * 3)
    assert bits == pytest.approx(3 * parts["valid"].labels / (test - valid))


def test_a_text_without_lines_cannot_be_cut_at_them(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("a b " * 100, "utf-8")
    with pytest.raises(
        DataError, match=r"task\.comparable: expected the end of a line .*test part"
    ):
        make_task(path, comparable=True)
