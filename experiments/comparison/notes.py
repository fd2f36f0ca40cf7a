"""Notes to read before the numbers of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from experiments.comparison.ranking import RANKINGS
from experiments.comparison.table import Comparison, Line
from experiments.reporting.seed_losses import in_words
from experiments.statistics.planning import MOST_SEEDS, POWER

MOST = 5  # ties, or groups with two modes, that are named


def notes(compared: Comparison) -> Iterator[str]:
    """The notes, of one or two sentences each."""
    keys = compared.keys
    yield f"Keys that differ: {', '.join(keys)}." if keys else "The configs are the same."
    better = "higher" if compared.ranking.higher_is_better else "lower"
    yield f"Ranked by {compared.ranking.text}; {better} is better."
    yield "± is half of the 95 % interval over seeds."
    if len(compared.tasks) > 1:
        yield (
            f"There are {len(compared.tasks)} tasks, whose losses cannot be compared. "
            "Groups are ranked within each."
        )
    yield from _updates(compared)
    if compared.ranking.by != "fresh" and any(map(_lacks_fresh_losses, compared.tasks)):
        yield "Some runs were trained by a version that did not measure the loss on fresh data."
    for lines in compared.tasks:
        yield from _ties(lines)
    yield from _modes(compared)
    for group in compared.groups:
        if group.repeated:
            seeds = ", ".join(map(str, group.repeated))
            which = f"seeds {seeds} are" if len(group.repeated) > 1 else f"seed {seeds} is"
            yield f"{group.label}: {which} in more than one run, and counted once."


def _updates(compared: Comparison) -> Iterator[str]:
    """A note if final losses come from rows, not from exactly the last tenth of the updates."""
    finals = [final for group in compared.groups for final in group.finals.values()]
    coarse = [final for final in finals if not final.is_last_tenth]
    if coarse:
        most = max(coarse, key=lambda final: final.updates / final.trained)
        yield (
            "Some runs kept no sum of their last tenth. Their final loss is the mean of the rows "
            f"that reach into it: up to {most.updates:,} of {most.trained:,} updates."
        )


def _modes(compared: Comparison) -> Iterator[str]:
    """Notes on groups of which some seeds learned and others did not."""
    found = [(line.group.label, line.found.modes) for line in compared.lines if line.found]
    divided = [(label, modes) for label, modes in found if modes]
    for label, modes in divided[:MOST]:
        yield f"{label}: {in_words(modes)}."
    if len(divided) > MOST:
        yield f"{len(divided) - MOST} more groups are divided like this; the report shows them."


def _lacks_fresh_losses(lines: Sequence[Line]) -> bool:
    """Whether some groups of a task have a loss on fresh data and others lack it."""
    groups = [line.group for line in lines if line.group.finals]
    have = [len(RANKINGS["fresh"].values(group)) == len(group.finals) for group in groups]
    return any(have) and not all(have)


def _ties(lines: Sequence[Line]) -> Iterator[str]:
    """Notes on the groups tied with the best, and the seeds that would separate them."""
    best = next((line for line in lines if line.standing == "best"), None)
    if best is None:
        return
    tied = [line for line in lines if line.standing == "tied"]
    if any(line.standing == "one seed" for line in lines):
        chosen = " The best is chosen among groups of more seeds." if len(best.ranked) > 1 else ""
        yield (
            "A single seed has no spread, so its group cannot be compared with others: train two "
            f"seeds or more.{chosen}"
        )
    if tied:
        named = [f"{line.group.label} ({_seeds(line)})" for line in tied[:MOST]]
        more = f", and {len(tied) - MOST} more" if len(tied) > MOST else ""
        yield (
            f"Tied with {best.group.label}, the best: {', '.join(named)}{more}. In brackets: the "
            f"seeds of each that would separate them with a probability of {POWER * 100:.0f} %, if "
            "the current differences and spreads are true."
        )


def _seeds(line: Line) -> str:
    if line.seeds_needed is None:
        return f"more than {MOST_SEEDS:,} seeds"
    return f"about {line.seeds_needed:,} seeds"
