"""data/tasks/binary_dependency.py, LagProbe: answers of models that are known exactly."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from data.batching import cut_into_rows
from data.streams import evaluation_stream
from data.task import Answers
from data.tasks.binary_dependency import BinaryDependency
from tests.conftest import small_config


def ask(share: dict[int, float], *overrides: str, batch_size: int = 20) -> Answers:
    """The answers of a model with this share of the true effect of each lag, by lag."""
    task = cast(BinaryDependency, small_config(*overrides).task.make())
    drawn = task.evaluation(task.probe.split, evaluation_stream(0))
    rows = cut_into_rows(drawn, batch_size)
    flat = rows.inputs.ravel()
    chances = np.full(flat.size, 0.3)
    for dependency in task.config.dependencies:
        effect = dependency.effect * share.get(dependency.lag, 0.0)
        chances += effect * np.roll(flat, dependency.lag)
    probabilities = np.stack([1 - chances, chances], axis=-1).reshape(*rows.inputs.shape, 2)
    return task.probe.ask(drawn, probabilities)


def describe(*answers: Answers) -> list[str]:
    task = cast(BinaryDependency, small_config().task.make())
    return task.probe.describe(list(answers))


@pytest.mark.parametrize("known", [(), (3,), (8,), (3, 8)])
def test_a_dependency_that_the_model_uses_is_learned_and_no_other(known: tuple[int, ...]) -> None:
    effects = ask(dict.fromkeys(known, 1.0))["effects"]
    assert [effect["lag"] for effect in effects] == [3, 8]
    for effect in effects:
        assert effect["learned"] == (effect["lag"] in known)
        expected = effect["true"] if effect["lag"] in known else 0
        assert effect["model"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("share", "learned"), [(0.49, False), (0.51, True), (-1.0, False)])
def test_half_of_the_effect_with_its_sign_counts_as_learned(share: float, learned: bool) -> None:
    answer = ask({3: share, 8: share})
    assert [effect["learned"] for effect in answer["effects"]] == [learned, learned]


def test_each_combination_has_its_mean_beside_the_true_chance() -> None:
    combinations = ask({3: 1.0, 8: 1.0})["combinations"]
    assert [one["inputs"] for one in combinations] == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert [one["true"] for one in combinations] == [0.5, 0.25, 1.0, 0.75]
    for one in combinations:
        assert one["model"] == pytest.approx(one["true"] - 0.2)


def test_time_steps_whose_lagged_inputs_lie_before_the_row_do_not_count() -> None:
    answer = ask({}, batch_size=20)
    assert sum(one["time_steps"] for one in answer["combinations"]) == 20 * (1000 - 8)


def test_rows_shorter_than_the_lag_have_no_answer() -> None:
    answer = ask({3: 1.0, 8: 1.0}, batch_size=4000)  # rows of 5
    assert [one["model"] for one in answer["combinations"]] == [None] * 4
    assert [effect["model"] for effect in answer["effects"]] == [None, None]
    assert not any(effect["learned"] for effect in answer["effects"])


def test_without_dependencies_there_is_one_combination_and_no_effect() -> None:
    answer = ask({}, "task.dependencies=[]")
    assert len(answer["combinations"]) == 1
    assert answer["combinations"][0]["model"] == pytest.approx(0.3)
    assert answer["effects"] == []


def test_an_effect_of_nothing_cannot_be_learned() -> None:
    answer = ask({3: 1.0}, "task.dependencies=[{lag: 3, effect: 0}]")
    assert answer["effects"] == [
        {"lag": 3, "true": 0.0, "model": pytest.approx(0.0, abs=1e-9), "learned": False}
    ]


def test_a_description_counts_the_models_that_learned_each_lag() -> None:
    assert describe(ask({3: 1.0}), ask({3: 0.6, 8: 1.0}), ask({})) == [
        "lag 3: learned by 2 of 3 seeds (effect +0.267, true +0.500)",
        "lag 8: learned by 1 of 3 seeds (effect -0.083, true -0.250)",
    ]


def test_a_description_leaves_out_models_that_could_not_be_asked() -> None:
    short = ask({}, batch_size=4000)
    assert describe(short) == [f"lag {lag}: rows too short to tell" for lag in (3, 8)]
    assert describe(short, ask({3: 1.0}))[0].startswith("lag 3: learned by 1 of 1 seeds")
    assert describe() == []
