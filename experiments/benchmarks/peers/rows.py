"""The rows of the bench that compare this program with PyTorch and JAX."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from statistics import median
from typing import NamedTuple

from experiments.benchmarks.peers import jax_rnn, torch_rnn
from experiments.benchmarks.peers.contender import Contender, seconds_of_an_update
from experiments.benchmarks.peers.work import Work, work_of
from experiments.benchmarks.timing import Measurement, at_least, compare
from experiments.errors import RunError, UsageError
from experiments.training.cores import cores_of_this_process

ROUNDS, SECONDS = 7, 0.5
INSTALL = "pip install -e '.[peers]'"
AS_TRAINED, COMPILED = (Contender("ours", xla) for xla in ("auto", "on"))
IN_JAX = [Contender("jax_rnn", variant) for variant in jax_rnn.VARIANTS]
IN_TORCH = [Contender("torch_rnn", variant) for variant in torch_rnn.VARIANTS]


class Narrow(NamedTuple):
    """The blog's model, against JAX on one thread."""

    num_steps: int
    state_size: int
    unroll: str
    at_least: float


class Wide(NamedTuple):
    """An experiment, against PyTorch. One is always needed; 1.3 is wanted in four of the six."""

    name: str
    experiment: str
    overrides: tuple[str, ...] = ()


NARROW = (
    Narrow(1, 4, "static", 1.4),
    Narrow(5, 4, "static", 1.4),
    Narrow(5, 4, "dynamic", 1.4),
    Narrow(10, 16, "static", 1.4),
    Narrow(20, 16, "static", 1.2),
)
WIDE = (
    Wide("shakespeare", "shakespeare"),
    Wide("ptb_vanilla, 5 steps", "ptb_vanilla"),
    Wide("ptb_vanilla, 20 steps", "ptb_vanilla", ("graph.num_steps=20",)),
    Wide("mnist_rows", "mnist_rows"),
    Wide("imdb", "imdb"),
    Wide("text_python_docs", "text_python_docs"),
)


def measure_peers() -> Iterator[Measurement]:
    """Time updates beside PyTorch's and JAX's; a row says so where that is not possible."""
    for case in NARROW:
        yield from _narrow(case)
    for threads in range(1, min(cores_of_this_process(), 2) + 1):
        for wide in WIDE:
            yield from _wide(wide, threads)


def _narrow(case: Narrow) -> Iterator[Measurement]:
    name = f"update, num_steps {case.num_steps}, state {case.state_size}, {case.unroll}, and JAX"
    work = work_of(
        "r2rt_n5",
        [
            f"graph.num_steps={case.num_steps}",
            f"model.state_size={case.state_size}",
            f"graph.unroll={case.unroll}",
        ],
        threads=1,
    )
    # JAX compiles, and the blog's epochs are too short for `auto` to do so on every machine.
    yield _row(name, "jax", work, [COMPILED, *IN_JAX], 1e6, "µs", case.at_least)


def _wide(case: Wide, threads: int) -> Iterator[Measurement]:
    name = f"update, {case.name}, {threads} thread{'s' * (threads > 1)}, and PyTorch"
    try:
        work = work_of(case.experiment, list(case.overrides), threads)
    except UsageError as error:  # its data are not here
        yield _skipped(name, str(error))
    else:
        yield _row(name, "torch", work, [AS_TRAINED, *IN_TORCH], 1e3, "ms", 1.0)


def _row(
    name: str, package: str, work: Work, contenders: list[Contender],
    scale: float, unit: str, times: float,
) -> Measurement:  # fmt: skip
    """Ours, the first contender, beside the fastest of the others."""
    if find_spec(package) is None:
        return _skipped(name, f"{package} is not installed ({INSTALL})")
    try:
        ours, *theirs = seconds_of_an_update(contenders, work, ROUNDS, SECONDS)
    except RunError as error:
        return _skipped(name, str(error))
    pair = compare(ours, min(theirs, key=median))
    return at_least(name, pair, scale, unit, times)


def _skipped(name: str, reason: str) -> Measurement:
    return Measurement(name, None, "", None, None, f"skipped: {reason}", None)
