"""data/tasks/binary_dependency.py against the blog's loop, and its floors against brute force."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.streams import training_stream
from data.tasks import binary_dependency
from data.tasks.binary_dependency import BinaryDependency, BinaryDependencyConfig
from tests.conftest import ROOT

BLOG = ((3, 0.5), (8, -0.25))


def make_task(
    size: int, dependencies: tuple[tuple[int, float], ...] = BLOG, base: float = 0.5
) -> BinaryDependency:
    values = [{"lag": lag, "effect": effect} for lag, effect in dependencies]
    return BinaryDependency(
        BinaryDependencyConfig.model_validate(
            {"kind": "binary_dependency", "size": size, "base": base, "dependencies": values}
        )
    )


def blog_gen_data(size: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """r2rt part I, `gen_data`, word for word."""
    X = np.array(np.random.choice(2, size=(size,)))
    Y = []
    for i in range(size):
        threshold = 0.5
        if X[i - 3] == 1:
            threshold += 0.5
        if X[i - 8] == 1:
            threshold -= 0.25
        if np.random.rand() > threshold:
            Y.append(0)
        else:
            Y.append(1)
    return X, np.array(Y)


def general_gen_data(
    size: int, base: float, dependencies: tuple[tuple[int, float], ...]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The blog's loop with other dependencies."""
    X = np.array(np.random.choice(2, size=(size,)))
    Y = []
    for i in range(size):
        threshold = base
        for lag, effect in dependencies:
            if X[i - lag] == 1:
                threshold += effect
        Y.append(0 if np.random.rand() > threshold else 1)
    return X, np.array(Y)


@pytest.mark.parametrize("seed", [0, 1, 2016])
@pytest.mark.parametrize("size", [9, 10, 1000, 70_000])
def test_two_epochs_are_bit_identical_to_the_blogs_loop(seed: int, size: int) -> None:
    np.random.seed(seed)
    stream = training_stream(seed)
    for _ in range(2):
        X, Y = blog_gen_data(size)
        sequence = make_task(size).draw(stream)
        np.testing.assert_array_equal(sequence.inputs, X)
        np.testing.assert_array_equal(sequence.labels, Y)


@pytest.mark.parametrize("chunk", [1, 2, 5, 8, 9, 64, 999, 1000])
def test_drawing_in_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(binary_dependency, "CHUNK", chunk)
    np.random.seed(5)
    X, Y = blog_gen_data(1000)
    sequence = make_task(1000).draw(training_stream(5))
    np.testing.assert_array_equal(sequence.inputs, X)
    np.testing.assert_array_equal(sequence.labels, Y)


@pytest.mark.parametrize(
    ("base", "dependencies"),
    [
        (0.5, ()),
        (0.25, ((0, 0.5),)),
        (0.1, ((0, 0.2), (1, 0.3), (17, 0.4))),
        (0.9, ((40, -0.3), (2, -0.6))),
        (0.5, ((3, 0.3), (5, 0.2), (7, -0.4))),
        (0.3, ((499, 0.7),)),
    ],
)
@pytest.mark.parametrize("chunk", [7, 1 << 16])
def test_other_dependencies_are_bit_identical_to_the_loop(
    monkeypatch: pytest.MonkeyPatch,
    base: float,
    dependencies: tuple[tuple[int, float], ...],
    chunk: int,
) -> None:
    monkeypatch.setattr(binary_dependency, "CHUNK", chunk)
    np.random.seed(11)
    X, Y = general_gen_data(500, base, dependencies)
    sequence = make_task(500, dependencies, base).draw(training_stream(11))
    np.testing.assert_array_equal(sequence.inputs, X)
    np.testing.assert_array_equal(sequence.labels, Y)


@pytest.mark.parametrize(
    ("known", "published", "tolerance"),
    [
        ("none", 0.661563238158, 1e-11),
        ("lag 3", 0.519166699707, 1e-11),
        ("lag 3 + lag 8", 0.454454367449, 1e-11),
        ("lag 8", 0.627741, 1e-6),
    ],
)
def test_the_floors_are_the_published_ones(
    known: str, published: float, tolerance: float
) -> None:  # fmt: skip
    assert make_task(1000).floors()[known] == pytest.approx(published, abs=tolerance)


