"""Ctrl-C and SIGTERM as a request to stop, which the training loop checks between session.runs."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class StopRequest:
    """Whether a stop was requested, of this block or of one around it."""

    def __init__(self, outer: StopRequest | None = None) -> None:
        self._outer = outer
        self._requested = False

    @property
    def requested(self) -> bool:
        """True after the first signal."""
        return self._requested or (self._outer is not None and self._outer.requested)

    def request(self) -> None:
        """Request a stop of this block and those around it, which must not start anything new."""
        self._requested = True
        if self._outer is not None:
            self._outer.request()

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """Request a stop on the first signal. Raises KeyboardInterrupt on the second."""
        if self.requested:
            raise KeyboardInterrupt
        self.request()


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Catch SIGINT and SIGTERM within the block, and restore the earlier handlers after it."""
    request = StopRequest(_handled_by(signal.getsignal(signal.SIGINT)))
    if threading.current_thread() is not threading.main_thread():
        yield request  # Python allows handlers in the main thread only
        return
    earlier = {n: signal.signal(n, request.handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _handled_by(handler: object) -> StopRequest | None:
    """The request of the enclosing block, which owns the current handler; None if there is none."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, StopRequest) else None
