"""The child's side: times rounds of updates whenever the parent asks for one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from experiments.benchmarks.peers.work import Work


class Updates(NamedTuple):
    """A function, and the number of updates that one call of it makes."""

    make: Callable[[], object]
    number: int


def serve(open_updates: Callable[[Work, str], Updates]) -> None:
    """Make updates of the work and in the variant that the arguments name; print their seconds.

    One untimed call, which compiles, then `ready`; then, for each line read, the seconds of one
    update in a round that takes at least as long as the line says.
    """
    text, variant = sys.argv[1:]
    updates = open_updates(Work.from_json(text), variant)
    updates.make()
    print("ready", flush=True)
    for line in sys.stdin:
        print(_seconds_of_an_update(updates, float(line)), flush=True)


def _seconds_of_an_update(updates: Updates, at_least: float) -> float:
    began, calls = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < at_least or not calls:
        updates.make()
        calls += 1
    return passed / (calls * updates.number)