@st.composite
def tasks(draw: st.DrawFn) -> BinaryDependency:
    """Any task of up to four dependencies."""
    lags = draw(st.lists(st.integers(0, 20), max_size=4, unique=True))
    bound = 1 / max(len(lags), 1)
    effects = [draw(st.floats(-bound, bound)) for _ in lags]
    low = -sum(effect for effect in effects if effect < 0)
    high = 1 - sum(effect for effect in effects if effect > 0)
    # Effects that leave no room between low and high are shrunk until they do.
    if low > high:
        effects = [effect / 2 for effect in effects]
        low, high = low / 2, (1 + high) / 2
    base = draw(st.floats(min(low, high), high))
    return make_task(100, tuple(zip(lags, effects, strict=True)), base)


@given(tasks())
def test_floors_are_conditional_entropies(task: BinaryDependency) -> None:
    dependencies = task.config.dependencies
    joint = {}  # P(lagged inputs, y)
    for bits in itertools.product((0, 1), repeat=len(dependencies)):
        chance = task.config.base + sum(
            dependency.effect * bit for dependency, bit in zip(dependencies, bits, strict=True)
        )
        joint[bits, 1] = chance / 2 ** len(bits)
        joint[bits, 0] = (1 - chance) / 2 ** len(bits)
    floors = task.floors()
    assert len(floors) == 2 ** len(dependencies)
    for known in itertools.product((False, True), repeat=len(dependencies)):
        both: dict[Any, float] = {}  # P(known inputs, y)
        given_inputs: dict[Any, float] = {}  # P(known inputs)
        for (bits, y), mass in joint.items():
            key = tuple(bit for bit, is_known in zip(bits, known, strict=True) if is_known)
            both[key, y] = both.get((key, y), 0.0) + mass
            given_inputs[key] = given_inputs.get(key, 0.0) + mass
        entropy = -sum(
            mass * np.log(mass / given_inputs[key]) for (key, _), mass in both.items() if mass > 0
        )
        lags = [
            f"lag {dependency.lag}"
            for dependency, is_known in zip(dependencies, known, strict=True)
            if is_known
        ]
        assert floors[" + ".join(lags) or "none"] == pytest.approx(entropy, abs=1e-9)


@given(tasks())
def test_to_know_more_never_raises_the_floor(task: BinaryDependency) -> None:
    floors = task.floors()
    for name, floor in floors.items():
        parts = set() if name == "none" else set(name.split(" + "))
        for other, lower in floors.items():
            if parts < set(other.split(" + ")):
                assert lower <= floor + 1e-12


def test_labels_are_1_as_often_as_they_should_be() -> None:
    size = 400_000
    task = make_task(size)
    inputs, labels = task.draw(training_stream(0))
    assert abs(inputs.mean() - 0.5) < 5 * 0.5 / size**0.5
    index = task.combination_index(inputs, 0, size)
    for number, combination in enumerate(task.combinations()):
        chosen = labels[index == number]
        p = combination.probability
        assert abs(len(chosen) / size - 0.25) < 5 * (0.25 * 0.75 / size) ** 0.5
        assert abs(chosen.mean() - p) <= 5 * (p * (1 - p) / len(chosen)) ** 0.5


def test_inputs_follow_no_pattern_of_their_own() -> None:
    size = 400_000
    signs = 2.0 * make_task(size).draw(training_stream(1)).inputs - 1
    for lag in range(1, 20):
        assert abs((signs[lag:] * signs[:-lag]).mean()) < 5 / size**0.5


def test_fresh_data_are_no_longer_than_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary_dependency, "FRESH_SIZE", 50)
    assert len(make_task(40).evaluation("fresh", training_stream(0)).inputs) == 40
    assert len(make_task(60).evaluation("fresh", training_stream(0)).labels) == 50


@pytest.mark.slow
def test_an_epoch_of_1e8_symbols_fits_in_2_gb() -> None:
    program = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9, 2 * 10**9))\n"
        "from data.batching import cut_into_rows\n"
        "from data.streams import training_stream\n"
        "from tests.data.test_binary_dependency import make_task\n"
        "sequence = make_task(10**8).draw(training_stream(0))\n"
        "print(cut_into_rows(sequence, 200).inputs.shape)\n"
    )
    # One thread: each thread of the linear algebra library reserves address space of its own.
    environment = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(200, 500000)\n"
