"""data/tasks/sentiment.py against Keras; pickles that try to run code; Python's own docs."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import ValidationError

from data.documents import encode, pad_sequences
from data.imdb import load_imdb
from data.object_arrays import read_object_array
from data.python_docs import OBJECTS, STATEMENTS, load_python_docs
from data.task import DataError, Examples
from data.tasks.sentiment import Sentiment, SentimentConfig
from experiments.paths import CONFIGS
from tests.real_data import real_data

DEFAULTS = yaml.safe_load((CONFIGS / "task" / "sentiment.yaml").read_text("utf-8"))


def make(**changes: Any) -> Sentiment:
    return SentimentConfig.model_validate(DEFAULTS | changes).make()


def held_out_documents(task: Sentiment) -> Examples:
    return task.evaluation("test", np.random.RandomState(0))


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    length=st.integers(1, 10),
    pad=st.sampled_from(["start", "end"]),
    truncate=st.sampled_from(["start", "end"]),
)
def test_padding_is_keras_padding(
    lengths: list[int], length: int, pad: Any, truncate: Any
) -> None:  # fmt: skip
    from tf_keras.utils import pad_sequences as keras_pad_sequences

    sequences = [np.arange(1, size + 1, dtype=np.int32) for size in lengths]
    padded = pad_sequences(sequences, length, pad, truncate)
    keras = {"start": "pre", "end": "post"}
    np.testing.assert_array_equal(
        padded.ids,
        keras_pad_sequences(sequences, length, padding=keras[pad], truncating=keras[truncate]),
    )
    expected = [length if pad == "start" else min(size, length) for size in lengths]
    assert padded.lengths.tolist() == expected


def test_ids_are_ranks_plus_three_within_the_vocabulary() -> None:
    ranks = np.array([1, 6, 7, 8, 400], np.int32)
    assert encode(ranks, 11).tolist() == [1, 4, 9, 10, 2, 2]
    assert ranks.tolist() == [1, 6, 7, 8, 400]


@pytest.mark.parametrize("pad", ["start", "end"])
def test_the_class_is_asked_for_at_the_last_word(pad: str) -> None:
    task = make(pad=pad, truncate="end", length=30)
    examples = task.train
    at = examples.lengths - 1 if pad == "end" else np.full(len(examples.labels), 29)
    weights = np.arange(30) == at[:, None]
    np.testing.assert_array_equal(examples.weights, weights)
    assert not examples.labels[~weights].any()
    assert (np.take_along_axis(examples.inputs, at[:, None], 1) != 0).all()
    assert (examples.lengths == 30).all() == (pad == "start")
    inside = np.arange(30) < examples.lengths[:, None]
    assert not examples.inputs[~inside].any()


# Python's own documentation.


def test_python_docs_are_two_classes_of_paragraphs() -> None:
    documents = load_python_docs()
    classes = np.concatenate([documents.train.classes, documents.test.classes])
    assert 1000 <= len(classes) <= 1500
    assert 0.5 <= classes.mean() <= 0.65
    assert len(documents.test.ranks) == round(0.2 * len(classes))
    assert not set(STATEMENTS) & set(OBJECTS)


def test_no_paragraph_is_both_trained_and_held_out_documents() -> None:
    documents = load_python_docs()
    train = {ranks.tobytes() for ranks in documents.train.ranks}
    assert len(train) == len(documents.train.ranks)
    # Only a word that training lacks, and that is skipped, makes two paragraphs alike.
    assert sum(ranks.tobytes() in train for ranks in documents.test.ranks) <= 2


def test_ranks_are_by_frequency_in_the_training_paragraphs() -> None:
    counts = np.bincount(np.concatenate(load_python_docs().train.ranks))
    assert counts[0] == 0
    assert (np.diff(counts[1:]) <= 0).all()
    assert counts[-1] > 0


def bag_of_words(examples: Examples, size: int) -> NDArray[np.int64]:
    return np.array([np.bincount(row, minlength=size) for row in examples.inputs])


def test_the_words_of_a_paragraph_tell_its_class() -> None:
    """A naive Bayes classifier is far better than always choosing the more frequent class."""
    task = make(vocabulary_size=1000)
    test = held_out_documents(task)
    counts = bag_of_words(task.train, 1000)[:, 1:]
    classes = task.train.labels.max(axis=1)
    totals = np.array([counts[classes == each].sum(axis=0) + 1 for each in (0, 1)])
    scores = bag_of_words(test, 1000)[:, 1:] @ np.log(totals / totals.sum(axis=1, keepdims=True)).T
    scores += np.log(np.bincount(classes))
    truth = test.labels.max(axis=1)
    assert (scores.argmax(axis=1) == truth).mean() > 0.8
    assert max(truth.mean(), 1 - truth.mean()) < 0.7


def test_the_defaults_are_a_whole_task() -> None:
    task = make()
    assert task.held_out == ("valid", "test")
    assert (task.num_inputs, task.num_classes, task.inputs) == (10000, 2, "ids")
    assert task.windows(32, 80, 0) == len(task.train.labels) // 32
    drawn = task.draw(np.random.RandomState(0))
    assert drawn.inputs.max() < 10000
    assert sorted(map(bytes, drawn.inputs)) == sorted(map(bytes, task.train.inputs))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "imdb.npz"}, "python_docs reads no file; expected null, got 'imdb.npz'"),
        ({"trust_unknown_file": True}, "python_docs reads no file; expected false, got True"),
        ({"vocabulary_size": 4}, "greater than or equal to 5"),
        ({"length": 0}, "greater than or equal to 1"),
        ({"pad": "pre"}, "'start' or 'end'"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SentimentConfig.model_validate(DEFAULTS | changes)


# Pickles.


def object_array(*items: Any) -> NDArray[Any]:
    array = np.empty(len(items), object)
    array[:] = items
    return array


def npy_file(array: NDArray[Any], protocol: int) -> bytes:
    """An object array as numpy.save writes it, with the pickle protocol of some version of it."""
    file = io.BytesIO()
    npy.write_array_header_1_0(file, npy.header_data_from_array_1_0(array))
    pickle.dump(array, file, protocol=protocol)
    return file.getvalue()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_lists_are_read_as_numpy_reads_them(protocol: int) -> None:
    array = object_array([1, 2, 300], [70_000], [5, 5])
    content = npy_file(array, protocol)
    if protocol < 4:  # and the module's name of that time
        content = content.replace(b"numpy._core", b"numpy.core")
    assert read_object_array(content) == array.tolist()


class RunCommand:
    """Unpickled, it runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def imdb_file(path: Path, reviews: NDArray[Any], count: int = 25_000) -> Path:
    """An imdb.npz whose first label is 1 and whose others are 0."""
    labels = (np.arange(count) == 0).astype(np.int64)
    np.savez_compressed(path, x_train=reviews, y_train=labels, x_test=reviews, y_test=labels)
    return path


