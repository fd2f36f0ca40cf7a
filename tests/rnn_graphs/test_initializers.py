"""rnn_graphs/initializers.py: the initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.errors import UsageError
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from rnn_graphs.config import Unroll
from rnn_graphs.initializers import glorot_uniform, orthogonal, uniform_unit_scaling
from rnn_graphs.tf1 import tf
from tests.conftest import small_config

SHAPE = ("model.state_size=16", "graph.num_steps=2")


def first_weights(seed: int, *overrides: str) -> list[NDArray[np.float64]]:
    """Cell W, cell b, softmax W and softmax b of a graph that has just been initialised."""
    config = small_config(*SHAPE, *overrides)
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(seed)
        return list(session.variables().values())[:4]


@pytest.fixture(scope="module")
def weights() -> list[NDArray[np.float64]]:
    return first_weights(0)


@pytest.mark.parametrize("unroll", ["scratch", "static", "dynamic"])
@pytest.mark.parametrize("cell", ["scratch", "basic_rnn"])
def test_every_cell_and_unroll_starts_from_the_same_weights(
    weights: list[NDArray[np.float64]], cell: str, unroll: Unroll
) -> None:
    for ours, theirs in zip(
        first_weights(0, f"model.cell={cell}", f"graph.unroll={unroll}"), weights, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "override", ["execution.loop=per_step", "optimizer.kind=adam", "execution.xla=on"]
)
def test_so_does_every_way_to_run_them(
    weights: list[NDArray[np.float64]], override: str
) -> None:  # fmt: skip
    for ours, theirs in zip(first_weights(0, override), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_float64_starts_where_float32_does(weights: list[NDArray[np.float64]]) -> None:
    for ours, theirs in zip(first_weights(0, "graph.precision=float64"), weights, strict=True):
        assert ours.dtype == np.float64
        np.testing.assert_array_equal(ours.astype(np.float32), theirs)


def test_seeds_differ(weights: list[NDArray[np.float64]]) -> None:
    other = first_weights(1)
    for number in (0, 2):
        assert not np.isclose(weights[number], other[number]).any()


def test_the_two_matrices_do_not_share_their_draws(weights: list[NDArray[np.float64]]) -> None:
    W, U = weights[0], weights[2]
    limits = [(6 / sum(matrix.shape)) ** 0.5 for matrix in (W, U)]
    assert not np.isclose(W.ravel()[: U.size] / limits[0], U.ravel() / limits[1]).any()


@pytest.mark.parametrize("number", [0, 2])
def test_weights_are_uniform_within_the_glorot_bound(
    weights: list[NDArray[np.float64]], number: int
) -> None:
    values = weights[number]
    bound = (6 / sum(values.shape)) ** 0.5
    assert abs(values).max() <= bound
    assert abs(values).max() > 0.9 * bound
    assert abs(values.mean()) < 5 * bound / (3 * values.size) ** 0.5


@pytest.mark.parametrize("shape", [[300, 20], [20, 300], [5, 40, 30], [2, 3, 40, 30]])
@pytest.mark.parametrize(
    ("initializer", "of_tensorflow"),
    [
        (glorot_uniform, "glorot_uniform_initializer"),
        (uniform_unit_scaling, "uniform_unit_scaling_initializer"),
    ],
)
def test_the_bound_is_tensorflows(initializer: Any, of_tensorflow: str, shape: list[int]) -> None:
    """Of several matrices in one array, too, as a cell of one's own may have them."""
    with tf.Graph().as_default(), tf.Session() as session:
        ours = initializer(shape, tf.constant([0, 0]), None)
        theirs = getattr(tf, of_tensorflow)(seed=0)(shape)
        found, expected = (float(np.max(np.abs(session.run(draw)))) for draw in (ours, theirs))
    assert found == pytest.approx(expected, rel=0.01)


def test_biases_are_zero(weights: list[NDArray[np.float64]]) -> None:
    assert not weights[1].any()
    assert not weights[3].any()


