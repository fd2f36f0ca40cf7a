"""The advice by candidates whose order can be seen."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.advice.choice import (
    Candidate,
    Need,
    choose,
    frontier,
    is_enough,
    to_time,
    with_costs,
)
from experiments.advice.settings import (
    Setting,
    setting_of,
    settings_for,
    settings_of_examples,
    settings_of_sequences,
)
from experiments.config.compose import load_config
from experiments.statistics.intervals import Interval
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from rnn_graphs.truncation.styles import STYLES

NEED = Need(learned=True, inputs=9, unseen=0.0)


def candidate(
    num_steps: int, left_out: float, cost: float | None, kind: str = "tf_style", **keys: Any
) -> Candidate:
    setting = Setting(num_steps, TruncationConfig(kind=kind, **keys))
    return Candidate(setting, Interval(left_out, left_out - 0.01, left_out + 0.01), cost)


OWN = candidate(5, 0.7, 1.0)
GRAPHS = [
    OWN,
    candidate(24, 0.15, 1.1),
    candidate(48, 0.07, 1.2),
    candidate(96, 0.04, 1.0),
    candidate(8, 0.05, 4.0, "williams_peng", depth=16, stride=8, context=True),
]


def test_the_narrowest_of_the_cheap_ones_that_leave_out_little() -> None:
    choice = choose(GRAPHS, NEED, 0.1)
    assert choice.status == "advised"
    assert choice.advised == GRAPHS[2]
    assert choice.cheaper == GRAPHS[1]
    assert choice.quicker == GRAPHS[4]  # 8 × 4 against 48 × 1.2
    assert choice.narrower == GRAPHS[1]


def test_a_setting_far_dearer_is_not_advised_for_being_narrow() -> None:
    near = candidate(8, 0.05, 1.3, "williams_peng", depth=16, stride=8, context=True)
    assert choose([*GRAPHS, near], NEED, 0.1).advised == near


def test_the_high_end_of_the_interval_decides() -> None:
    assert not is_enough(candidate(48, 0.095, 1), NEED, 0.1)
    assert is_enough(candidate(48, 0.085, 1), NEED, 0.1)


def test_every_input_that_the_pilot_uses_must_be_reached() -> None:
    assert not is_enough(candidate(8, 0.01, 1), NEED, 0.1)
    assert is_enough(candidate(9, 0.01, 1), NEED, 0.1)


def test_a_random_style_is_never_advised() -> None:
    random = candidate(96, 0.0, 0.1, "artbp", cut_probability=0.5)
    assert choose([*GRAPHS, random], NEED, 0.1).advised == GRAPHS[2]
    assert random not in frontier([*GRAPHS, random])


@pytest.mark.parametrize(
    ("need", "status"),
    [
        (NEED._replace(learned=False), "nothing_learned"),
        (NEED._replace(inputs=None), "not_enough"),
        (NEED._replace(unseen=0.2), "not_enough"),
        (NEED._replace(inputs=97), "not_enough"),
        (NEED, "advised"),
    ],
)
def test_without_evidence_nothing_is_advised(need: Need, status: str) -> None:
    choice = choose(GRAPHS, need, 0.1)
    assert choice.status == status
    assert (choice.advised is None) == (status != "advised")


def test_what_was_not_timed_has_the_cost_of_its_work() -> None:
    """A loss takes one pass forward and a double one back; in BPTT(16; 8) over twice the steps,
    and two errors go back side by side: 2 × (1 + 2 × 2) against 1 + 2.
    """
    dear = candidate(8, 0.05, None, "williams_peng", depth=16, stride=8, context=True)
    untimed = [OWN, candidate(48, 0.07, None), dear]
    costly = with_costs(untimed, {OWN.setting: 1.0})
    assert [each.expected for each in costly] == pytest.approx([1, 1, 10 / 3])
    assert choose(costly, NEED, 0.1).advised == costly[1]


def test_the_frontier_falls_with_the_cost() -> None:
    assert frontier(GRAPHS) == [GRAPHS[3]]
    cheap = candidate(1, 0.9, 0.5)
    assert frontier([*GRAPHS, cheap]) == [cheap, GRAPHS[3]]


def test_only_what_can_decide_is_timed() -> None:
    more = [*GRAPHS, candidate(12, 0.3, None), candidate(192, 0.02, None)]
    chosen = to_time(more, NEED, 0.1, 10)
    assert chosen[0] == OWN.setting
    assert {setting.num_steps for setting in chosen} == {5, 24, 48, 96, 8}
    assert to_time(more, NEED, 0.1, 2) == chosen[:2]


def test_settings_of_a_sequence_are_whole_configs() -> None:
    """Each is one that `train` accepts, and makes as many losses as flow back together."""
    config = load_config("r2rt_n10")
    settings = settings_of_sequences(24)
    assert {setting.truncation.kind for setting in settings} >= {"tf_style", "williams_peng"}
    for setting in settings:
        overrides = setting.overrides(config)
        assert setting_of(load_config("r2rt_n10", overrides)) == setting
    (wp,) = (each for each in settings if each.truncation.stride == 8)
    assert (wp.num_steps, wp.truncation.depth, wp.truncation.context) == (8, 16, True)
    assert Setting(8, TruncationConfig(kind="tf_style")) in settings


def test_settings_of_examples_keep_the_width() -> None:
    assert {setting.num_steps for setting in settings_of_examples(8)} == {8}


def test_the_configs_own_setting_comes_first_and_the_data_limit_the_others() -> None:
    """A row of r2rt_n5 with 50,000 symbols is 250 steps long."""
    config = load_config("r2rt_n5", ["task.size=50000"])
    settings = settings_for(config, make_workload(config).task, 192)
    assert settings[0] == setting_of(config)
    assert max(setting.graph_steps for setting in settings) <= 250
    assert max(setting.num_steps for setting in settings) == 192


def test_a_style_that_must_cost_far_more_is_not_timed() -> None:
    dear = candidate(40, 0.01, None, "true_bptt", depth=40, context=True)
    assert dear.setting not in to_time([*GRAPHS, dear], NEED, 0.1, 10)
    assert dear.setting in to_time([OWN, dear], NEED, 0.1, 10)


def test_every_style_that_is_compared_is_a_candidate() -> None:
    compared = {kind for kind, style in STYLES.items() if style.compared(16)}
    assert {setting.truncation.kind for setting in settings_of_sequences(16)} == compared