def numbered_reviews(count: int) -> NDArray[Any]:
    return object_array(*([number + 1, 2] for number in range(count)))


def test_a_command_in_a_pickle_is_not_run_even_of_a_trusted_file(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    reviews = object_array([1], RunCommand(f"touch {witness}"))
    path = imdb_file(tmp_path / "imdb.npz", reviews)
    with pytest.raises(DataError, match=f"{path}: not IMDB .* no need of posix.system"):
        load_imdb(path, trust_unknown_file=True)
    assert not witness.exists()
    with zipfile.ZipFile(path) as archive:  # the trap is one: NumPy itself falls into it
        npy.read_array(archive.open("x_train.npy"), allow_pickle=True)
    assert witness.exists()


def test_an_unknown_file_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = imdb_file(tmp_path / "imdb.npz", numbered_reviews(25_000))

    def refuse(content: bytes) -> list[Any]:
        raise AssertionError("unpickled")

    monkeypatch.setattr("data.imdb.read_object_array", refuse)
    with pytest.raises(DataError, match=r"sha256 69664113.* or 6814c0be.*, found [0-9a-f]{64}; .*"):
        make(source="imdb", path=str(path))


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    path = imdb_file(tmp_path / "imdb.npz", numbered_reviews(25_000))
    keys: dict[str, Any] = {"source": "imdb", "path": str(path), "trust_unknown_file": True}
    first = make(**keys)
    assert make(**keys) is first
    imdb_file(path, numbered_reviews(25_001)[1:])
    assert make(**keys).sources != first.sources


def test_a_trusted_file_comes_in_the_order_of_keras_shuffle(tmp_path: Path) -> None:
    path = imdb_file(tmp_path / "imdb.npz", numbered_reviews(25_000))
    documents = load_imdb(path, trust_unknown_file=True)
    random = np.random.RandomState(113)  # as Keras does, one stream for both sets
    for part in documents[:2]:
        order = np.arange(25_000)
        random.shuffle(order)
        assert [ranks[0] - 1 for ranks in part.ranks] == order.tolist()
        assert part.classes.argmax() == order.argmin()


@pytest.mark.parametrize(
    ("reviews", "labels", "message"),
    [
        (numbered_reviews(3), 3, "expected 25,000 reviews .* found 3 and 3"),
        (numbered_reviews(25_000), 7, "expected 25,000 reviews .* found 25,000 and 7"),
        (object_array(*[[0]] * 25_000), 25_000, "review 0 of x_train, .* ranks from 1"),
        (object_array(*[["good"]] * 25_000), 25_000, "review 0 of x_train, .* ranks from 1"),
        (object_array(*[[]] * 25_000), 25_000, "review 0 of x_train, .* ranks from 1"),
        (np.arange(3), 25_000, "not IMDB as Keras stores it"),
    ],
)
def test_a_trusted_file_of_another_form_is_refused(
    reviews: NDArray[Any], labels: int, message: str, tmp_path: Path
) -> None:
    path = imdb_file(tmp_path / "imdb.npz", reviews, labels)
    with pytest.raises(DataError, match=message):
        load_imdb(path, trust_unknown_file=True)


def test_a_bad_review_is_named_by_its_number(tmp_path: Path) -> None:
    reviews = numbered_reviews(25_000)
    reviews[17] = [3, "good"]
    path = imdb_file(tmp_path / "imdb.npz", reviews)
    with pytest.raises(DataError, match=r"review 17 of x_train, counted from 0: .*\[3, 'good'\]"):
        load_imdb(path, trust_unknown_file=True)


@pytest.mark.parametrize("rank", [2**31 - 4, 2**31 - 3, 2**31 - 1, 2**31, 2**40])
def test_a_rank_too_high_for_an_id_is_out_of_the_vocabulary(rank: int, tmp_path: Path) -> None:
    reviews = numbered_reviews(25_000)
    reviews[:] = [[rank, number + 1] for number in range(25_000)]
    task = make(source="imdb", path=str(imdb_file(tmp_path / "i.npz", reviews)), length=3,
                trust_unknown_file=True, valid=0)  # fmt: skip
    assert set(task.train.inputs[:, 1].tolist()) == {2}
    assert task.train.inputs.min() >= 0


@pytest.mark.parametrize(
    "form",
    [
        lambda review: np.array(review, np.int32),
        lambda review: np.array(review, ">u2"),
        lambda review: [np.int32(rank) for rank in review],
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_other_forms_of_the_same_reviews_are_read(form: Any, protocol: int) -> None:
    reviews = [[5, 300, 7], [1], [2, 2, 40_000]]
    content = npy_file(object_array(*map(form, reviews)), protocol)
    assert [list(item) for item in read_object_array(content)] == reviews


@pytest.mark.parametrize(
    "form", [np.array, lambda review: [np.int32(rank) for rank in review] * 10]
)
def test_a_whole_file_of_another_form_is_read(form: Any, tmp_path: Path) -> None:
    path = imdb_file(tmp_path / "imdb.npz", object_array(*map(form, numbered_reviews(25_000))))
    documents = load_imdb(path, trust_unknown_file=True)
    assert sorted(ranks[0] for ranks in documents.train.ranks) == list(range(1, 25_001))


def test_labels_may_be_a_column(tmp_path: Path) -> None:
    reviews, labels = numbered_reviews(25_000), np.arange(25_000)[:, None] % 2
    path = tmp_path / "imdb.npz"
    np.savez(path, x_train=reviews, y_train=labels, x_test=reviews, y_test=labels)
    documents = load_imdb(path, trust_unknown_file=True)
    for part in documents[:2]:
        assert [(ranks[0] - 1) % 2 for ranks in part.ranks] == part.classes.tolist()


def test_what_load_data_returned_is_not_shifted_again(tmp_path: Path) -> None:
    """Keras's load_data gives START, ids, and 2 for a rare word. Somebody saved them."""
    ranks = [[number % 500 + 1, 900, 7] for number in range(25_000)]
    encoded = object_array(*([1, a + 3, 2, 10] for a, _, c in ranks))
    keys = {"source": "imdb", "length": 4, "trust_unknown_file": True, "valid": 0}
    again = make(path=str(imdb_file(tmp_path / "again.npz", encoded)), vocabulary_size=600, **keys)
    raw = imdb_file(tmp_path / "raw.npz", object_array(*ranks))
    once = make(path=str(raw), vocabulary_size=600, **keys)
    np.testing.assert_array_equal(again.train.inputs, once.train.inputs)
    assert "load_data returned, ids and not ranks" in again.notes[0]
    assert once.notes == ()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "imdb.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not IMDB as Keras stores it: File is not a zip file"):
        load_imdb(path, trust_unknown_file=True)


def test_a_missing_file_says_where_it_is_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"^{tmp_path}/imdb/imdb.npz: no such file; .*Keras"):
        make(source="imdb")


# The reviews themselves.


def test_imdb_itself() -> None:
    documents = load_imdb(real_data("imdb") / "imdb.npz", trust_unknown_file=False)
    for part in documents[:2]:
        assert len(part.ranks) == 25_000
        assert part.classes.sum() == 12_500
    assert documents.train.classes[:5].tolist() == [1, 0, 0, 1, 0]
    first = encode(documents.train.ranks[0], 10_000)
    assert len(first) == 218
    assert first[:6].tolist() == [1, 14, 22, 16, 43, 530]


@pytest.mark.slow
def test_imdb_is_what_keras_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    from tf_keras.src.datasets import imdb
    from tf_keras.utils import pad_sequences as keras_pad_sequences

    path = real_data("imdb") / "imdb.npz"
    monkeypatch.setattr(imdb, "get_file", lambda *_, **__: path)  # it would look for its own
    task = make(source="imdb", path=str(path), valid=0)
    for (reviews, classes), part in zip(
        imdb.load_data(num_words=10_000), (task.train, held_out_documents(task)), strict=True
    ):
        np.testing.assert_array_equal(part.inputs, keras_pad_sequences(reviews, maxlen=80))
        np.testing.assert_array_equal(part.labels[:, -1], classes)