def test_initialising_again_forgets_the_seed_before() -> None:
    config = small_config(*SHAPE)
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        before = session.variables()
        session.initialize(1)
        session.initialize(0)
        for name, value in session.variables().items():
            np.testing.assert_array_equal(value, before[name], err_msg=name)


@pytest.mark.parametrize("cell", ["basic_rnn", "gru"])
def test_orthogonal_matrices_are_orthogonal(cell: str) -> None:
    """Tall ones in their columns, wide ones in their rows; and those of other seeds are others."""
    for seed in range(2):
        for matrix in drawn(seed, "initializer=orthogonal", f"cell={cell}"):
            tall = matrix if len(matrix) >= matrix.shape[1] else matrix.T
            np.testing.assert_allclose(tall.T @ tall, np.eye(tall.shape[1]), rtol=0, atol=1e-12)
    first, second = (drawn(seed, "initializer=orthogonal")[0] for seed in range(2))
    assert not np.isclose(first, second).any()


def test_orthogonal_matrices_are_uniform_over_all_of_them() -> None:
    """QR alone prefers a sign; a uniform one has as many traces above 0 as below."""
    with tf.Graph().as_default(), tf.Session() as session:
        seed = tf.placeholder(tf.int32, [2])
        one = orthogonal([3, 3], seed, None)
        found = np.array([session.run(one, {seed: [number, 0]}) for number in range(400)])
    for row, column in np.ndindex(3, 3):
        entries = found[:, row, column]
        assert abs(entries.mean()) < 5 * (1 / 3 / 400) ** 0.5  # of variance 1/3
        assert abs((entries > 0).mean() - 0.5) < 5 * 0.5 / 400**0.5


def test_each_of_several_matrices_in_one_array_is_orthogonal() -> None:
    """As a cell of one's own may have them."""
    with tf.Graph().as_default(), tf.Session() as session:
        tall, wide = session.run(
            [orthogonal(shape, tf.constant([0, 0]), None) for shape in ([3, 5, 2], [3, 2, 5])]
        )
    for one in (*tall, *wide.swapaxes(1, 2)):
        np.testing.assert_allclose(one.T @ one, np.eye(2), atol=1e-12)
    assert not np.isclose(tall[0], tall[1]).any()


def test_uniform_fills_its_scale() -> None:
    for values in drawn(0, "initializer=uniform", "initializer_scale=0.3"):
        assert 0.25 < abs(values).max() <= 0.3
        assert abs(values.std() - 0.3 / 3**0.5) < 0.03
        assert abs(values.mean()) < 5 * 0.3 / (3 * values.size) ** 0.5


def test_normal_has_its_scale() -> None:
    for values in drawn(0, "initializer=normal", "initializer_scale=0.3"):
        assert abs(values.std() - 0.3) < 5 * 0.3 / (2 * values.size) ** 0.5
        assert abs(values.mean()) < 5 * 0.3 / values.size**0.5
        assert abs(values).max() > 0.5


@pytest.mark.parametrize(
    "keys", [("orthogonal",), ("uniform_unit_scaling",), ("uniform", 0.2), ("normal", 0.2)], ids=str
)
def test_every_initializer_is_of_the_seed_alone(keys: tuple[str | float, ...]) -> None:
    names = ("initializer", "initializer_scale")
    overrides = [f"{name}={value}" for name, value in zip(names, keys, strict=False)]
    one, again, other = drawn(3, *overrides), drawn(3, *overrides), drawn(4, *overrides)
    for first, second, third in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(first, second)
        assert not np.isclose(first, third).any()


def test_biases_keep_what_their_cell_gives_them() -> None:
    """A GRU's gates begin at 1, which keeps its state; all others at 0."""
    config = small_config("model.cell=gru", "model.initializer=normal",
                          "model.initializer_scale=1")  # fmt: skip
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        values = session.variables()
    biases = {name: value for name, value in values.items() if name.endswith(("/b", "/bias"))}
    assert len(biases) == 3
    for name, value in biases.items():
        np.testing.assert_array_equal(value, np.full_like(value, "gates" in name), err_msg=name)


