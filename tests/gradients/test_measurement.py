"""gradients/measurement.py: styles and windows, and what is measured at them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from data.batching import cut_into_rows
from data.streams import evaluation_stream
from experiments.config.compose import load_config
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.gradients.error import compare
from experiments.gradients.measurement import (
    DRAWS,
    WINDOWS,
    Gauge,
    held_out_windows,
    styles,
)
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import TruncationConfig
from tests.conftest import small_config


class TestCompare:
    def test_a_gradient_with_itself_is_exact(self) -> None:
        gradient = np.random.default_rng(0).normal(size=50)
        assert compare(gradient, gradient) == (0, 1)

    @pytest.mark.parametrize(
        ("estimate", "expected"),
        [([0, 3], (np.sqrt(2), 0)), ([6, 0], (1, 1)), ([-3, 0], (2, -1)), ([3, 3], (1, 0.5**0.5))],
    )
    def test_with_others(self, estimate: list[float], expected: tuple[float, float]) -> None:
        found = compare(np.array(estimate, float), np.array([3.0, 0.0]))
        assert found == pytest.approx(expected, abs=1e-15)

    def test_zero_has_no_angle(self) -> None:
        error, cosine = compare(np.zeros(2), np.array([3.0, 0.0]))
        assert error == 1
        assert np.isnan(cosine)

    def test_one_that_overflows_warns_of_nothing(self) -> None:
        assert np.isnan(compare(np.array([1e300, 0]), np.array([1e300, 0])).cosine)


class TestStyles:
    @pytest.mark.parametrize("num_steps", [1, 2, 7, 10, 12, 49, 360])
    def test_every_one_is_allowed_and_there_is_one_of_each(self, num_steps: int) -> None:
        found = styles(num_steps)
        for style in found:
            style.check_window(num_steps)
        assert len(set(found)) == len(found)

    def test_of_10_steps(self) -> None:
        found = [(one.kind, one.depth, one.stride, one.cut_probability) for one in styles(10)]
        assert found == [
            *[("tf_style", depth, None, None) for depth in (1, 2, 5, 10)],
            *[("true_bptt", depth, None, None) for depth in (1, 2, 4, 8, 10)],
            *[("williams_peng", 2 * stride, stride, None) for stride in (1, 2, 5)],
            *[("artbp", None, None, chance) for chance in (0.5, 0.25, 0.125, 0.1)],
        ]


class TestGauge:
    @pytest.fixture(scope="class")
    @classmethod
    def config(cls) -> Config:
        return small_config("graph.num_steps=4", "graph.batch_size=50")

    def test_the_state_is_carried_from_window_to_window(self, config: Config) -> None:
        """Two windows measured in sequence differ from two windows measured alone."""
        task = config.task.make()
        windows = held_out_windows(config, task, 0)
        variables = self.variables(config)
        with Gauge(config, task, styles(4)[:1]) as gauge:
            first, second = gauge.measure(variables, windows[:2], 0)
            (alone,) = gauge.measure(variables, windows[1:2], 0)
            (again,) = gauge.measure(variables, windows[:1], 0)
        np.testing.assert_array_equal(first.error_signal, again.error_signal)
        assert not np.isclose(second.error_signal, alone.error_signal).any()

    def test_the_mean_of_many_draws_of_artbp_is_nearer_to_full(self, config: Config) -> None:
        """By the root of their number, because the error of an unbiased estimate is pure noise."""
        task, artbp = config.task.make(), TruncationConfig(kind="artbp", cut_probability=0.3)
        with Gauge(config, task, [artbp]) as gauge:
            assert [estimate.draws for estimate in gauge.estimates] == [1, DRAWS]
            readings = gauge.measure(self.variables(config), held_out_windows(config, task, 0), 0)
        errors = np.array([reading.comparisons for reading in readings])[:, :, 0].mean(axis=0)
        assert errors[0] / errors[1] == pytest.approx(DRAWS**0.5, rel=0.4)

    def test_windows_are_fresh_and_as_many_as_the_rows_have(self, config: Config) -> None:
        task = config.task.make()
        assert len(held_out_windows(config, task, 0)) == WINDOWS
        short = small_config("graph.batch_size=2000", "graph.num_steps=4")  # rows of 10
        assert len(held_out_windows(short, task, 0)) == 2

    @pytest.mark.parametrize("experiment", ["digits_small", "text_python_docs"])
    def test_windows_are_of_data_that_training_never_sees(self, experiment: str) -> None:
        config = load_config(experiment, [])
        task = config.task.make()
        expected = cut_into_rows(
            task.evaluation("valid", evaluation_stream(0)), config.graph.batch_size
        )
        for number, window in enumerate(held_out_windows(config, task, 0)):
            steps = slice(number * config.graph.num_steps, (number + 1) * config.graph.num_steps)
            np.testing.assert_array_equal(window.inputs, expected.inputs[:, steps])

    def test_held_out_data_that_fill_no_batch_are_a_usage_error(self) -> None:
        config = load_config("digits_small", ["graph.batch_size=400"])
        with pytest.raises(UsageError, match=r"graph\.batch_size: .*\(valid, test\); got 400"):
            held_out_windows(config, config.task.make(), 0)

    @staticmethod
    def variables(config: Config) -> dict[str, NDArray[Any]]:
        """A seed's weights at its start."""
        with TrainingSession(build(config, make_workload(config)), 1) as session:
            session.initialize(1)
            return session.variables()
