"""What a pilot says about the data, from readings made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from experiments.advice import analysis as analysis_module
from experiments.advice.analysis import PilotAnalysis, analyze
from experiments.advice.answer import Advice, as_dict, lines
from experiments.advice.choice import Update, choose, with_costs
from experiments.advice.pilot import Pilot
from experiments.advice.reading import HeldOut, Reading
from experiments.advice.schedule import Schedule
from experiments.advice.settings import Setting
from experiments.config.compose import load_config
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig

CONFIG = load_config("r2rt_n10")
TASK = make_workload(CONFIG).task
WIDTH = 24
OWN = Setting(10, TruncationConfig(kind="tf_style"))
WIDE = Setting(96, TruncationConfig(kind="tf_style"))
GUESS = 0.66


def reading(updates: int, loss: float, lag: int, rate: float = 0.5) -> Reading:
    """Windows of a model that uses the last lag + 1 inputs; its error signal falls after them."""
    noise = np.random.default_rng(updates).normal(0, 1e-3, 4)
    steps = np.arange(WIDTH)
    signal = np.where(steps <= lag, 1.0, rate ** np.maximum(steps - lag, 0))
    excess = np.where(steps < lag, 0.2, 0.0)
    return Reading(
        updates, loss + noise, np.tile(signal, (4, 1)), excess + 0.01 * noise[:, None] + 1e-5
    )


def analysis(*readings: Reading) -> PilotAnalysis:
    return analyze(pilot(*readings), CONFIG, TASK, [OWN, WIDE])


def pilot(*readings: Reading) -> Pilot:
    data = HeldOut([], 4, GUESS, None)
    return Pilot(Schedule(WIDTH, 100), 1e-6, [reading(0, 0.7, 0), *readings], {}, data, 1.0)


def advice(*readings: Reading, **changes: Any) -> Advice:
    found = analysis(*readings)
    timed = with_costs(found.candidates, {OWN: 1e-6, WIDE: 0.9e-6}, Update(72, 24e-6))
    choice = choose(timed, found.need, 0.1)
    return Advice(
        CONFIG, 0.1, True, pilot(*readings), found._replace(candidates=timed, **changes), choice
    )


def test_a_pilot_that_learned_lag_8_needs_nine_inputs() -> None:
    found = analysis(reading(50, 0.5, 3), reading(100, 0.45, 8))
    assert found.need.learned
    assert found.need.inputs == 9
    assert found.earlier_inputs == 4
    assert found.is_still_growing


def test_the_bias_is_that_of_the_worst_moment() -> None:
    """At lag 8 the signal is 1 at the lags that count, 0 to 8. TF style of 10 keeps 1 − k / 10."""
    late = analysis(reading(50, 0.5, 3), reading(100, 0.45, 8))
    own, wide = late.candidates
    shares = 1 - np.arange(9) / 10
    factors = np.linspace(0, 10, 10_001)[:, None]
    assert own.bias.mean == pytest.approx(np.abs(1 - factors * shares).mean(1).min(), rel=1e-3)
    assert wide.bias.mean < 0.1
    assert analysis(reading(100, 0.5, 3)).candidates[0].bias.mean < own.bias.mean


def test_a_loss_no_better_than_a_guess_has_learned_nothing() -> None:
    found = advice(reading(100, GUESS, 8))
    assert found.choice.status == "nothing_learned"
    assert "nothing learned yet" in lines(found)[0]
    assert "larger budget" in lines(found)[0]


def test_a_model_of_the_present_input_alone_has_learned_nothing_of_the_past() -> None:
    found = advice(reading(100, 0.5, 0))
    assert found.choice.status == "nothing_learned"
    assert "no input but the present one" in lines(found)[0]


def test_errors_beyond_the_inputs_that_count_are_no_bias() -> None:
    slow, quick = (analysis(reading(100, 0.45, 8, rate)).candidates[0] for rate in (0.99, 0.1))
    assert slow.bias.mean == pytest.approx(quick.bias.mean)


def test_a_pilot_that_uses_all_its_inputs_is_not_enough() -> None:
    found = advice(reading(100, 0.45, WIDTH))
    assert found.choice.status == "not_enough"
    assert "uses inputs from beyond its 24 steps" in lines(found)[0]


def test_values_have_no_measured_inputs_so_the_signal_must_decay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(analysis_module, "measured_biases", lambda *_: {})  # see test_against_rtrl
    config = load_config("influence_balancing")
    task = make_workload(config).task
    for rate, enough in ((0.99, False), (0.5, True)):
        found = analyze(pilot(reading(100, 0.45, 8, rate)), config, task, [OWN, WIDE])
        assert found.need.learned
        assert (found.need.unseen < 0.5) is enough
        assert found.memory is None


def test_three_lines_say_what_to_set() -> None:
    first, second, third = lines(advice(reading(50, 0.45, 8), reading(100, 0.45, 8)))
    assert first.startswith("num_steps=96 tf_style: 0.9 µs a symbol; bias of the gradient 2.4% (at")
    assert second == "your num_steps=10 tf_style: 1 µs a symbol; bias 33%"
    assert "it uses the last 9 inputs" in third
    assert "a dependency of 24 steps or more would not show" in third


def test_the_second_line_says_which_inputs_yours_does_not_reach() -> None:
    _, second, _ = lines(advice(reading(100, 0.45, 11)))
    assert "it reaches 10 of 12 inputs" in second


def test_noise_of_a_random_style_is_no_bias() -> None:
    found = advice(reading(100, 0.45, 8))
    own = found.own._replace(setting=Setting(10, TruncationConfig(kind="uoro")))
    candidates = [own, *found.analysis.candidates[1:]]
    _, second, _ = lines(found._replace(analysis=found.analysis._replace(candidates=candidates)))
    assert "and noise, which is not measured" in second


def test_json_holds_what_a_program_needs() -> None:
    content = as_dict(advice(reading(50, 0.45, 8), reading(100, 0.45, 8)))
    assert content["status"] == "advised"
    assert content["overrides"] == ["graph.unroll=dynamic", "graph.num_steps=96"]
    assert content["advised"]["effective_depth"] == 96
    assert content["own"]["num_steps"] == 10
    assert len(content["error_signal"]["100"]) == WIDTH
