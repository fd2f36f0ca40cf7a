"""Ctrl-C, SIGTERM and a lost terminal as a request to stop, heeded between session.runs."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn, Protocol


class Stop(Protocol):
    """A request to stop, as a StopRequest or a SeedQueue has it."""

    @property
    def requested(self) -> bool:
        """Whether to stop after the session.run under way."""


class StopRequest:
    """Whether a stop was requested, of this block or of one around it."""

    def __init__(self, outer: StopRequest | None = None) -> None:
        self._outer = outer
        self._requested = False
        self.raised = False  # a KeyboardInterrupt, here or in a block within

    @property
    def requested(self) -> bool:
        """True after the first signal."""
        return self._requested or (self._outer is not None and self._outer.requested)

    def request(self) -> None:
        """Request a stop of this block and those around it, which must not start anything new."""
        self._requested = True
        if self._outer is not None:
            self._outer.request()

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Request a stop on the first signal. Raises KeyboardInterrupt on the second.

        A terminal that is lost may say so twice, and nobody insists.
        """
        if self.requested and number != signal.SIGHUP:
            self.insist()
        self.request()

    def insist(self) -> NoReturn:
        """Raise KeyboardInterrupt, and note it, here and in the blocks around."""
        block: StopRequest | None = self
        while block is not None:
            block.raised = True
            block = block._outer
        raise KeyboardInterrupt


class Interruption(StopRequest):
    """Ctrl-C around a whole command: it raises at once, as Python does by default.

    Libraries turn a KeyboardInterrupt into errors of their own: Hydra while it composes, TensorFlow
    while it is imported. `raised` says whether an error may be one of those.
    """

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        self.request()
        self.insist()


@contextlib.contextmanager
def interruption() -> Iterator[Interruption]:
    """Note Ctrl-C within the block, where nobody else handles it."""
    found = Interruption()
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield found
        return
    signal.signal(signal.SIGINT, found.handle)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Catch SIGINT, SIGTERM and SIGHUP within the block, and restore the earlier handlers after it.

    Under nohup, which ignores SIGHUP, it stays ignored.
    """
    request = StopRequest(_handled_by(signal.getsignal(signal.SIGINT)))
    if threading.current_thread() is not threading.main_thread():
        yield request  # Python allows handlers in the main thread only
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    earlier = {number: signal.signal(number, request.handle) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def was_interrupted() -> bool:
    """Whether an error may be a KeyboardInterrupt that a library has turned into its own.

    Whoever records errors and goes on raises it again then.
    """
    block = _handled_by(signal.getsignal(signal.SIGINT))
    return block is not None and block.raised


def _handled_by(handler: object) -> StopRequest | None:
    """The request of the enclosing block, which owns the current handler; None if there is none."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, StopRequest) else None
