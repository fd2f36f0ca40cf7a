"""The advice by candidates whose order can be seen."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.advice.choice import (
    Candidate,
    Need,
    Update,
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
    settings_with_influence,
    work_of,
)
from experiments.config.compose import load_config
from experiments.statistics.intervals import Interval
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from rnn_graphs.truncation.styles import STYLES

NEED = Need(learned=True, inputs=9, unseen=0.0)


def candidate(
    num_steps: int, bias: float, seconds: float | None, kind: str = "tf_style", **keys: Any
) -> Candidate:
    """A candidate whose update takes the work of plain backpropagation."""
    setting = Setting(num_steps, TruncationConfig(kind=kind, **keys))
    work = 3.0 * setting.graph_steps
    return Candidate(setting, Interval(bias, bias - 0.01, bias + 0.01), work, seconds)


OWN = candidate(5, 0.7, 1.0)
PENG: dict[str, Any] = {"kind": "williams_peng", "depth": 16, "stride": 8, "context": True}
GRAPHS = [
    OWN,
    candidate(24, 0.15, 1.1),
    candidate(48, 0.07, 1.1),
    candidate(96, 0.04, 1.0),
    candidate(8, 0.05, 4.0, **PENG),
]


def test_the_narrowest_that_is_enough_makes_the_most_updates() -> None:
    choice = choose(GRAPHS, NEED, 0.1)
    assert choice.status == "advised"
    assert choice.advised == GRAPHS[2]
    assert choice.quicker == GRAPHS[1]


def test_a_bias_slows_training_by_the_inverse_square_of_what_is_left() -> None:
    """24 steps: 1.1 √24 / 0.84² = 7.6; 48 steps: 1.1 √48 / 0.92² = 9.0."""
    assert GRAPHS[1].cost == pytest.approx(1.1 * 24**0.5 / 0.84**2)
    assert choose(GRAPHS, NEED, 0.5).advised == GRAPHS[1]
    more = candidate(24, 0.25, 1.1)  # 1.1 √24 / 0.74² = 9.8
    assert choose([OWN, more, *GRAPHS[2:]], NEED, 0.5).advised == GRAPHS[2]
    assert candidate(24, 1.0, 1.0).cost == float("inf")


def test_an_update_that_takes_as_long_at_any_width_is_best_wide() -> None:
    """The work of an update is nothing beside its fixed time: 48 s for 48 symbols, and for 96."""
    fixed = [OWN, candidate(48, 0.07, 1.0), candidate(96, 0.04, 0.5)]
    assert choose(fixed, NEED, 0.1).advised == fixed[2]


def test_the_pace_is_the_geometric_mean_of_an_update_and_a_symbol() -> None:
    wide = candidate(48, 0.07, 1.1)
    assert wide.unbiased_cost == pytest.approx(((48 * 1.1) * 1.1) ** 0.5)


def test_a_style_of_fewer_losses_must_cost_far_less() -> None:
    """TF style costs 9.0; at 2.2 s a symbol 2.2 √8 / 0.94² = 7.0 is near, at 1.7 s 5.4 is not."""
    for seconds, best in ((2.2, "tf_style"), (1.7, "williams_peng")):
        advised = choose([*GRAPHS[:4], candidate(8, 0.05, seconds, **PENG)], NEED, 0.1).advised
        assert advised
        assert advised.setting.truncation.kind == best


def test_the_own_setting_is_kept_where_another_is_hardly_cheaper() -> None:
    own = candidate(54, 0.05, 1.1)
    assert choose([own, *GRAPHS], NEED, 0.1).advised == own
    own = candidate(96, 0.04, 1.1)
    assert choose([own, *GRAPHS], NEED, 0.1).advised == GRAPHS[2]


def test_the_high_end_of_the_interval_decides() -> None:
    assert not is_enough(candidate(48, 0.095, 1), NEED, 0.1)
    assert is_enough(candidate(48, 0.085, 1), NEED, 0.1)


def test_every_input_that_the_pilot_uses_must_be_reached() -> None:
    assert not is_enough(candidate(8, 0.01, 1), NEED, 0.1)
    assert is_enough(candidate(9, 0.01, 1), NEED, 0.1)


@pytest.mark.parametrize("kind", ["artbp", "uoro"])
def test_a_random_style_is_never_advised(kind: str) -> None:
    keys = {"cut_probability": 0.5} if kind == "artbp" else {}
    random = candidate(96, 0.0, 0.1, kind, **keys)
    assert choose([*GRAPHS, random], NEED, 0.1).advised == GRAPHS[2]
    assert random not in frontier([*GRAPHS, random])


def test_where_no_window_is_enough_a_style_without_one_is_named() -> None:
    endless = NEED._replace(inputs=None)
    rtrl = candidate(1, 0.0, None, "rtrl")._replace(expected=300)
    choice = choose([*GRAPHS, rtrl], endless, 0.1)
    assert choice.status == "not_enough"
    assert choice.unbounded == rtrl
    assert choose([rtrl, *GRAPHS], endless, 0.1).advised == rtrl  # it is the own one


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
    """An update takes 10 s and 2 s for each of its cell applications."""
    untimed = [OWN, candidate(48, 0.07, None), candidate(8, 0.05, None, **PENG)]
    times = {each.setting: (10 + 2 * each.work) / each.setting.num_steps for each in untimed}
    first_two = {each.setting: times[each.setting] for each in untimed[:2]}
    costly = with_costs(untimed, first_two, Update(1000, 2010))
    assert [each.expected for each in costly] == pytest.approx(list(times.values()))
    assert [each.seconds is None for each in costly] == [False, False, True]
    assert choose(costly, NEED, 0.1).advised == costly[1]


def test_with_one_time_the_cost_is_in_proportion_to_the_work() -> None:
    pilot = Update(100 * OWN.work, 100 * OWN.setting.num_steps)
    costly = with_costs(GRAPHS, {OWN.setting: 1.0}, pilot)
    assert [each.expected for each in costly] == pytest.approx([1, 1, 1, 1, 2])


def test_other_styles_and_equal_times_do_not_make_a_wide_graph_cheap() -> None:
    """Narrow updates may all take the same time; the pilot shows what width costs."""
    wide = candidate(768, 0.01, None)
    untimed = [OWN, candidate(20, 0.05, None), wide, candidate(8, 0.05, None, **PENG)]
    times = {each.setting: 10 / each.setting.num_steps for each in untimed if each is not wide}
    *_, expected, _ = with_costs(untimed, times, Update(3 * 192, 192))
    assert 1 / 3 < expected.expected < 1.2  # the pilot has 1


def test_the_work_of_an_update() -> None:
    """A cell application goes forward once, and each error pass takes two.

    BPTT(16; 8) of 8 losses reads 16 steps, whose errors flow back together; of 16 losses, two
    errors flow side by side over 24 steps. rtrl's influence of 16 units takes 16² for the window,
    and 16 for each step.
    """
    config = load_config("r2rt_n10")
    task = make_workload(config).task
    peng = TruncationConfig(**PENG)
    works = {
        Setting(10, TruncationConfig(kind="full")): 30,
        Setting(8, peng): 16 * 3,
        Setting(16, peng): 24 * 5,
        Setting(2, TruncationConfig(kind="rtrl")): 2 * 3 + 16**2 + 2 * 16,
    }
    assert {each: work_of(each, config, task) for each in works} == works


def test_the_frontier_falls_with_the_cost() -> None:
    assert frontier(GRAPHS) == [OWN, *GRAPHS[1:4]]
    assert frontier([*GRAPHS, candidate(1, 0.9, 0.5), candidate(1, 0.1, 0.6)]) == [
        candidate(1, 0.9, 0.5), candidate(1, 0.1, 0.6), *GRAPHS[2:4],
    ]  # fmt: skip


def test_only_what_can_decide_is_timed() -> None:
    more = [
        *GRAPHS,
        candidate(12, 0.3, None),
        candidate(64, 0.06, None),
        candidate(192, 0.02, None),
    ]
    chosen = [each.setting.num_steps for each in to_time(more, NEED, 0.1, 10)]
    assert chosen == [5, 48, 8, 96, 24]
    assert [each.setting.num_steps for each in to_time(more, NEED, 0.1, 2)] == chosen[:2]


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


def test_a_style_that_chooses_no_depth_logs_none() -> None:
    own = [
        "graph.num_steps=20",
        "truncation={kind: adaptive, tolerance: 0.5, least: 1, most: 20}",
        "logging.metrics=[accuracy, chosen_depth]",
    ]
    config = load_config("r2rt_n5", own)
    assert setting_of(config).applied_to(config).logging == config.logging
    setting = Setting(5, TruncationConfig(kind="tf_style"))
    overrides = setting.overrides(config)
    assert "logging.metrics=[accuracy]" in overrides
    assert setting_of(load_config("r2rt_n5", [*own, *overrides])) == setting


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
    dear = candidate(40, 0.01, None, "true_bptt", depth=40, context=True)._replace(work=9999)
    assert dear not in to_time([*GRAPHS, dear], NEED, 0.1, 10)
    assert dear in to_time([OWN, dear], NEED, 0.1, 10)


def test_every_style_is_a_candidate() -> None:
    """Those that cut nothing within a window, or choose their depth themselves, have no setting."""
    settings = [*settings_of_sequences(16), *settings_with_influence([8], approximate=True)]
    kinds = {setting.truncation.kind for setting in settings}
    assert {*STYLES} - kinds == {"full", "adaptive"}


def test_a_style_that_cannot_train_the_model_is_no_candidate() -> None:
    config = load_config("r2rt_n10", ["model.layer_norm=true", "model.cell=lstm"])
    kinds = {each.truncation.kind for each in settings_for(config, make_workload(config).task, 12)}
    assert kinds == {"tf_style", "williams_peng", "true_bptt", "artbp"}
