"""Call a function on many items on the workers of a Dask cluster."""

from __future__ import annotations

import functools
import queue
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, Generic, NamedTuple, TypeVar

from distributed import Client, Future, KilledWorker, get_worker

from experiments.interrupts import StopRequest
from experiments.sweeps.messages import Message, Send

Item = TypeVar("Item")
Value = TypeVar("Value")
POLL_SECONDS = 0.1  # between two checks for a request to stop


class CallResult(NamedTuple, Generic[Item, Value]):
    """The result of the call on one item: a value, or None and a reason."""

    item: Item
    value: Value | None
    reason: str


def call_all(
    client: Client,
    function: Callable[[Item, Send], Value],
    items: Sequence[Item],
    receive: Send,
    stop: StopRequest,
    tend: Callable[[int], None] = lambda _pending: None,
    wait: Callable[[], None] = lambda: None,
) -> Iterator[CallResult[Item, Value]]:
    """Call the function on each item on any free worker. Yields the results as calls end.

    Messages that a call sends are passed to `receive`. If a worker dies, its item goes to another
    one, up to three times. An item ends with a reason if its call raises or the scheduler is lost.
    Ended items take no memory. On a request to stop, calls that have not begun are cancelled.
    `tend` is called repeatedly with the number of items that have not ended, and `wait` where no
    message comes.
    """
    topic = f"calls-{uuid.uuid4()}"
    inbox: queue.SimpleQueue[Future[Any] | Message] = queue.SimpleQueue()
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
                wait()
                continue
            if isinstance(received, Future):
                _, item = pending.pop(received.key)
                yield _result(item, received)
            else:
                receive(received)
    finally:
        if pending and client.status == "running":
            client.cancel([future for future, _ in pending.values()])
        if client.status == "running":
            client.unsubscribe_topic(topic)


def _call(
    function: Callable[[Item, Send], Value], topic: str, item: Item
) -> Value:  # fmt: skip
    """Call the function on a worker."""
    return function(item, functools.partial(get_worker().log_event, topic))


def _result(item: Item, future: Future[Any]) -> CallResult[Item, Value]:
    try:
        return CallResult(item, future.result(), "")
    except KilledWorker as error:
        return CallResult(item, None, f"its worker died, {error.allowed_failures + 1} times")
    except CancelledError:
        return CallResult(item, None, "the connection to the scheduler was lost")
    except Exception as error:
        return CallResult(item, None, f"{type(error).__name__}: {error}")
