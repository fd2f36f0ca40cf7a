"""Whether compiling with XLA pays, and the session's settings."""

from __future__ import annotations

from experiments.config import Config

# CPU seconds, batch 200, one thread, in turn with TensorFlow's own kernels. Compiling the project's
# own cell took 1.0 s for num_steps 1, 1.6 s for 5, 2.8 s for 10 and 9.9 s for 40, and 1.9 s for
# `dynamic`. An update then took less by 21 to 42 µs a time step at states 4 and 16, so that the
# work has to be some 5,000 (`dynamic`) to 24,000 updates (num_steps 1). From state 64 on it pays
# several times sooner than this says. true_bptt takes two to three times as long to compile, and
# saves more in proportion.
COMPILE_SECONDS = 0.6
COMPILE_SECONDS_PER_COPY = 0.2
SAVED_SECONDS_PER_TIME_STEP = 25e-6


def uses_xla(config: Config, updates: int) -> bool:
    """`execution.xla`, with auto decided by all the work of the run, `updates` for each seed.

    All of it, not what is left of it: a run that continues must run what it ran before.
    """
    if config.execution.xla != "auto":
        return config.execution.xla == "on"
    # Drawing artbp's gates makes an update take 2.7 times as long under XLA.
    if config.execution.loop == "per_step" or config.truncation.kind == "artbp":
        return False
    graph = config.graph
    copies = 1 if graph.unroll == "dynamic" else graph.num_steps
    cost = COMPILE_SECONDS + COMPILE_SECONDS_PER_COPY * copies
    time_steps = updates * len(config.seeds) * graph.num_steps
    return time_steps * SAVED_SECONDS_PER_TIME_STEP > cost
