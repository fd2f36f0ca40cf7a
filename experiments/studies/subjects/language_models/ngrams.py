"""n-gram models with interpolated Kneser–Ney smoothing, one discount for each order.

With c_j(u w) the count of a j-gram, a context u of j − 1 symbols and then w:

    p_j(w | u) = max(c_j(u w) − D_j, 0) / C_j(u) + D_j N_j(u) / C_j(u) · p_{j−1}(w | u')

u' is u without its first symbol, C_j(u) = Σ_w c_j(u w), N_j(u) is the number of w with a count, and
p_0 is uniform. The highest order has the counts of the text; below it, c_j counts the different
symbols that stand before the j-gram. D_j = n_1 / (n_1 + 2 n_2), of the j-grams counted once and
twice. A context that was never seen leaves all to the order below.

Source: S. Chen & J. Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling"
(1999), sections 2.7 and 3.1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]
LARGEST_DISCOUNT = 0.5  # where no j-gram is counted once, which leaves D_j without an estimate


class Order(NamedTuple):
    """The j-grams of a text, in the order of `keys`."""

    keys: Ids  # [grams], increasing: the number of the context among the (j − 1)-grams · V + w
    counts: NDArray[np.int32]  # [grams], c_j
    discount: float  # D_j
    totals: NDArray[np.int32]  # [contexts], C_j
    followers: NDArray[np.int32]  # [contexts], N_j


class Ngrams(NamedTuple):
    """A model of order n, from the lowest order on."""

    num_symbols: int  # V
    orders: tuple[Order, ...]

    @property
    def numbers(self) -> int:
        """How many it holds: a key and a count for each gram, two numbers for each context."""
        return sum(2 * len(each.keys) + 2 * len(each.totals) for each in self.orders)

    @property
    def nbytes(self) -> int:
        """The bytes of its arrays."""
        arrays = ("keys", "counts", "totals", "followers")
        return sum(getattr(each, name).nbytes for each in self.orders for name in arrays)

    def probabilities(self, ids: NDArray[Any], words: NDArray[Any] | None = None) -> Floats:
        """P(word | the symbols of `ids` before it), for each place, [size].

        The word at place t is words[t], or else ids[t], given ids[t − n + 1 : t].
        """
        ids = ids.astype(np.int64)
        asked = ids if words is None else words.astype(np.int64)
        found = np.full(len(ids), 1 / self.num_symbols)
        contexts = np.zeros(len(ids), np.int64)  # the number of the gram before each place
        for order in self.orders:
            found = _interpolated(order, contexts, asked, found, self.num_symbols)
            grams = _find(order.keys, contexts, ids, self.num_symbols)
            contexts = np.concatenate([[-1], grams[:-1]])
        return found

    def after(self, ids: NDArray[Any]) -> Floats:
        """The probability of each symbol after a text, [num_symbols]."""
        tail = np.append(ids[len(ids) - min(len(ids), len(self.orders)) :], 0).astype(np.int64)
        words = np.arange(self.num_symbols)
        found = np.full(self.num_symbols, 1 / self.num_symbols)
        contexts = np.zeros(len(tail), np.int64)
        for order in self.orders:
            same = np.full(self.num_symbols, contexts[-1])
            found = _interpolated(order, same, words, found, self.num_symbols)
            grams = _find(order.keys, contexts, tail, self.num_symbols)
            contexts = np.concatenate([[-1], grams[:-1]])
        return found

    def write(self, start: NDArray[Any], count: int, stream: np.random.Generator) -> Ids:
        """So many symbols drawn one after the other, after the text `start`, [count]."""
        ids = np.concatenate([start.astype(np.int64), np.zeros(count, np.int64)])
        for place in range(len(start), len(ids)):
            drawn = np.searchsorted(np.cumsum(self.after(ids[:place])), stream.random())
            ids[place] = min(int(drawn), self.num_symbols - 1)
        return ids[len(start) :]


def count_ngrams(ids: NDArray[Any], num_symbols: int, n: int) -> Ngrams:
    """The model of order `n` of a text, [size], whose ids are below `num_symbols`.

    Raises ValueError where the text is shorter than an n-gram.
    """
    if len(ids) < n:
        raise ValueError(f"expected a text of at least {n} symbols; got {len(ids)}")
    ids = ids.astype(np.int64)
    keys, starts = [], []  # by order: the distinct keys, and the number of the gram at each start
    numbers = np.zeros(len(ids), np.int64)
    for j in range(1, n + 1):
        raw = numbers[: len(ids) - j + 1] * num_symbols + ids[j - 1 :]
        distinct, numbers = np.unique(raw, return_inverse=True)
        keys.append(distinct)
        starts.append(numbers)
    counts = [
        _preceding(starts[j], starts[j + 1], len(keys[j]), len(keys[j + 1])) for j in range(n - 1)
    ]
    counts.append(np.bincount(starts[-1], minlength=len(keys[-1])))
    sizes = [1, *(len(each) for each in keys[:-1])]
    return Ngrams(
        num_symbols,
        tuple(_order(*each, num_symbols) for each in zip(keys, counts, sizes, strict=True)),
    )


def _preceding(shorter: Ids, longer: Ids, size: int, longer_size: int) -> NDArray[np.int64]:
    """How many different symbols stand before each gram: one for each longer gram that ends in it.

    `shorter` and `longer` are the numbers of the grams that start at each place.
    """
    ends = np.zeros(longer_size, np.int64)
    ends[longer] = shorter[1:]  # the shorter gram that each longer one ends in
    return np.bincount(ends, minlength=size)


def _order(keys: Ids, counts: NDArray[np.int64], contexts: int, num_symbols: int) -> Order:
    once, twice = ((counts == each).sum() for each in (1, 2))
    discount = float(once / (once + 2 * twice)) if once else LARGEST_DISCOUNT
    before = keys // num_symbols
    totals = np.bincount(before, counts, contexts)
    followers = np.bincount(before, counts > 0, contexts)
    narrow = (each.astype(np.int32) for each in (totals, followers))
    return Order(keys, counts.astype(np.int32), discount, *narrow)


def _interpolated(
    order: Order, contexts: Ids, words: Ids, below: Floats, num_symbols: int
) -> Floats:  # fmt: skip
    """p_j from p_{j−1}."""
    grams = _find(order.keys, contexts, words, num_symbols)
    counts = np.where(grams >= 0, order.counts[grams], 0)
    totals, followers = order.totals[contexts], order.followers[contexts]
    seen = (contexts >= 0) & (totals > 0)
    taken = np.maximum(counts - order.discount, 0) + order.discount * followers * below
    result: Floats = np.where(seen, taken / np.maximum(totals, 1), below)
    return result


def _find(keys: Ids, contexts: Ids, words: Ids, num_symbols: int) -> Ids:
    """The number of the gram of each context and word; −1 where it, or its context, is unseen."""
    wanted = contexts * num_symbols + words
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where((contexts >= 0) & (keys[places] == wanted), places, -1)
