"""Rows of different lengths: both treatments of the padding, and any content in it."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import pytest

from rnn_graphs.config import (
    ExecutionConfig,
    GraphConfig,
    ModelConfig,
    OptimizerConfig,
    TruncationConfig,
)
from rnn_graphs.graphs.training import GraphConfigs, build_training_graph
from rnn_graphs.model import TaskShape
from rnn_graphs.tf1 import tf
from tests.graphs import (
    FULL,
    TOLERANCE,
    Ran,
    Way,
    assert_is_reference,
    close,
    draw_example,
    run_each,
    run_steps,
)
from tests.layers_reference import Array, Example

TIME = 6
LENGTHS = np.array([6, 1, 4, 3])
REAL = np.arange(TIME)[:, None] < LENGTHS  # [time, batch]
GRU = ModelConfig(cell="gru", state_size=3)
STACK = ModelConfig(cell="basic_lstm", state_size=(2, 2), embedding=2, output_keep_prob=0.7)
GRU_WAYS: tuple[Way, ...] = (
    ("scratch", FULL),
    ("static", FULL),
    ("dynamic", TruncationConfig(kind="tf_style", depth=3)),
    ("scratch", TruncationConfig(kind="true_bptt", depth=3)),
    ("static", TruncationConfig(kind="williams_peng", depth=4, stride=2)),
    ("static", TruncationConfig(kind="true_bptt", depth=8)),  # in pieces of four steps and two
    ("dynamic", TruncationConfig(kind="artbp", cut_probability=0.4)),
)
STACK_WAYS: tuple[Way, ...] = (
    ("dynamic", FULL),
    ("scratch", TruncationConfig(kind="artbp", cut_probability=0.4)),
    ("scratch", TruncationConfig(kind="tf_style", depth=2)),
    ("dynamic", TruncationConfig(kind="true_bptt", depth=3)),
    ("static", TruncationConfig(kind="true_bptt", depth=8)),
)
WINDOWED = (
    TruncationConfig(kind="tf_style", depth=3),
    TruncationConfig(kind="true_bptt", depth=3),
    TruncationConfig(kind="true_bptt", depth=8),
    TruncationConfig(kind="williams_peng", depth=4, stride=2),
)


class Runs(NamedTuple):
    """One window, and the same with something else in the padding."""

    first: Ran
    changed: Ran


@functools.cache
def runs(config: ModelConfig, ways: tuple[Way, ...], shortened: bool) -> Runs:
    """With padding as the end of the unroll, or as a mask."""
    example = padded(0)._replace(lengths=LENGTHS if shortened else None)
    changed = example._replace(
        inputs=np.where(REAL, example.inputs, (example.inputs + 1) % 3),
        labels=np.where(REAL, example.labels, 1 - example.labels),
    )
    return Runs(*run_each(config, [example, changed], ways))


def padded(seed: int) -> Example:
    """A window whose losses count in parts, and not at all in the padding."""
    weights = np.random.default_rng(seed).choice([0.25, 0.5, 1, 0], REAL.shape)
    weights[0] = 1
    return draw_example(seed, time=TIME, batch=len(LENGTHS))._replace(weights=weights * REAL)


@pytest.mark.parametrize(
    ("config", "ways"), [(GRU, GRU_WAYS), (STACK, STACK_WAYS)], ids=["gru", "stack"]
)
class TestPadding:
    @pytest.mark.parametrize("shortened", [False, True], ids=["mask", "sequence_length"])
    def test_either_treatment_is_the_reference(
        self, config: ModelConfig, ways: tuple[Way, ...], shortened: bool
    ) -> None:
        """So the loss is Σ w L / Σ w over real tokens. (Random cuts: the test below.)"""
        ran, _ = runs(config, ways, shortened)
        fixed = [place for place, (_, style) in enumerate(ways) if style.kind != "artbp"]
        steps = [ran.steps[place] for place in fixed]
        assert_is_reference(config, ran._replace(steps=steps), [ways[place] for place in fixed])

    def test_both_are_the_same_where_it_counts(
        self, config: ModelConfig, ways: tuple[Way, ...]
    ) -> None:
        masked, shortened = (runs(config, ways, treatment).first for treatment in (False, True))
        for one, two in zip(masked.steps, shortened.steps, strict=True):
            close(one.loss, two.loss)
            close(one.losses[REAL], two.losses[REAL])
            assert not np.isclose(one.losses[~REAL], two.losses[~REAL]).all()
            for ours, theirs in zip(one.gradients, two.gradients, strict=True):
                close(ours, theirs)

    @pytest.mark.parametrize("shortened", [False, True], ids=["mask", "sequence_length"])
    def test_what_stands_in_the_padding_changes_no_gradient(
        self, config: ModelConfig, ways: tuple[Way, ...], shortened: bool
    ) -> None:
        ran, changed = runs(config, ways, shortened)
        for one, two in zip(ran.steps, changed.steps, strict=True):
            assert not np.isclose(one.losses[~REAL], two.losses[~REAL]).any()
            assert one.loss == two.loss
            for ours, theirs in zip(one.gradients, two.gradients, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-15)


@pytest.mark.parametrize("config", [GRU, STACK], ids=["gru", "stack"])
@pytest.mark.parametrize("unroll", ["scratch", "dynamic"])
class TestFinalState:
    """The state to carry is that of `full`, the state at a row's length, in every style."""

    def test_of_every_style(self, config: ModelConfig, unroll: Any) -> None:
        ways = [(unroll, style) for style in (FULL, *WINDOWED)]
        full, *others = run_steps(config, padded(0)._replace(lengths=LENGTHS), ways).steps
        for step in others:
            for ours, theirs in zip(step.final_state, full.final_state, strict=True):
                close(ours, theirs)

    def test_with_context_it_is_the_state_before_the_next_first_input(
        self, config: ModelConfig, unroll: Any
    ) -> None:
        """Rows end before that input, at it, and in the last steps that the window has after it."""
        config = config.without_dropout  # whose masks depend on the number of steps
        lengths = np.array([TIME + 2, 1, TIME, TIME + 1])
        example = draw_example(0, time=TIME, batch=4, context=2)._replace(lengths=lengths)
        style = TruncationConfig(kind="true_bptt", depth=3, context=True)
        (step,) = run_steps(config, example, [(unroll, style)]).steps
        first = example._replace(inputs=example.inputs[:TIME], lengths=lengths.clip(max=TIME))
        (full,) = run_steps(config, first, [(unroll, FULL)]).steps
        for ours, theirs in zip(step.final_state, full.final_state, strict=True):
            close(ours, theirs)


