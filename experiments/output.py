"""Standard output and error that never end a command.

A reader that is gone, a terminal that was closed or a full disk must not stop training, whose
files have everything. A stream that fails once is replaced by nothing, and the reason is kept.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

GONE = (errno.EPIPE, errno.EIO, errno.EBADF)  # there is no reader to tell


class SafeStream:
    """A text stream whose writes do not raise."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None else _Nowhere()
        self._lost: OSError | None = None  # what the first failed write said

    def write(self, text: str) -> int:
        """Write, or lose the text where that is not possible."""
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding or "ascii"
            self.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush, or lose what was not yet written."""
        try:
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def why_lost(self) -> str:
        """Why someone who still reads misses something; empty where nothing is missed."""
        self.flush()
        if self._lost is None or self._lost.errno in GONE:
            return ""
        return self._lost.strerror or str(self._lost)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return not self._stream.closed and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: Exception) -> None:
        """Send everything from now on nowhere, and with it what the stream still buffers."""
        if self._lost is None:
            closed = OSError(errno.EBADF, os.strerror(errno.EBADF))
            self._lost = error if isinstance(error, OSError) else closed
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())
            self._stream.flush()
        self._stream = _Nowhere()


@contextlib.contextmanager
def safe_output() -> Iterator[SafeStream]:
    """Make sys.stdout and sys.stderr safe within the block. Yields the former."""
    current: object = sys.stdout
    if isinstance(current, SafeStream):
        yield current
        return
    out, err = SafeStream(sys.stdout), SafeStream(sys.stderr)
    with (
        contextlib.redirect_stdout(cast(TextIO, out)),
        contextlib.redirect_stderr(cast(TextIO, err)),
    ):
        try:
            yield out
        finally:
            out.flush()
            err.flush()


def open_standard_descriptors() -> None:
    """Open 0, 1 and 2 where they are closed: the next file would get their number and the text."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


class _Nowhere(io.StringIO):
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)
