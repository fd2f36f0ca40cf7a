"""n-grams: against paper, the formula symbol by symbol, and sums to one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from experiments.studies.subjects.language_models.ngrams import LARGEST_DISCOUNT, count_ngrams

Gram = tuple[int, ...]


def slow_probability(text: Sequence[int], num_symbols: int, gram: Gram, n: int) -> Fraction:
    """The formula of Chen & Goodman, with sets and counters."""

    def counts(j: int) -> Counter[Gram]:
        grams = [tuple(text[start : start + j]) for start in range(len(text) - j + 1)]
        if j == n:
            return Counter(grams)
        before = defaultdict(set)
        for start in range(1, len(text) - j + 1):
            before[tuple(text[start : start + j])].add(text[start - 1])
        return Counter({each: len(symbols) for each, symbols in before.items()})

    def probability(gram: Gram) -> Fraction:
        if not gram:
            return Fraction(1, num_symbols)
        c = counts(len(gram))
        once, twice = ([*c.values()].count(each) for each in (1, 2))
        discount = Fraction(once, once + 2 * twice) if once else Fraction(LARGEST_DISCOUNT)
        followed = [c[*gram[:-1], symbol] for symbol in range(num_symbols)]
        lower = probability(gram[1:])
        if not sum(followed):
            return lower
        own = max(c[gram] - discount, Fraction(0)) / sum(followed)
        rest = discount * sum(count > 0 for count in followed) / sum(followed)
        return own + rest * lower

    return probability(gram)


def test_bigrams_on_paper() -> None:
    """The text abab c: ab twice, ba once, bc once.

    D_2 = 2 / (2 + 2) = 1/2. Before a stands b; before b, a; before c, b: one each, so that D_1 is
    3 / 3 = 1 and p_1 is 3/3 of 1/3.
    """
    model = count_ngrams(np.array([0, 1, 0, 1, 2]), 3, 2)
    found = model.probabilities(np.array([0, 1, 0, 1, 2]))
    a_then_b = (2 - 1 / 2) / 2 + (1 / 2) * 1 / 2 * (1 / 3)
    b_then_each = (1 - 1 / 2) / 2 + (1 / 2) * 2 / 2 * (1 / 3)
    np.testing.assert_allclose(
        found, [1 / 3, a_then_b, b_then_each, a_then_b, b_then_each], rtol=1e-14
    )


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_formula_symbol_by_symbol(n: int, seed: int) -> None:
    stream, num_symbols = np.random.default_rng(seed), 5
    train = np.minimum(stream.geometric(0.4, 60) - 1, 3)  # symbol 4 is never seen
    held_out = stream.integers(0, num_symbols, 25)
    model = count_ngrams(train, num_symbols, n)
    found = model.probabilities(held_out)
    for place, probability in enumerate(found):
        gram = tuple(held_out[max(0, place - n + 1) : place + 1].tolist())
        # At the start the order is lower, and still that of the counts below n.
        expected = slow_probability(train.tolist(), num_symbols, gram, n)
        assert probability == pytest.approx(float(expected), rel=1e-12), gram


@pytest.mark.parametrize("n", [1, 2, 5])
def test_probabilities_sum_to_one_after_any_context(n: int) -> None:
    stream, num_symbols = np.random.default_rng(3), 7
    model = count_ngrams(stream.integers(0, num_symbols - 1, 300), num_symbols, n)
    text = stream.integers(0, num_symbols, 50)
    each = [model.probabilities(text, np.full(50, word)) for word in range(num_symbols)]
    assert np.min(each) > 0
    np.testing.assert_allclose(np.sum(each, axis=0), 1, rtol=1e-12)


def test_every_symbol_after_a_text() -> None:
    stream, num_symbols = np.random.default_rng(5), 6
    model = count_ngrams(stream.integers(0, num_symbols, 200), num_symbols, 3)
    text = stream.integers(0, num_symbols, 9)
    for size in range(len(text)):
        longer = np.append(text[:size], 0)
        expected = [
            model.probabilities(longer, np.full(size + 1, word))[-1] for word in range(num_symbols)
        ]
        np.testing.assert_allclose(model.after(text[:size]), expected, rtol=1e-13)


def test_it_writes_by_its_probabilities() -> None:
    """4,000 draws: the standard error of a share is at most 0.008."""
    model = count_ngrams(np.array([0, 1, 0, 1, 2, 2, 2, 0]), 4, 1)
    written = model.write(np.array([0]), 4_000, np.random.default_rng(0))
    shares = np.bincount(written, minlength=4) / len(written)
    np.testing.assert_allclose(shares, model.after(np.array([0])), atol=0.03)


def test_what_it_holds() -> None:
    model = count_ngrams(np.array([0, 1, 0, 1, 2]), 3, 2)
    # Keys and counts of 3 + 3 grams; totals and followers of 1 + 3 contexts.
    assert model.numbers == 2 * 6 + 2 * 4
    assert model.nbytes == 6 * (8 + 4) + 4 * (4 + 4)


def test_a_text_that_is_too_short() -> None:
    with pytest.raises(ValueError, match="expected a text of at least 4 symbols; got 3"):
        count_ngrams(np.array([0, 1, 0]), 2, 4)


def test_discount_without_an_estimate() -> None:
    """Every bigram twice: no gram is counted once."""
    model = count_ngrams(np.array([0, 0, 0]), 2, 2)
    assert model.orders[-1].discount == LARGEST_DISCOUNT
    assert model.probabilities(np.array([0, 1]))[1] > 0
