"""The task `numbers`: names of numbers, its examples, credit across the border, greedy decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.streams import evaluation_stream, training_stream
from data.task import DataError, Examples
from data.tasks.numbers import (
    END,
    GO,
    IDS,
    VOCABULARY,
    ExactMatch,
    Numbers,
    NumbersConfig,
    in_words,
)
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.evaluator import Evaluator
from experiments.training.generate import Sampling, generate_text
from experiments.training.trained_weights import find_checkpoint
from experiments.training.workload import make_workload
from rnn_graphs.config import ModelConfig, TruncationConfig
from rnn_graphs.graphs.snapshot import make_snapshot
from rnn_graphs.model import Model, TaskShape
from rnn_graphs.tf1 import tf
from rnn_graphs.truncation.credit import definition
from rnn_graphs.truncation.step import Window, make_step
from tests.conftest import summary_of


def make(digits: int = 3, length: int = 8) -> Numbers:
    return NumbersConfig(kind="numbers", digits=digits, length=length).make()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety nine"),
        (100, "one hundred"),
        (407, "four hundred seven"),
        (7000, "seven thousand"),
        (90_012, "ninety thousand twelve"),
        (15_311, "fifteen thousand three hundred eleven"),
    ],
)
def test_names(number: int, words: str) -> None:
    assert " ".join(in_words(number)) == words


def test_every_number_has_a_name_of_its_own_that_gives_it_back() -> None:
    values = {name: value for value in range(100) for name in [tuple(in_words(value))]}

    def value_of(words: tuple[str, ...]) -> int:
        for name, size in (("thousand", 1000), ("hundred", 100)):
            if name in words:
                place = words.index(name)
                rest = words[place + 1 :]
                return value_of(words[:place]) * size + (value_of(rest) if rest else 0)
        return values[words]

    assert [value_of(tuple(in_words(n))) for n in range(0, 100_000, 37)] == [*range(0, 100_000, 37)]


def test_all_is_read_before_the_first_word_is_written() -> None:
    task = make()
    sets = [task.train, task.sets["valid"], task.sets["test"]]
    assert [len(each.labels) for each in sets] == [800, 100, 100]
    seen = set()
    for examples in sets:
        for inputs, labels, weights, length in zip(*examples, strict=True):
            symbols = [VOCABULARY[index] for index in inputs[:length]]
            digits, words = symbols[: symbols.index(GO)], symbols[symbols.index(GO) + 1 :]
            seen.add(int("".join(digits)))
            assert words == in_words(int("".join(digits)))
            assert weights.tolist() == [0] * len(digits) + [1] * (len(words) + 1) + [0] * (
                8 - length
            )
            written = [VOCABULARY[index] for index in labels[weights > 0]]
            assert written == [*words, END]  # each step's label is the next step's input
    assert seen == set(range(1000))  # no number is in two sets


def test_a_length_that_does_not_hold_a_name_is_refused() -> None:
    with pytest.raises(DataError, match=r"task.length: expected at least 8, for \d+ in words"):
        make(length=7)


class OneNumber:
    """One three-digit number with digits of its own, under a tanh cell with drawn weights.

    The row of a digit's input weights gets a gradient only if an error reaches its step.
    """

    def __init__(self, decoder: Any, truncation: TruncationConfig) -> None:
        drawn = make().train
        index = next(
            row for row in range(800) if drawn.weights[row].argmax() == 3
            and len(set(drawn.inputs[row, :3].tolist())) == 3
        )  # fmt: skip
        self.inputs, self.labels, self.counts = (
            part[index] for part in (drawn.inputs, drawn.labels, drawn.weights)
        )
        self.weights, self.gradients = self._run(decoder, truncation)

    def _run(self, decoder: Any, truncation: TruncationConfig) -> tuple[list[Any], list[Any]]:
        """Kernel and bias of the encoder, then of a decoder of its own, then of the softmax."""
        config = ModelConfig(cell="basic_rnn", state_size=4, decoder=decoder)
        shape = TaskShape(
            len(VOCABULARY), len(VOCABULARY), carries_state=False, decoder_ids=IDS[GO]
        )
        stream = np.random.default_rng(0)
        with tf.Graph().as_default(), tf.Session() as session:
            model = Model(config, shape, tf.float64)
            window = Window(
                tf.constant(self.inputs[:, None]),
                tf.constant(self.labels[:, None]),
                model.zero_state(1),
                tf.constant([0, 0]),
                tf.constant(self.counts[:, None]),
            )
            step = make_step(model, model.unrolls["static"], truncation)(window)
            places = make_snapshot(model.variables)
            weights = [stream.normal(0, 0.5, value.shape) for value in places.values.values()]
            session.run(places.restore, dict(zip(places.values.values(), weights, strict=True)))
            return weights, session.run(step.gradients)

    def expected(self, credit: Any) -> list[Any]:
        """Σ_t Σ_s M[t, s] of what the kernels (encoder's, decoder's) of step s did to loss t."""
        *cells, U, c = self.weights
        kernels, biases = cells[::2], cells[1::2]
        gradients = [np.zeros_like(kernel) for kernel in kernels]
        steps: list[tuple[int, Any, Any]] = []  # the kernel's number, [x, h], h after it
        shares = self.counts / self.counts.sum(dtype=np.float64)
        h = np.zeros(4)
        for t, (read, label) in enumerate(zip(self.inputs, self.labels, strict=True)):
            mine = len(kernels) - 1 if read >= IDS[GO] else 0
            both = np.concatenate([np.eye(len(VOCABULARY))[read], h])
            h = np.tanh(both @ kernels[mine] + biases[mine])
            steps.append((mine, both, h))
            powers = np.exp(h @ U + c)
            chances = powers / powers.sum()
            error = shares[t] * U @ (chances - np.eye(len(VOCABULARY))[label])
            for s in range(t, -1, -1):
                number, both_then, then = steps[s]
                slope = error * (1 - then**2)
                gradients[number] += credit[t, s] * np.outer(both_then, slope)
                error = kernels[number][len(VOCABULARY) :] @ slope
        return gradients


@pytest.mark.parametrize("decoder", ["shared", "own"])
@pytest.mark.parametrize(
    "style",
    [
        {"kind": "full"},
        {"kind": "tf_style", "depth": 2},
        {"kind": "tf_style", "depth": 4},
        {"kind": "true_bptt", "depth": 3},
        {"kind": "williams_peng", "depth": 4, "stride": 2},
    ],
    ids=str,
)
def test_credit_on_both_sides_of_the_border_is_the_definition(
    decoder: Any, style: dict[str, Any]
) -> None:
    truncation = TruncationConfig(**style)
    found = OneNumber(decoder, truncation)
    expected = found.expected(definition(truncation, len(found.inputs)))
    assert len(expected) == (2 if decoder == "own" else 1)
    for ours, theirs in zip(found.gradients[: 2 * len(expected) : 2], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
        assert abs(ours).max() > 1e-3


@pytest.mark.parametrize("decoder", ["shared", "own"])
@pytest.mark.parametrize(("depth", "reached"), [(1, 0), (2, 1), (3, 2), (7, 3)])
def test_credit_crosses_the_border_as_far_as_the_depth_says(
    decoder: Any, depth: int, reached: int
) -> None:
    """The last digits before the border, whose input weights get a gradient from the words."""
    found = OneNumber(decoder, TruncationConfig(kind="true_bptt", depth=depth))
    kernel = found.gradients[0]  # of the encoder, or of both
    touched = [bool(abs(kernel[digit]).max() > 1e-12) for digit in found.inputs[:3]]
    assert touched == [place >= 3 - reached for place in range(3)]


def test_an_own_decoder_uses_its_own_weights_from_the_mark_on() -> None:
    """Outputs before the mark are the encoder's alone, those after it need the decoder's."""
    drawn = make().train
    with tf.Graph().as_default(), tf.Session() as session:
        config = ModelConfig(cell="gru", state_size=4, decoder="own")
        shape = TaskShape(
            len(VOCABULARY), len(VOCABULARY), carries_state=False, decoder_ids=IDS[GO]
        )
        model = Model(config, shape, tf.float64)
        inputs = tf.constant(drawn.inputs[:5].T)
        encoded = model.encode(inputs, tf.constant([0, 0]))
        outputs = model.unrolls["dynamic"](model.cell, encoded, model.zero_state(5), None).outputs
        snapshot = make_snapshot(model.variables)
        stream = np.random.default_rng(0)
        values = {
            name: stream.normal(0, 0.5, value.shape) for name, value in snapshot.values.items()
        }

        def run(part: str, factor: float) -> Any:
            feeds = {
                snapshot.values[name]: value * (factor if f"/{part}/" in name else 1)
                for name, value in values.items()
            }
            session.run(snapshot.restore, feeds)
            return session.run(outputs)

        first, decoder, encoder = run("decoder", 1), run("decoder", 2), run("encoder", 2)
    for row, start in enumerate(drawn.weights[:5].argmax(axis=1)):
        np.testing.assert_array_equal(first[:start, row], decoder[:start, row])
        assert abs(first[start:, row] - decoder[start:, row]).min() > 0
        assert abs(first[:start, row] - encoder[:start, row]).max() > 0


def test_greedy_decoding_writes_what_exact_match_counts(tmp_path: Path) -> None:
    config = load_config(
        "numbers",
        [
            "task.digits=3", "task.length=8", "graph.num_steps=8", "graph.batch_size=20",
            "model.state_size=32", "optimizer.learning_rate=0.01", "training.epochs=6",
            "execution.xla=off", "training.validate_every=null", "logging.metrics=[]",
            "logging.tensorboard=false",
        ],
    )  # fmt: skip
    runner.train(config, tmp_path)
    directory, task = RunDirectory(tmp_path), make_workload(config).task
    test, found = (
        task.evaluation("test", evaluation_stream(0)),
        find_checkpoint(directory, 0, "last"),
    )
    assert isinstance(test, Examples)
    assert found is not None
    right, texts = [], []
    with Evaluator(config, task) as evaluator:
        evaluator.restore(found.variables)
        for inputs, weights in zip(test.inputs, test.weights, strict=True):
            digits = inputs[: weights.argmax()]
            read, state = np.append(digits, IDS[GO]), evaluator.first_state()
            words: list[str] = []
            while len(words) < 8 and (not words or words[-1] != END):
                logits, state = evaluator.read(read, state)
                read = np.array([logits.argmax()], np.int8)
                words.append(VOCABULARY[read[0]])
            number = "".join(VOCABULARY[digit] for digit in digits)
            right.append(words == [*in_words(int(number)), END])
            texts.append((number, " ".join([number, *words]).removesuffix(f" {END}")))
    (answers,) = summary_of(tmp_path)["probe"]
    assert answers["exact_match"] == pytest.approx(np.mean(right))
    assert 0.1 < np.mean(right) < 1
    number, written = texts[right.index(True)]
    assert generate_text(directory, number, Sampling(9, 0, 0), "last") == written


def test_exact_match_by_hand() -> None:
    task = make(1, 4)
    drawn = task.draw(training_stream(0))
    chances = np.eye(len(VOCABULARY))[drawn.labels]
    assert ExactMatch().ask(drawn, chances)["exact_match"] == 1
    chances[0, drawn.weights[0] > 0] = 0  # all wrong, the padding still right
    chances[1, drawn.weights[1] == 0] = 0  # only where nothing counts
    share = ExactMatch().ask(drawn, chances)["exact_match"]
    assert share == pytest.approx(1 - 1 / len(drawn.labels))
    assert ExactMatch().describe([{"exact_match": 0.5}, {"exact_match": 1.0}]) == [
        "exact match on test numbers: 75.0% (the least of the seeds: 50.0%)"
    ]


def test_only_a_task_with_a_decoders_inputs_has_a_decoder() -> None:
    with pytest.raises(UsageError, match=r"model.decoder: digits has no inputs of a decoder"):
        make_workload(load_config("digits_small", ["model.decoder=own"]))


def test_checkpoints_of_both_cells_are_read_back(tmp_path: Path) -> None:
    config = load_config(
        "numbers", ["training.epochs=1", "task.digits=2", "task.length=5", "graph.num_steps=5",
                    "graph.batch_size=10", "model.state_size=[4,3]", "model.input_keep_prob=0.9"]
    )  # fmt: skip
    runner.train(config, tmp_path)
    found = find_checkpoint(RunDirectory(tmp_path), 0, "last")
    assert found is not None
    parts = {name.split("/")[1] for name in found.variables if name.startswith("model/")}
    assert parts == {"encoder", "decoder", "softmax"}
    with Evaluator(config, make_workload(config).task) as evaluator:
        evaluator.restore(found.variables)
