"""The pilot's width and length by arithmetic."""

from __future__ import annotations

import pytest

from experiments.advice.schedule import FEWEST, Allowance, Schedule, plan, possible_widths


@pytest.mark.parametrize(
    ("own", "longest", "widths"),
    [
        (5, 10_000, [12, 24, 48, 96, 192]),
        (200, 10_000, [12, 24, 48, 96, 192, 384, 768]),
        (5, 30, [12, 24]),
        (5, 7, [7]),
    ],
)
def test_widths_are_limited_by_the_data_and_the_experiment(
    own: int, longest: int, widths: list[int]
) -> None:
    assert possible_widths(own, longest) == widths


def test_the_widest_graph_that_makes_the_wanted_updates() -> None:
    """1 ms a step, 1,000 updates: 192 steps take 192 s, 384 steps take 384 s."""
    assert plan([96, 192, 384], 1e-3, 200, 5000) == Schedule(192, 1041)


def test_an_experiment_of_few_updates_has_a_wider_pilot() -> None:
    assert plan([96, 192, 384], 1e-3, 200, 500) == Schedule(384, 520)


def test_a_small_budget_takes_the_narrowest() -> None:
    assert plan([48, 96], 1e-3, 4.8, 5000) == Schedule(48, 100)


@pytest.mark.parametrize(("now", "end"), [(0, 40), (30, 60), (90, 110)])
def test_a_pilot_ends_on_time_however_long_its_graphs_took_to_build(now: float, end: float) -> None:
    """It should end by 60; if it begins late, it still trains for 20 s."""
    assert Allowance(training=40, until=60, least=20).deadline(now) == end


def test_time_that_is_left_is_not_used_up() -> None:
    assert plan([48], 1e-6, 1000, 100) == Schedule(48, FEWEST)
    assert plan([48], 1e-6, 1000, 9000) == Schedule(48, 9000)
