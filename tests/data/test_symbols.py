"""data/symbols.py: vocabularies and ids of characters and of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import symbols
from data.streams import evaluation_stream
from data.symbols import Characters, Words, narrowest
from data.task import DataError
from tests.data.texts import make_task


@pytest.mark.parametrize(
    ("count", "dtype"), [(128, np.int8), (129, np.int16), (32_768, np.int16), (32_769, np.int32)]
)
def test_characters_are_sorted_and_ids_are_narrow(
    tmp_path: Path, count: int, dtype: type[Any]
) -> None:
    backwards = "".join(map(chr, range(0x10000 + count - 1, 0xFFFF, -1)))
    path = tmp_path / "backwards.txt"
    path.write_text(backwards, "utf-8")
    task = make_task(path, valid=0, test=0)
    assert "".join(task.vocabulary) == backwards[::-1]
    assert task.corpus.parts["train"].dtype == dtype == narrowest(count)
    np.testing.assert_array_equal(task.corpus.parts["train"], np.arange(count)[::-1])


@given(st.text("ab\n é€\ufffd\U0001f600", min_size=1), st.integers(1, 5))
def test_any_characters_come_back(text: str, chunk: int) -> None:
    level, usual = Characters(), symbols.CHUNK
    vocabulary = level.vocabulary(text, {})
    symbols.CHUNK = chunk
    try:
        ids = level.ids(text, vocabulary)
    finally:
        symbols.CHUNK = usual
    assert [vocabulary[index] for index in ids] == list(text)


@given(st.lists(st.lists(st.sampled_from(["a", "bc", "d.", "<unk>"])), min_size=1))
def test_any_lines_of_words_come_back(lines: list[list[str]]) -> None:
    text = "".join(" ".join(line) + "\n" for line in lines)
    assert Words(None).join(Words(None).split(text)) == text


def test_a_character_that_training_lacks(tmp_path: Path) -> None:
    path = tmp_path / "accent.txt"
    path.write_text("ab" * 45 + "abécéabàba", "utf-8")
    task = make_task(path, valid=0.1, test=0)
    assert task.vocabulary == ("a", "b", "\ufffd")
    held_out = task.evaluation("valid", evaluation_stream(0))
    assert held_out.inputs.tolist() == [0, 1, 2, 2, 2, 0, 1, 2, 1]
    assert held_out.labels.tolist() == [1, 2, 2, 2, 0, 1, 2, 1, 0]


def test_a_mark_that_training_has_is_not_added_again(tmp_path: Path) -> None:
    path = tmp_path / "mark.txt"
    path.write_text("a\ufffdz" * 30 + "\U0001f600" * 10, "utf-8")
    task = make_task(path, valid=0.1, test=0)
    assert task.vocabulary == ("a", "z", "\ufffd")
    assert set(task.corpus.parts["valid"].tolist()) == {2}


@pytest.mark.parametrize(
    ("text", "size", "vocabulary", "ids"),
    [
        ("a a a b b c d", 3, ("a", "<unk>", "b"), [0, 0, 0, 2, 2, 1, 1]),
        ("d c b b a a a", 5, ("a", "b", "c", "d"), [3, 2, 1, 1, 0, 0, 0]),
        ("a a a b b c d", 4, ("a", "b", "c", "d"), [0, 0, 0, 1, 1, 2, 3]),
        ("a a <unk> b c", 2, ("<unk>", "a"), [1, 1, 0, 0, 0]),
        ("a\nb\n\nb b", None, ("<eos>", "b", "a"), [2, 0, 1, 0, 0, 1, 1]),
    ],
)
def test_the_rarest_words_give_way(
    tmp_path: Path, text: str, size: int | None, vocabulary: tuple[str, ...], ids: list[int]
) -> None:
    path = tmp_path / "words.txt"
    path.write_text(text, "utf-8")
    task = make_task(path, level="words", vocabulary_size=size, valid=0, test=0)
    assert task.vocabulary == vocabulary
    assert task.corpus.parts["train"].tolist() == ids


def test_words_that_nothing_stands_for_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("a b c c " * 4 + "a new b word", "utf-8")
    with pytest.raises(DataError) as error:
        make_task(path, level="words", valid=0.2, test=0)
    assert str(error.value) == (
        f"{path}, valid part: 2 of 4 words are not in the training part, 'new' the first, and it "
        "has no <unk> to stand for them; set task.vocabulary_size below its 3 different words"
    )
    task = make_task(path, level="words", valid=0.2, test=0, vocabulary_size=2)
    assert task.codec.decode(task.corpus.parts["valid"]) == "<unk> <unk> <unk> <unk>"


def test_encode_and_decode(book: Path, treebank: Path) -> None:
    characters = make_task(book)
    assert characters.codec.encode("cab\n").tolist() == [3, 1, 2, 0]
    assert characters.codec.encode("").tolist() == []
    with pytest.raises(
        ValueError, match=r"^character 'e' is not in the vocabulary of 5 characters"
    ):
        characters.codec.encode("bed")
    words = make_task(treebank, source="three_files", level="words")
    assert words.codec.encode("a cat\nsat").tolist() == [5, 1, 0, 2]
    assert words.codec.decode(words.codec.encode("a cat\nsat")) == "a cat\nsat"
    assert words.codec.replaced("the dog saw a dog") == ["dog", "saw"]
    assert words.codec.decode(words.codec.encode("the dog")) == "the <unk>"
    lines = make_task(book, level="words")
    assert lines.codec.replaced("abcd dog") == []
    with pytest.raises(ValueError, match=r"^word 'dog' is not in the vocabulary of 3 words"):
        lines.codec.encode("abcd dog")


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("\u0301", r"U\+0301 COMBINING ACUTE ACCENT is not"),
        ("\u200b", r"U\+200B ZERO WIDTH SPACE is not"),
        ("é", r"'é' \(U\+00E9\) is not"),
        ("'", r"\"'\" is not"),
    ],
)
def test_an_unknown_character_can_be_told_from_its_neighbours(
    book: Path, symbol: str, shown: str
) -> None:
    with pytest.raises(ValueError, match=f"^character {shown}"):
        make_task(book).codec.encode(f"a{symbol}")


def test_a_text_without_a_prompt_starts_from_a_symbol_that_exists(
    book: Path, treebank: Path, tmp_path: Path
) -> None:
    assert make_task(book).codec.first().tolist() == [0]
    words = make_task(treebank, source="three_files", level="words")
    assert words.codec.decode(words.codec.first()) == "\n"
    (tmp_path / "genome").write_text("ACGT" * 20)
    assert make_task(tmp_path / "genome").codec.first().tolist() == [0]
