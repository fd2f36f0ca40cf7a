"""Whether compiling with XLA pays, and the session's settings."""

from __future__ import annotations

from experiments.config import Config

# CPU seconds, batch 200, one thread, in turn with TensorFlow's own kernels. Compiling took 0.5 s
# and 0.07 s for each copy of the cell (0.6 s for num_steps 1, 1.2 s for 10, 2.9 s for 40, and
# about 1 s for any `dynamic`). An update then took less by 12 to 34 µs a time step at state 4, by
# 4 to 23 at 16, by 27 to 70 at 64, by 200 and more from 100 on, so that state 100 pays ten times
# sooner than this says. Near num_steps 40 and state 16 nothing is saved: a compiled run lasts up
# to 4 s longer there. true_bptt takes two to three times as long to compile, and saves
# more in proportion.
COMPILE_SECONDS = 0.6
COMPILE_SECONDS_PER_COPY = 0.07
SAVED_SECONDS_PER_TIME_STEP = 20e-6


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
