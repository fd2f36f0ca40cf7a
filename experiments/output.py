"""Standard output and standard error that outlive their reader.

After `run.py list | head`, the pipe has no reader. Later output is dropped, the command finishes
its work, and the exit code still shows the result of that work.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class LastingFile(io.FileIO):
    """An open file descriptor that drops everything written after its reader has gone."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def outlive_readers() -> None:
    """Make sys.stdout and sys.stderr lasting, unless another program has replaced them."""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        sys.stdout = _lasting(sys.stdout)
    if sys.stderr is sys.__stderr__ and sys.stderr is not None:
        sys.stderr = _lasting(sys.stderr)


def _lasting(stream: Any) -> io.TextIOWrapper:
    """The same stream, with the same encoding and buffering."""
    stream.flush()
    file = LastingFile(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
    )
