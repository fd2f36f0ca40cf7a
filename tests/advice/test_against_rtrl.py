"""Biases measured against rtrl, on a model before it is trained."""

from __future__ import annotations

import math

import pytest

from experiments.advice.against_rtrl import measured_biases
from experiments.advice.pilot import Pilot
from experiments.advice.reading import HeldOut
from experiments.advice.schedule import Schedule
from experiments.advice.settings import Setting, setting_of, settings_for
from experiments.config.compose import load_config
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from tests.conftest import SMALL

CONFIG = load_config("r2rt_n5", [*SMALL, "model.state_size=3", "truncation.kind=rtrl"])
TASK = make_workload(CONFIG).task
FIRST, SECOND = (Setting(8, TruncationConfig(kind="snap", order=order)) for order in (1, 2))
LEAKY = Setting(8, TruncationConfig(kind="rflo", leak=0.5))


@pytest.fixture(scope="module")
def pilot() -> Pilot:
    with TrainingSession(build(CONFIG, make_workload(CONFIG)), 1) as session:
        session.initialize(0)
        variables = session.variables()
    return Pilot(Schedule(8, 1), 1e-6, [], variables, HeldOut([], 1, None, None), 1.0)


def test_what_equals_rtrl_has_no_bias_and_what_drops_paths_has(pilot: Pilot) -> None:
    """In a dense cell the second order keeps all paths."""
    biases = measured_biases(CONFIG, TASK, pilot, [FIRST, SECOND, LEAKY, setting_of(CONFIG)])
    assert {*biases} == {FIRST, SECOND, LEAKY}
    assert biases[SECOND].mean < 1e-6
    for each in (FIRST, LEAKY):
        assert 0.001 < biases[each].mean < 1
        assert biases[each].high


def test_without_memory_for_rtrl_the_bias_is_unknown(pilot: Pilot) -> None:
    execution = CONFIG.execution.model_copy(update={"memory_limit": 1e-9})
    small = CONFIG.model_copy(update={"execution": execution})
    assert measured_biases(small, TASK, pilot, [FIRST])[FIRST].high is None


def test_they_are_candidates_of_an_experiment_in_forward_mode() -> None:
    own = [each.truncation.kind for each in settings_for(CONFIG, TASK, 24)]
    assert own[0] == "rtrl"
    assert {"rflo", "snap"} < {*own}
    plain = load_config("r2rt_n5", [*SMALL, "model.state_size=3"])
    others = {each.truncation.kind for each in settings_for(plain, TASK, 24)}
    assert "rtrl" in others
    assert not {"rflo", "snap"} & others


def test_a_narrow_graph_that_sees_the_wrong_sign_has_nothing_right() -> None:
    """Errors of several lags cancel (influence balancing, Tallec & Ollivier 2017, section 4.1)."""
    config = load_config("influence_balancing", ["task.size=20000", "truncation.kind=tf_style"])
    workload = make_workload(config)
    with TrainingSession(build(config, workload), 1) as session:
        session.initialize(0)
        variables = session.variables()
    seen = Pilot(Schedule(400, 1), 1e-6, [], variables, HeldOut([], 1, None, None), 1.0)
    plain = TruncationConfig(kind="tf_style")
    with_context = TruncationConfig(kind="true_bptt", depth=20, context=True)
    settings = [setting_of(config)]
    settings += [Setting(width, plain) for width in (1, 80, 400, 800)] + [Setting(1, with_context)]
    biases = measured_biases(config, workload.task, seen, settings)
    assert [biases[Setting(width, plain)].mean for width in (1, 80, 400)] == [1, 1, 0]
    assert math.isnan(biases[Setting(800, plain)].mean)  # wider than the pilot
    assert math.isnan(biases[Setting(1, with_context)].mean)