class TestTraining:
    """The whole training graph on examples."""

    ROOM = 3  # windows in one session.run

    @pytest.mark.parametrize(
        ("unroll", "padding", "xla"),
        [
            ("scratch", "mask", False),
            ("static", "sequence_length", False),
            ("dynamic", "sequence_length", False),
            ("dynamic", "sequence_length", True),
            pytest.param("static", "sequence_length", True, marks=pytest.mark.slow),
            pytest.param("scratch", "sequence_length", True, marks=pytest.mark.slow),
        ],
    )
    def test_windows_of_one_run_are_windows_of_their_own(
        self, unroll: Any, padding: Any, xla: bool
    ) -> None:
        """No state is carried between windows; each has its own lengths and weights."""
        examples = [padded(seed) for seed in range(self.ROOM)]
        lengths = np.stack([np.roll(LENGTHS, shift) for shift in range(self.ROOM)])
        examples = [
            one._replace(
                lengths=own, weights=(np.arange(TIME)[:, None] < own) * (1 + one.labels)
            )
            for one, own in zip(examples, lengths, strict=True)
        ]  # fmt: skip
        together = self.trained(unroll, padding, xla, [examples])
        apart = self.trained("scratch", "mask", False, [[example] for example in examples])
        assert len(set(together["loss"])) == self.ROOM
        for name, value in together.items():
            np.testing.assert_allclose(
                value, apart[name], rtol=0, atol=TOLERANCE, err_msg=name
            )  # fmt: skip

    def trained(
        self, unroll: Any, padding: Any, xla: bool, runs: list[list[Example]]
    ) -> dict[str, Array]:
        """Losses, and every variable after training on some examples a session.run."""
        graph = build_training_graph(
            GraphConfigs(
                ModelConfig(cell="gru", state_size=3),
                GraphConfig(
                    unroll=unroll, num_steps=TIME, batch_size=len(LENGTHS), precision="float64",
                    padding=padding,
                ),
                FULL,
                OptimizerConfig(
                    kind="sgd", learning_rate=0.5, momentum=None, initial_accumulator=None,
                    beta1=None, beta2=None, decay=None, epsilon=None,
                ),
                ExecutionConfig(
                    loop="in_graph", iterations_per_loop=self.ROOM, xla="off", threads=1
                ),
            ),
            TaskShape(3, 2, carries_state=False), [], xla,
        )  # fmt: skip
        losses: list[float] = []
        with tf.Session(graph=graph.graph) as session:
            session.run(graph.initialize, {graph.seed: 0})
            for examples in runs:
                feeds: dict[Any, Any] = {graph.count: len(examples)}
                for placeholder, name in zip(graph.feeds, graph.feeds._fields, strict=True):
                    if placeholder is None:
                        continue
                    parts = [getattr(example, name) for example in examples]
                    value = np.zeros(placeholder.shape.as_list())
                    joined = np.stack(parts) if name == "lengths" else np.concatenate(parts)
                    value[: len(joined)] = joined
                    feeds[placeholder] = value
                losses += list(session.run(graph.metrics, feeds)["loss"][: len(examples)])
            return {"loss": np.array(losses), **session.run(graph.snapshot.variables)}
