"""The most physical memory that training takes: the peak of the process while a run is trained.

A process may train several runs, and the peak that the system keeps of it (`ru_maxrss`) never
falls. Linux lets a process set its peak back to the memory that it holds now (proc(5), clear_refs).
Elsewhere, the peak is that of the process since it began.
"""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

CLEAR = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")
RESET_PEAK = "5"
KIB = 1024  # Linux counts in KiB, other systems in bytes

Since = Literal["run", "process"]


class PhysicalMemory(NamedTuple):
    """The physical memory of the process that trained a run, in bytes."""

    before: int  # held before the graph was built, mostly by TensorFlow itself
    peak: int  # the most that was held until the last seed was trained
    since: Since  # when the peak began to count

    def as_dict(self) -> dict[str, Any]:
        """What summary.json holds of it."""
        unit = "bytes of physical memory of the process, validation included"
        return {**self._asdict(), "unit": unit}


class PeakMemory:
    """Measures from its creation on."""

    def __init__(self) -> None:
        self._since: Since = "run" if _reset_peak() else "process"
        self._before = _peak()

    def read(self) -> PhysicalMemory:
        """The memory until now."""
        # Linux counts each thread's pages in batches, so a later peak may read a little lower.
        return PhysicalMemory(self._before, max(self._before, _peak()), self._since)


def _reset_peak() -> bool:
    """Set the peak back to what the process holds now. Returns whether that is possible."""
    try:
        CLEAR.write_text(RESET_PEAK, "ascii")
    except OSError:
        return False
    return True


def _peak() -> int:
    """The peak of this process, in bytes."""
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB$", STATUS.read_text("ascii"), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1]) * KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _unit_of_maxrss()


def _unit_of_maxrss() -> int:
    return 1 if sys.platform == "darwin" else KIB
