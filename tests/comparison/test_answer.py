"""experiments/comparison/answer.py: the sentence that a comparison's report starts with."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.comparison.answer import answers
from experiments.comparison.groups import group_runs
from experiments.comparison.ranking import choose_ranking
from experiments.comparison.table import compare_groups
from experiments.runs.found import find_runs
from tests.handmade import finished_run


def answers_for(folder: Path, finals: dict[int, tuple[float, ...]]) -> list[str]:
    """A group for each num_steps, with a seed for each of its final losses."""
    for num_steps, losses in finals.items():
        overrides = [f"graph.num_steps={num_steps}", f"training.seeds={len(losses)}"]
        rows = [[0.6, loss] for loss in losses]
        finished_run(folder, f"n{num_steps}", rows, overrides=overrides)
    return of_folder(folder)


def of_folder(folder: Path) -> list[str]:
    groups = group_runs(find_runs([folder]))
    return answers(compare_groups(groups, choose_ranking(groups, None)))


@pytest.mark.parametrize(
    ("finals", "sentence"),
    [
        (
            {18: (0.50, 0.51, 0.52), 54: (0.40, 0.41, 0.42)},
            "num_steps=54 is best, with a final loss of 0.4100.",
        ),
        (
            {18: (0.40, 0.44, 0.46), 54: (0.40, 0.41, 0.42)},
            "num_steps=54 is best, with a final loss of 0.4100, "
            "but num_steps=18 is indistinguishable from it.",
        ),
        (
            {18: (0.40, 0.44, 0.46), 36: (0.39, 0.44, 0.46), 54: (0.40, 0.41, 0.42)},
            "num_steps=54 is best, with a final loss of 0.4100, "
            "but 2 others are indistinguishable from it.",
        ),
        # One seed has no interval, so nothing is known of the difference.
        (
            {18: (0.50,), 54: (0.40,)},
            "num_steps=54 is best, with a final loss of 0.4000, "
            "but num_steps=18 is not comparable, for want of seeds.",
        ),
        # One seed is not called the best, however low its loss is.
        (
            {18: (0.50, 0.51, 0.52), 54: (0.40,)},
            "num_steps=18 is best, with a final loss of 0.5100, "
            "but num_steps=54 is not comparable, for want of seeds.",
        ),
        (
            {18: (0.40, 0.44, 0.46), 36: (0.39,), 54: (0.40, 0.41, 0.42), 72: (0.5,)},
            "num_steps=54 is best, with a final loss of 0.4100, but num_steps=18 is "
            "indistinguishable from it and 2 others are not comparable, for want of seeds.",
        ),
        ({54: (0.40, 0.42)}, "lag_17 has a final loss of 0.4100."),
    ],
)
def test_the_best_is_named_with_its_ties(
    finals: dict[int, tuple[float, ...]], sentence: str, tmp_path: Path
) -> None:
    assert answers_for(tmp_path, finals) == [sentence]


def test_without_a_complete_seed_nothing_is_ranked(tmp_path: Path) -> None:
    run = finished_run(tmp_path, "run", [[0.6, 0.5]])
    run.directory.metrics.unlink()
    run.directory.write_summary({"status": "interrupted"})
    assert of_folder(tmp_path) == ["No seed is complete, so nothing can be ranked."]
