"""data/subwords.py: against SentencePiece's own encoder, and by hand."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.streams import evaluation_stream, training_stream
from data.subwords import Subwords, merged
from data.task import DataError
from data.text_files import python_docs
from tests.data.texts import config_of, make_task

TEXT = "low low low low low lower lower newest newest newest newest newest newest widest widest\n"


def ranks_of(*pieces: str) -> dict[str, int]:
    return {piece: rank for rank, piece in enumerate(pieces)}


def slowly_merged(text: str, ranks: dict[str, int]) -> list[str]:
    """The definition: as long as two neighbours make a piece, merge the first of least rank."""
    pieces = list(text)
    while True:
        pairs = [one + other for one, other in pairwise(pieces)]
        known = [(ranks[pair], place) for place, pair in enumerate(pairs) if pair in ranks]
        if not known:
            return pieces
        _, place = min(known)
        pieces[place : place + 2] = [pairs[place]]


def test_merging_by_hand() -> None:
    ranks = ranks_of("es", "est", "lo", "low")
    assert merged("lowest", ranks) == ["low", "est"]
    assert merged("sloes", ranks) == ["s", "lo", "es"]
    assert merged("eses", ranks) == ["es", "es"]
    assert merged("aaa", ranks_of("aa")) == ["aa", "a"]  # the first of equals
    assert merged("", ranks) == []


@given(
    st.text("abc", max_size=30),
    st.lists(st.text("abc", min_size=2, max_size=4), unique=True, max_size=12),
)
def test_merging_is_its_definition(text: str, pieces: list[str]) -> None:
    assert merged(text, ranks_of(*pieces)) == slowly_merged(text, ranks_of(*pieces))


def test_pieces_are_the_most_frequent_pairs() -> None:
    """By hand, as in section 3.2 of the paper: "es" 8 times, "est" 8, then "lo" and "low" 7."""
    characters = len(set(TEXT))
    vocabulary = Subwords(characters + 4).vocabulary(TEXT, {})
    assert vocabulary[:characters] == tuple(sorted(set(TEXT)))
    assert {*vocabulary[characters:]} == {"es", "est", "lo", "low"}


def test_the_pieces_alone_encode_as_sentencepiece_does() -> None:
    text = python_docs()[:60_000]
    lines = [line for line in text.split("\n") if line]
    vocabulary = Subwords(400).vocabulary(text, {})
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe",
        vocab_size=400 + 1 - ("\n" in text), character_coverage=1.0, minloglevel=2,
        normalization_rule_name="identity", add_dummy_prefix=False, bos_id=-1, eos_id=-1,
        remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, num_threads=1,
    )  # fmt: skip
    reference = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    level = Subwords(400)
    for line in lines:
        pieces = [piece.replace("▁", " ") for piece in reference.encode(line, out_type=str)]
        assert [vocabulary[index] for index in level.ids(line, vocabulary)] == pieces


@given(st.text("low est\n▁\t\u2585é", max_size=40))
def test_any_text_comes_back(text: str) -> None:
    training = TEXT + "▁\t\u2585é"
    level = Subwords(24)
    vocabulary = level.vocabulary(training, {})
    assert len(vocabulary) <= 24
    ids = level.ids(text, vocabulary)
    assert level.join(vocabulary[index] for index in ids) == text
    assert level.unknown(text, vocabulary) == []


def test_pieces_are_of_the_training_part_alone(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    train = TEXT * 40
    path.write_text(train + "zqxj zqxj zqxj\n" * 12, "utf-8")
    size = len(path.read_text("utf-8"))
    task = make_task(
        path, level="subwords", vocabulary_size=20, valid=1 - len(train) / size, test=0
    )
    assert not any("zq" in piece for piece in task.vocabulary)
    assert "\ufffd" in task.vocabulary  # the characters of the held-out part are unknown
    held_out = task.evaluation("valid", evaluation_stream(0))
    assert "\ufffd\ufffd" in task.codec.decode(held_out.labels)


def test_a_run_needs_its_vocabulary_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    path = tmp_path / "book.txt"
    path.write_text(TEXT * 20, "utf-8")
    task = make_task(path, level="subwords", vocabulary_size=18)
    ids = task.draw(training_stream(0)).inputs
    text = task.codec.decode(ids)
    path.unlink()
    monkeypatch.setattr(sentencepiece, "SentencePieceTrainer", None)
    kept = config_of(source="file", path=str(path), level="subwords", vocabulary_size=18)
    codec = kept.without_data(task.vocabulary).codec
    np.testing.assert_array_equal(codec.encode(text), ids)
    assert codec.decode(codec.first()) == "\n"
    with pytest.raises(ValueError, match="character 'q' is not in the vocabulary of 18 subwords"):
        codec.encode("q")


def test_bad_sizes_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(TEXT, "utf-8")
    with pytest.raises(DataError, match=r"vocabulary_size: expected more .* characters, 12; got 5"):
        make_task(path, level="subwords", vocabulary_size=5)
    with pytest.raises(ValidationError, match="level subwords needs it; got null"):
        config_of(level="subwords")
    # As many as the text has, where there are fewer than asked for.
    assert len(make_task(path, level="subwords", vocabulary_size=5000).vocabulary) < 100


def test_a_text_of_line_ends_has_no_pieces() -> None:
    assert Subwords(5).vocabulary("\n\n\n", {}) == ("\n",)


@pytest.mark.parametrize(("text", "piece"), [("ab\nab\n", "ab"), ("a\nb\n", None)])
def test_lines_may_be_short(text: str, piece: str | None) -> None:
    vocabulary = Subwords(5).vocabulary(text, {})
    assert vocabulary == ("\n", "a", "b", *([piece] if piece else []))


def test_a_text_without_spaces_has_no_symbol_more() -> None:
    assert Subwords(5).vocabulary(tuple("abc\n" * 5), {}) == ("\n", "a", "b", "c", "ab")
