"""The buckets of a run: `graph.buckets`, and the lengths that its training examples give them."""

from __future__ import annotations

from collections.abc import Iterator

from data.buckets import lengths_of_buckets, share_of_padding
from data.task import Task
from experiments.config.schema import Config


def padded_lengths(config: Config, task: Task) -> tuple[int, ...]:
    """The padded length of each bucket, ascending, the last graph.num_steps; () without buckets.

    A length that the style of truncation cannot divide, as it divides num_steps, is rounded up.
    """
    lengths, buckets = task.example_lengths, config.graph.buckets
    if lengths is None or buckets == 1:
        return ()
    fitting = (_fitting(config, length) for length in lengths_of_buckets(lengths, buckets))
    return tuple(sorted({*fitting, config.graph.num_steps}))


def _fitting(config: Config, length: int) -> int:
    """The least number of time steps from `length` on that the style of truncation takes."""
    for steps in range(length, config.graph.num_steps):
        try:
            config.truncation.check_window(steps)
        except ValueError:
            continue
        return steps
    return config.graph.num_steps


def problems(config: Config, task: Task) -> Iterator[str]:
    """Conflicts of graph.buckets with the task and the other keys, one message each."""
    kind, buckets, lengths = config.task.kind, config.graph.buckets, task.example_lengths
    if buckets == 1:
        return
    if lengths is None:
        yield (
            f"graph.buckets: {kind} draws one sequence, and buckets are for examples of different "
            f"lengths; expected 1, got {buckets}"
        )
    elif config.graph.padding == "none":
        yield (
            "graph.buckets: graph.padding=none counts the losses of the padding, some of which "
            f"buckets leave out; expected mask or sequence_length, or 1 bucket; got {buckets}"
        )
    elif task.labels == "pairs":
        yield (
            f"graph.buckets: the two texts of a pair of {kind} share a batch, but no length; "
            f"expected 1, got {buckets}"
        )
    elif lengths.min() == lengths.max():
        yield (
            f"graph.buckets: all examples of {kind} have {lengths[0]} time steps (padding at the "
            f"start counts); expected 1, got {buckets}"
        )


def note(task: Task, padded: tuple[int, ...]) -> str:
    """The buckets and the padding that they leave out, in a line for the user."""
    lengths = task.example_lengths
    assert lengths is not None
    with_buckets = share_of_padding(lengths, padded)
    without = share_of_padding(lengths, padded[-1:])
    return (
        f"buckets of up to {', '.join(map(str, padded))} time steps: {with_buckets:.0%} of what is "
        f"computed is padding, {without:.0%} without buckets"
    )
