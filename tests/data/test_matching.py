"""Pairs of headings and paragraphs: which they are, and that neither text alone tells the class."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data.documents import START
from data.task import Examples
from data.tasks.matching import Matching, MatchingConfig, other_headings


def make(length: int = 30) -> Matching:
    return MatchingConfig(kind="matching", vocabulary_size=2000, length=length).make()


TASK = make()
SETS = {"train": TASK.train, **TASK.sets}


def texts(examples: Examples) -> list[tuple[int, ...]]:
    """The ids of each row, without padding."""
    return [
        tuple(row[:length].tolist())
        for row, length in zip(examples.inputs, examples.lengths, strict=True)
    ]


def pairs_of(examples: Examples) -> list[tuple[tuple[int, ...], tuple[int, ...], int]]:
    """The heading, the paragraph and the class of each pair."""
    last = (np.arange(len(examples.lengths)), examples.lengths - 1)
    assert examples.weights.sum() == examples.weights[last].sum() == len(examples.lengths)
    classes = examples.labels[last].reshape(-1, 2)
    assert (classes[:, 0] == classes[:, 1]).all()
    rows = texts(examples)
    return [*zip(rows[0::2], rows[1::2], classes[:, 0].tolist(), strict=True)]


@pytest.mark.parametrize("name", SETS)
def test_each_paragraph_is_in_one_pair_of_each_class(name: str) -> None:
    pairs = pairs_of(SETS[name])
    assert all(row[0] == START for heading, paragraph, _ in pairs for row in (heading, paragraph))
    ours = [paragraph for _, paragraph, matches in pairs if matches]
    assert ours == [paragraph for _, paragraph, matches in pairs if not matches]
    assert len({matches for *_, matches in pairs}) == 2


def test_a_heading_is_as_frequent_in_both_classes() -> None:
    found = [pair for examples in SETS.values() for pair in pairs_of(examples)]
    own, other = (Counter(pair[0] for pair in found if pair[2] == matches) for matches in (1, 0))
    assert own == other
    assert len(own) > 100


def test_no_paragraph_gets_its_own_heading_as_another() -> None:
    headings = np.array([0] * 6 + [1, 2, 3, 4, 5, 6, 7])
    others = other_headings(headings)
    assert (others != headings).all()
    assert sorted(others) == sorted(headings)


def test_sets_share_no_paragraph() -> None:
    long = make(400)  # which cuts few
    sets = [set(texts(each)[1::2]) for each in (long.train, *long.sets.values())]
    counts = [len(each.labels) // 4 for each in (long.train, *long.sets.values())]
    assert counts[1] == counts[2]
    assert counts[1] == pytest.approx(0.1 * sum(counts), abs=1)
    # Paragraphs that differ only in words that are not in the vocabulary are equal here.
    shared = sum(len(one & other) for one in sets for other in sets if one is not other)
    assert shared < 0.02 * sum(counts)


def test_a_new_order_keeps_the_texts_of_a_pair_together() -> None:
    drawn = TASK.draw(np.random.RandomState(3))
    ours, theirs = pairs_of(drawn), pairs_of(TASK.train)
    assert ours != theirs
    assert Counter(ours) == Counter(theirs)


def test_an_odd_batch_would_part_a_pair() -> None:
    assert TASK.windows(8, 30, 0) == len(TASK.train.labels) // 8
    with pytest.raises(ValueError, match="expected an even number, got 7"):
        TASK.windows(7, 30, 0)


def test_the_same_texts_each_time() -> None:
    again = make()
    np.testing.assert_array_equal(again.train.inputs, TASK.train.inputs)
    assert again.sources == TASK.sources
