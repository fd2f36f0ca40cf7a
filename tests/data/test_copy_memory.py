"""data/tasks/copy_memory.py against a loop over episodes; its floor against an enumeration."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.registry import CONFIGS
from data.streams import evaluation_stream, training_stream
from data.tasks import copy_memory
from data.tasks.copy_memory import CopyMemory, CopyMemoryConfig

SHAPES = [(10, 8, 0), (10, 8, 1), (10, 8, 10), (1, 2, 0), (1, 126, 3), (3, 4, 200)]


def make_task(size: int, symbols: int = 10, alphabet: int = 8, blanks: int = 10) -> CopyMemory:
    return CopyMemoryConfig(
        kind="copy_memory", size=size, symbols=symbols, alphabet=alphabet, blanks=blanks
    ).make()


def episode(symbols: list[int], alphabet: int, blanks: int) -> tuple[list[int], list[int]]:
    """Inputs and labels of one episode, a step at a time."""
    blank, delimiter = alphabet, alphabet + 1
    wait = [blank] * (blanks - 1) + [delimiter] if blanks else []
    inputs = [*symbols, *wait, *[blank] * len(symbols)]
    labels = [*[blank] * len(symbols), *[blank] * blanks, *symbols]
    return inputs, labels


@pytest.mark.parametrize(("symbols", "alphabet", "blanks"), SHAPES)
@pytest.mark.parametrize("more", [0, 1])
def test_every_episode_is_the_loops(symbols: int, alphabet: int, blanks: int, more: int) -> None:
    length = blanks + 2 * symbols
    task = make_task(7 * length + more, symbols, alphabet, blanks)
    sequence = task.draw(training_stream(3))
    assert len(sequence.inputs) == len(sequence.labels) == 7 * length + more
    for start in range(0, 7 * length, length):
        shown = sequence.inputs[start : start + symbols].tolist()
        inputs, labels = episode(shown, alphabet, blanks)
        assert sequence.inputs[start : start + length].tolist() == inputs
        assert sequence.labels[start : start + length].tolist() == labels
        assert max(shown) < alphabet
    assert max(sequence.inputs) < task.num_inputs
    assert max(sequence.labels) < task.num_classes


@given(
    st.integers(1, 12), st.integers(2, 9), st.integers(0, 12), st.integers(0, 300), st.integers(0)
)
def test_what_is_recalled_was_shown_one_lag_before(
    symbols: int, alphabet: int, blanks: int, more: int, seed: int
) -> None:
    task = make_task(blanks + 2 * symbols + more, symbols, alphabet, blanks)
    sequence = task.draw(training_stream(seed % 2**32))
    (recalled,) = np.nonzero(sequence.labels != task.blank)
    before = sequence.inputs[recalled - (symbols + blanks)]
    np.testing.assert_array_equal(sequence.labels[recalled], before)
    shown = np.count_nonzero(sequence.inputs < alphabet)
    whole, rest = divmod(len(sequence.inputs), task.config.episode)
    assert len(recalled) == whole * symbols + max(0, rest - task.config.lag)
    assert shown == whole * symbols + min(rest, symbols)


def test_symbols_have_equal_chances_and_are_new_in_every_epoch() -> None:
    stream, task = training_stream(0), make_task(300_000)
    first, second = task.draw(stream), task.draw(stream)
    assert not np.array_equal(first.inputs, second.inputs)
    counts = Counter(first.inputs[first.inputs < 8].tolist())
    assert sorted(counts) == list(range(8))
    expected = 100_000 / 8
    for count in counts.values():  # 5 standard deviations
        assert abs(count - expected) < 5 * math.sqrt(expected * 7 / 8)


def entropy_without_memory(symbols: int, alphabet: int, blanks: int) -> float:
    """The mean over an episode of the entropy of the label at each place, by enumeration."""
    labels = [
        episode(list(shown), alphabet, blanks)[1]
        for shown in itertools.product(range(alphabet), repeat=symbols)
    ]
    total = 0.0
    for place in zip(*labels, strict=True):
        chances = [count / len(labels) for count in Counter(place).values()]
        total -= sum(chance * math.log(chance) for chance in chances)
    return total / len(labels[0])


@pytest.mark.parametrize(
    ("symbols", "alphabet", "blanks"), [(1, 2, 0), (2, 3, 1), (3, 2, 4), (2, 5, 0)]
)
def test_the_floor_is_that_of_all_episodes(symbols: int, alphabet: int, blanks: int) -> None:
    floors = make_task(1000, symbols, alphabet, blanks).floors()
    expected = entropy_without_memory(symbols, alphabet, blanks)
    assert floors["without memory"] == pytest.approx(expected, abs=1e-12)
    assert floors["copied"] == 0


@pytest.mark.parametrize("blanks", [0, 10, 100, 1000])
def test_the_floor_is_the_published_one(blanks: int) -> None:
    floor = make_task(10_000, blanks=blanks).floors()["without memory"]
    assert floor == pytest.approx(10 * math.log(8) / (blanks + 20), rel=1e-12)


def test_without_blanks_the_input_tells_when_to_recall() -> None:
    sequence = make_task(400, blanks=0).draw(training_stream(1))
    np.testing.assert_array_equal(sequence.inputs == 8, sequence.labels != 8)


def test_with_blanks_a_delimiter_comes_right_before_each_recall() -> None:
    task = make_task(300, blanks=10)
    sequence = task.draw(training_stream(1))
    (delimiters,) = np.nonzero(sequence.inputs == task.delimiter)
    assert delimiters.tolist() == [19 + 30 * number for number in range(10)]
    assert (sequence.labels[delimiters] == task.blank).all()
    assert (sequence.labels[delimiters + 1] != task.blank).all()


def test_the_protocol() -> None:
    task = make_task(1000, blanks=0)
    assert (task.num_inputs, task.num_classes) == (9, 9)
    assert (make_task(1000).num_inputs, make_task(1000).num_classes) == (10, 9)
    assert (task.inputs, task.labels) == ("ids", "ids")
    assert task.carries_state
    assert task.held_out == ("fresh",)
    assert task.windows(batch_size=10, num_steps=20, context=0) == 5
    with pytest.raises(ValueError, match=r"^graph\.batch_size: expected at most .* 1000; got 1001"):
        task.windows(batch_size=1001, num_steps=1, context=0)
    assert task.draw(training_stream(0)).inputs.dtype == np.int8


def test_evaluation_draws_new_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task(3000)
    fresh = task.evaluation("fresh", evaluation_stream(0))
    assert len(fresh.inputs) == 3000
    assert not np.array_equal(fresh.inputs, task.draw(training_stream(0)).inputs)
    monkeypatch.setattr(copy_memory, "FRESH_SIZE", 500)
    assert len(task.evaluation("fresh", evaluation_stream(0)).inputs) == 500


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 29}, r"one episode, blanks \+ 2 \* symbols = 10 \+ 2 \* 10 = 30; got 29"),
        ({"size": 0}, "size"),
        ({"symbols": 0}, "symbols"),
        ({"alphabet": 1}, "alphabet"),
        ({"alphabet": 127}, "alphabet"),
        ({"blanks": -1}, "blanks"),
        ({"blanks": True}, "expected a number; got true"),
        ({"lag": 3}, "lag"),
    ],
)
def test_a_wrong_config_is_refused(change: dict[str, Any], message: str) -> None:
    good = {"kind": "copy_memory", "size": 1000, "symbols": 10, "alphabet": 8, "blanks": 10}
    CONFIGS["copy_memory"].model_validate(good)
    with pytest.raises(ValidationError, match=message):
        CONFIGS["copy_memory"].model_validate(good | change)


def test_the_longest_episode_fits_in_an_evaluation() -> None:
    longest = CopyMemoryConfig(
        kind="copy_memory", size=1_000_000, symbols=10_000, alphabet=2, blanks=100_000
    )
    assert longest.episode <= copy_memory.FRESH_SIZE


class TestMarker:
    def task(self, **keys: Any) -> CopyMemory:
        config = {"size": 4000, "symbols": 5, "alphabet": 4, "blanks": 0, "marker": True} | keys
        return CopyMemoryConfig(kind="copy_memory", **config).make()

    @pytest.mark.parametrize("least", [None, 3])
    def test_each_episode_is_shown_and_then_repeated(self, least: int | None) -> None:
        task = self.task(least_symbols=least)
        inputs, labels = task.draw(np.random.RandomState(0))
        starts, lengths = np.flatnonzero(inputs == task.marker), set()
        for start, end in itertools.pairwise(starts):
            m = (end - start) // 2
            lengths.add(m)
            np.testing.assert_array_equal(inputs[start + m : end], task.blank)
            np.testing.assert_array_equal(labels[start : start + m], task.blank)
            np.testing.assert_array_equal(labels[start + m : end], inputs[start : start + m])
        assert lengths == ({5} if least is None else {3, 4, 5})
        shown = inputs[(inputs != task.marker) & (inputs != task.blank)]
        assert np.abs(np.bincount(shown, minlength=4) / len(shown) - 0.25).max() < 0.05

    def test_floor_counts_the_symbols_that_are_drawn(self) -> None:
        floor = self.task(symbols=10).floors()["without memory"]
        assert floor == pytest.approx(9 * math.log(4) / 20)
        task = self.task(symbols=10, least_symbols=5, size=100_000)
        _, labels = task.draw(np.random.RandomState(0))
        share = np.mean((labels != task.marker) & (labels != task.blank))
        assert task.floors()["without memory"] == pytest.approx(share * math.log(4), rel=0.02)

    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ({"blanks": 2}, "blanks: with marker"),
            ({"marker": False, "least_symbols": 3}, "least_symbols: only with marker"),
            ({"least_symbols": 6}, "at most symbols, 5; got 6"),
        ],
    )
    def test_what_does_not_fit_is_an_error(self, keys: dict[str, Any], message: str) -> None:
        with pytest.raises(ValidationError, match=message):
            self.task(**keys)
