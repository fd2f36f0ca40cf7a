"""The blog's model in JAX: all updates of a call are one `lax.scan`, compiled by `jit`."""

from __future__ import annotations

import os

from experiments.benchmarks.peers.serve import Updates, serve
from experiments.benchmarks.peers.work import Work

UPDATES = 500  # of a call, as many as `execution.iterations_per_loop`
VARIANTS = ("unrolled", "scan")  # over the time steps of a window
LEARNING_RATE, INITIAL_ACCUMULATOR = 0.1, 0.1  # Adagrad's


def open_updates(work: Work, variant: str) -> Updates:
    """Updates of one tanh cell with W and b, a softmax and Adagrad, on random bits.

    It takes the shapes of the work, whose cell must be one of that form.
    """
    assert work.optimizer == "adagrad", work.optimizer
    if work.threads == 1:
        os.environ["XLA_FLAGS"] = (
            "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
            + os.environ.get("XLA_FLAGS", "")
        )
    import jax
    import jax.numpy as jnp

    (units,), steps, rows, classes = (
        work.layers, work.num_steps, work.batch_size, work.num_classes,
    )  # fmt: skip
    keys = jax.random.split(jax.random.PRNGKey(0), 4)
    weights = {
        "W": 0.3 * jax.random.normal(keys[0], (work.num_inputs + units, units)),
        "b": jnp.zeros(units),
        "V": 0.3 * jax.random.normal(keys[1], (units, classes)),
        "c": jnp.zeros(classes),
    }
    shape = (UPDATES, steps, rows)
    inputs = jax.random.randint(keys[2], shape, 0, work.num_inputs, jnp.int8)
    labels = jax.random.randint(keys[3], shape, 0, classes, jnp.int8)
    unroll = steps if variant == "unrolled" else 1

    def loss_of(weights, state, x, y):  # type: ignore[no-untyped-def]
        def step(state, x):  # type: ignore[no-untyped-def]
            joined = jnp.concatenate([jax.nn.one_hot(x, work.num_inputs), state], 1)
            state = jnp.tanh(joined @ weights["W"] + weights["b"])
            return state, state

        final, states = jax.lax.scan(step, state, x, unroll=unroll)
        scores = jax.nn.log_softmax(states @ weights["V"] + weights["c"])
        return -(scores * jax.nn.one_hot(y, classes)).sum(-1).mean(), final

    def update(carried, window):  # type: ignore[no-untyped-def]
        weights, sums, state = carried
        (loss, state), errors = jax.value_and_grad(loss_of, has_aux=True)(weights, state, *window)
        sums = jax.tree.map(lambda s, e: s + e * e, sums, errors)
        weights = jax.tree.map(
            lambda w, e, s: w - LEARNING_RATE * e / jnp.sqrt(s), weights, errors, sums
        )
        return (weights, sums, state), loss

    train = jax.jit(lambda carried: jax.lax.scan(update, carried, (inputs, labels)))
    sums = jax.tree.map(lambda w: jnp.full_like(w, INITIAL_ACCUMULATOR), weights)
    carried = [(weights, sums, jnp.zeros((rows, units)))]

    def make() -> None:
        carried[0], losses = train(carried[0])
        losses.block_until_ready()

    return Updates(make, UPDATES)


if __name__ == "__main__":
    serve(open_updates)
