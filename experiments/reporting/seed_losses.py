"""The losses of a run's seeds in words: what intervals are, and the two modes."""

from __future__ import annotations

from experiments.statistics.intervals import Interval
from experiments.statistics.over_seeds import Modes

# For the captions of tables.
INTERVALS = (
    "Intervals are Student's t. Bootstrap: the studentized interval beside it, for fewer than ten "
    "seeds or skewed values. Either side of the middle: where some seeds end below the middle of "
    "the floors and others above it, how many and their means; the interval of all is that of the "
    "mixture. Interquartile mean: the mean of the middle half of four seeds or more, with the "
    "bootstrap interval of rliable, which is narrow for few seeds."
)


def in_words(modes: Modes) -> str:
    """The share of the seeds that learned, and the mean loss on either side and of all."""
    parts = modes.parts
    assert parts.learned
    assert parts.others
    _, low, high = parts.share
    return (
        f"{modes.below} of {modes.seeds} seeds end below the middle of the floors, "
        f"{modes.threshold:.4g} (share {low:.2f} to {high:.2f}), at {with_ends(parts.learned)}, "
        f"the others at {with_ends(parts.others)}, all at {with_ends(parts.mean)}"
    )


def in_short(modes: Modes | None) -> str:
    """The seeds on either side and their mean losses, "4 at 0.4713, 1 at 0.6531"; or nothing."""
    if modes is None:
        return ""
    parts = modes.parts
    assert parts.learned
    assert parts.others
    others = modes.seeds - modes.below
    return f"{modes.below} at {parts.learned.mean:.4f}, {others} at {parts.others.mean:.4f}"


def ends(interval: Interval | None) -> str:
    """An interval without its mean: "0.4000 to 0.4200"; empty where there is none."""
    if interval is None or interval.low is None:
        return ""
    return f"{interval.low:.4f} to {interval.high:.4f}"


def with_ends(interval: Interval | None) -> str:
    """A mean with its interval, "0.4100 (0.4000 to 0.4200)"; empty where there is none."""
    if interval is None:
        return ""
    return f"{interval.mean:.4f} ({ends(interval)})" if ends(interval) else f"{interval.mean:.4f}"
