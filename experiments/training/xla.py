"""Whether compiling with XLA pays, and the session's settings."""

from __future__ import annotations

from typing import NamedTuple

from experiments.config.schema import Config

COMPILE_SECONDS = 0.6


class Compiling(NamedTuple):
    """The cost and the savings of compiling, in CPU seconds, batch 200, one thread."""

    seconds_per_copy: float  # of the cell, beyond COMPILE_SECONDS
    saved_per_time_step: float


# TensorFlow's cells, in turn with its own kernels: compiling took 0.6 s for num_steps 1, 1.2 s for
# 10, 2.9 s for 40, and about 1 s for any `dynamic`. An update then took less by 12 to 34 µs a time
# step at state 4, by 4 to 23 at 16, by 27 to 70 at 64, by 200 and more from 100 on, so that state
# 100 pays ten times sooner than this says. true_bptt takes two to three times as long to compile,
# and saves more in proportion.
TENSORFLOW_CELL = Compiling(0.07, 20e-6)
# The project's own, whose narrow products XLA compiles too: 1.0 s for num_steps 1, 1.6 s for 5,
# 2.8 s for 10, 9.9 s for 40, and 1.9 s for `dynamic`; less by 21 to 42 µs at states 4 and 16.
OWN_CELL = Compiling(0.2, 25e-6)


def uses_xla(config: Config, updates: int) -> bool:
    """`execution.xla`, with auto decided by all the work of the run, `updates` for each seed.

    All of it, not what is left of it: a run that continues must run what it ran before.
    """
    if config.execution.xla != "auto":
        return config.execution.xla == "on"
    if config.execution.loop == "per_step" or not config.truncation.style.xla_pays:
        return False
    graph = config.graph
    compiling = OWN_CELL if config.model.traits.uses_product else TENSORFLOW_CELL
    copies = 1 if graph.unroll in ("dynamic", "scan") else graph.num_steps
    cost = COMPILE_SECONDS + compiling.seconds_per_copy * copies
    time_steps = updates * len(config.seeds) * graph.num_steps
    return time_steps * compiling.saved_per_time_step > cost
