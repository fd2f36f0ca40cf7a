"""Whether compiling with XLA pays, and the session's settings."""

from __future__ import annotations

from experiments.config import Config

# Measured by `run.py bench` on 2 cores, batch 200, in seconds. Compiling costs a part
# that is always there and one for each copy of the cell; it saves what TensorFlow spends
# on starting the kernels of one time step. The kernels of wide states cost the same
# either way, and there is nothing left to save.
COMPILE_SECONDS = 0.7
COMPILE_SECONDS_PER_COPY = 0.07
SAVED_SECONDS_PER_TIME_STEP = 25e-6
WIDE = 200 * 32  # batch_size * state_size


def uses_xla(config: Config, updates: int) -> bool:
    """`execution.xla`, with auto decided by all the work of the run, `updates` for each seed.

    All of it, not what is left of it: a run that continues must run what it ran before.
    """
    if config.execution.xla != "auto":
        return config.execution.xla == "on"
    if config.execution.loop == "per_step":
        return False
    graph = config.graph
    if graph.batch_size * max(config.model.state_sizes) > WIDE:
        return False
    copies = 1 if graph.unroll == "dynamic" else graph.num_steps
    cost = COMPILE_SECONDS + COMPILE_SECONDS_PER_COPY * copies
    time_steps = updates * len(config.seeds) * graph.num_steps
    return time_steps * SAVED_SECONDS_PER_TIME_STEP > cost
