"""Rankings: the numbers that groups are ranked by, one for each complete seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from experiments.comparison.groups import Group
from experiments.errors import UsageError
from experiments.runs.final_loss import of_rows
from rnn_graphs.metrics import METRICS

LOSSES = ("train", "valid", "fresh")


class Ranking(NamedTuple):
    """A way to rank groups."""

    by: str  # train, valid, fresh, or a metric
    title: str  # of its column
    text: str  # a description of the numbers
    values: Callable[[Group], Mapping[int, float]]  # each complete seed's
    higher_is_better: bool = False
    highest: float = math.inf  # the greatest possible value

    @property
    def sign(self) -> int:
        """The factor that makes lower values better."""
        return -1 if self.higher_is_better else 1


def best_validation(group: Group) -> dict[int, float]:
    """Each complete seed's least validation loss."""
    rows = group.validation_rows
    return {seed: min(row.loss for row in rows[seed]) for seed in group.finals if seed in rows}


def last_validation(group: Group) -> dict[int, float]:
    """Each complete seed's validation loss at its end."""
    rows = group.validation_rows
    return {seed: rows[seed][-1].loss for seed in group.finals if seed in rows}


RANKINGS = {
    "train": Ranking(
        "train", "final loss",
        "the final training loss, nats per time step, mean over the last tenth of the updates",
        lambda group: group.final_losses,
    ),
    "valid": Ranking(
        "valid", "best validation loss",
        "the least validation loss of each seed, nats per time step", best_validation,
    ),
    "fresh": Ranking(
        "fresh", "loss on fresh data",
        "the loss on fresh data at the end of training, nats per time step",
        lambda group: group.fresh_losses,
    ),
}  # fmt: skip


def choose_ranking(groups: Sequence[Group], by: str | None) -> Ranking:
    """The ranking that `--by` names, or the best one that all groups with a complete seed have.

    Raises UsageError if `by` is not a metric, or if no group has it.
    """
    ended = [group for group in groups if group.finals]
    if by is None:
        name = next((n for n in ("valid", "fresh") if ended and _all_have(ended, n)), "train")
        return RANKINGS[name]
    if by not in RANKINGS and by not in METRICS:
        raise UsageError(f"--by: expected one of {', '.join((*LOSSES, *METRICS))}; got {by}")
    ranking = RANKINGS.get(by) or _of_metric(by, ended)
    if ended and not any(map(ranking.values, ended)):
        have = [name for name in LOSSES if any(map(RANKINGS[name].values, ended))]
        have += [name for name in METRICS if any(map(_of_metric(name, ended).values, ended))]
        how = f"; logging.metrics=[{by}] measures it" if by in METRICS else ""
        raise UsageError(f"--by {by}: no run here has it; expected one of {', '.join(have)}{how}")
    return ranking


def _all_have(groups: Sequence[Group], name: str) -> bool:
    return all(len(RANKINGS[name].values(group)) == len(group.finals) for group in groups)


def _of_metric(name: str, groups: Sequence[Group]) -> Ranking:
    """A metric at the last validation, or over the last tenth of training.

    The latter where any group that has the metric was not validated: a number of held-out data
    and one of training are not compared.
    """
    title = name.replace("_", " ")
    having = sum(bool(_in_training(group, name)) for group in groups)
    validated = sum(bool(_at_last_validation(group, name)) for group in groups)
    if validated >= max(1, having):
        text, values = f"the {title} at the last validation", _at_last_validation
    else:
        text, values = f"the {title} over the last tenth of training", _in_training
    metric = METRICS[name]
    return Ranking(
        name,
        title,
        text,
        lambda group: values(group, name),
        metric.higher_is_better,
        metric.highest,
    )


def _at_last_validation(group: Group, name: str) -> dict[int, float]:
    rows = group.validation_rows
    return {
        seed: rows[seed][-1].metrics[name]
        for seed in group.finals
        if seed in rows and name in rows[seed][-1].metrics
    }


def _in_training(group: Group, name: str) -> dict[int, float]:
    found = {}
    for seed in group.finals:
        rows = [row for row in group.rows[seed] if name in row.metrics]
        if rows:
            found[seed] = of_rows([row._replace(loss=row.metrics[name]) for row in rows])[seed].loss
    return found
