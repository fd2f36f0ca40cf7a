"""The cores that a process may use."""

from __future__ import annotations

import os

SHARE = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's variable; a worker sets it to each point's share


def allowed_cores() -> int:
    """The number of cores that this process may use, by affinity and cgroups."""
    from dask.system import CPU_COUNT  # takes a fifth of a second to import

    return int(CPU_COUNT)


def cores_of_this_process() -> int:
    """Its share of the cores where a worker trains points side by side, else all allowed ones."""
    share = os.environ.get(SHARE, "")
    return int(share) if share.isdecimal() and int(share) else allowed_cores()
