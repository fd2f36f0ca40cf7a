"""The width and the length of the pilot, from the measured cost of an update."""

from __future__ import annotations

from typing import NamedTuple

WIDTHS = (12, 24, 48, 96, 192, 384, 768)  # steps
TIMES_OWN = 4  # the widest pilot, as a multiple of the config's num_steps
AT_LEAST_OWN = 48  # a narrower num_steps counts as this
FEWEST = 1_000  # updates wanted, unless the experiment itself makes fewer


class Allowance(NamedTuple):
    """The time that a pilot may take to train and to be read."""

    training: float  # seconds that it may take
    until: float  # monotonic time by which it should end, however long the graphs took to build
    least: float  # seconds that it trains even so

    def deadline(self, now: float) -> float:
        """The end of a training that begins now."""
        return max(now + self.least, min(now + self.training, self.until))


class Schedule(NamedTuple):
    """A pilot: its width, and the updates that its share of the budget pays for."""

    num_steps: int
    updates: int


def possible_widths(own: int, longest: int) -> list[int]:
    """Widths to choose from, up to the longest that the data allow."""
    limit = min(TIMES_OWN * max(own, AT_LEAST_OWN), longest)
    return [width for width in WIDTHS if width <= limit] or [max(1, limit)]


def wanted_updates(own: int) -> int:
    """The updates that decide the width: as many as the experiment makes, FEWEST at most."""
    return min(own, FEWEST)


def most_updates(own: int) -> int:
    """The updates after which a pilot ends even if time is left."""
    return max(own, FEWEST)


def plan(widths: list[int], seconds_per_step: float, budget: float, own_updates: int) -> Schedule:
    """The widest graph that makes the wanted updates within `budget` seconds, else the narrowest.

    An update takes `seconds_per_step` for each time step of its graph.
    """
    most = budget / seconds_per_step / wanted_updates(own_updates)
    width = max((each for each in widths if each <= most), default=widths[0])
    paid = int(budget / (seconds_per_step * width))
    return Schedule(width, max(1, min(paid, most_updates(own_updates))))