def test_peepholes_and_projection_are_drawn_too() -> None:
    overrides = ("cell=lstm", "peepholes=true", "projection=3", "initializer=orthogonal")
    kernel, forget, enter, leave, projection, _ = drawn(0, *overrides)
    assert projection.shape == (16, 3)
    assert kernel.shape == (2 + 3, 4 * 16)
    for diagonal in (forget, enter, leave):
        assert diagonal.shape == (16,)
        assert diagonal.all()


def drawn(seed: int, *model: str) -> list[NDArray[np.float64]]:
    """The weights of a model without its biases, in float64."""
    config = small_config(*SHAPE, "graph.precision=float64", *[f"model.{key}" for key in model])
    work = make_workload(config)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(seed)
        values = session.variables()
    return [
        value
        for name, value in values.items()
        if name.startswith("model/") and "Adagrad" not in name and not name.endswith(("/b", "bias"))
    ]


def test_a_projection_is_drawn_whole_though_it_has_as_many_rows_as_a_kernel() -> None:
    """4 inputs and 4 outputs beside each other, and 8 units to project."""
    keys = ("cell=lstm", "state_size=8", "projection=4", "embedding=4")
    whole = drawn(0, *keys, "initializer=orthogonal")
    halves = drawn(0, *keys, "initializer=orthogonal", "recurrent_initializer=orthogonal")
    by_shape = {one.shape: (one, other) for one, other in zip(whole, halves, strict=True)}
    np.testing.assert_array_equal(*by_shape[8, 4])
    assert not np.isclose(*by_shape[8, 32]).all()


@pytest.mark.parametrize(
    "cell", ["scratch", "basic_rnn", "gru", "lstm", "scratch_lstm", "scratch_gru"]
)
def test_the_recurrent_rows_are_drawn_on_their_own(cell: str) -> None:
    """As in Keras: an orthogonal recurrent kernel, and Glorot's bound of the other rows alone."""
    keys = ("model.recurrent_initializer=orthogonal", f"model.cell={cell}")
    config = small_config(*SHAPE, *keys, "graph.precision=float64")
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        variables = session.variables()
    kernels = [v for n, v in variables.items() if n.startswith("model/layer_0") and v.ndim == 2]
    kernels = [kernel for kernel in kernels if abs(kernel - 0.1).max() > 1e-9]  # Adagrad's slots
    assert len(kernels) == (2 if "gru" in cell else 1)
    for kernel in kernels:
        x, h = kernel[:2], kernel[2:]
        np.testing.assert_allclose(h @ h.T, np.eye(16), atol=1e-12)
        bound = (6 / sum(x.shape)) ** 0.5
        assert 0.8 * bound < abs(x).max() <= bound


def test_the_embedding_is_drawn_by_its_own_initializer() -> None:
    keys = ("model.embedding=40", "model.embedding_initializer=uniform")
    config = small_config(*keys, "model.embedding_scale=0.05")
    with TrainingSession(build(config, make_workload(config)), 1) as session:
        session.initialize(0)
        found = session.variables()
    assert 0.04 < abs(found["model/embedding"]).max() <= 0.05
    assert abs(found["model/layer_0/scratch_cell/W"]).max() > 0.05


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.recurrent_initializer=uniform", "recurrent_scale: uniform needs one"),
        (
            "model={cell: influence_balancing, recurrent_initializer: orthogonal}",
            "recurrent_initializer: .* influence_balancing may have others",
        ),
        ("model.recurrent_scale=1", "recurrent_scale: recurrent_initializer takes none"),
        ("model.embedding_initializer=orthogonal", "embedding_initializer: there is no embedding"),
        ("model.train_embedding=false", "train_embedding: there is no embedding"),
        ("model.dropout_mask=sequence", "dropout_mask: nothing is dropped"),
    ],
)
def test_keys_that_would_be_ignored_are_refused(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small_config(override)
