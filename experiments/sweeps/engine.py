"""Dask distributed as the engine: a function called on each of many items by many workers."""

from __future__ import annotations

import functools
import queue
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, Generic, NamedTuple, TypeVar

from distributed import Client, Future, KilledWorker, get_worker

from experiments.interrupts import StopRequest
from experiments.sweeps.messages import Tell

Item = TypeVar("Item")
Value = TypeVar("Value")
POLL_SECONDS = 0.1  # between two looks at whether somebody asked to stop


class Called(NamedTuple, Generic[Item, Value]):
    """An item whose call ended: with a value or, where that is None, with a reason."""

    item: Item
    value: Value | None
    reason: str


def call_all(
    client: Client,
    function: Callable[[Item, Tell], Value],
    items: Sequence[Item],
    hear: Tell,
    stop: StopRequest,
    tend: Callable[[int], None] = lambda _pending: None,
) -> Iterator[Called[Item, Value]]:
    """Call the function on each item, on whichever worker is free; yields items as they end.

    What a call tells is heard here. An item whose worker dies is given to another one, three
    times; one whose call raises, or whose scheduler is gone, ends with a reason. Nothing of an
    item is kept once it has ended. When asked to stop, what has not begun is cancelled.
    `tend` is called again and again, with the number of items that have not ended.
    """
    topic = f"calls-{uuid.uuid4()}"
    inbox: queue.SimpleQueue[Future[Any] | dict[str, Any]] = queue.SimpleQueue()
    client.subscribe_topic(topic, lambda event: inbox.put(event[1]))
    futures = client.map(functools.partial(_call, function, topic), items, pure=False)
    pending = {future.key: (future, item) for future, item in zip(futures, items, strict=True)}
    for future in futures:
        future.add_done_callback(inbox.put)
    del futures
    try:
        while pending and not stop.requested:
            tend(len(pending))
            try:
                received = inbox.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(received, Future):
                _, item = pending.pop(received.key)
                yield _called(item, received)
            else:
                hear(received)
    finally:
        if pending and client.status == "running":
            client.cancel([future for future, _ in pending.values()])
        if client.status == "running":
            client.unsubscribe_topic(topic)


def _call(
    function: Callable[[Item, Tell], Value], topic: str, item: Item
) -> Value:  # fmt: skip
    """On a worker."""
    return function(item, functools.partial(get_worker().log_event, topic))


def _called(item: Item, future: Future[Any]) -> Called[Item, Value]:
    try:
        return Called(item, future.result(), "")
    except KilledWorker as error:
        return Called(item, None, f"its worker died, {error.allowed_failures + 1} times")
    except CancelledError:
        return Called(item, None, "the connection to the scheduler was lost")
    except Exception as error:
        return Called(item, None, f"{type(error).__name__}: {error}")
