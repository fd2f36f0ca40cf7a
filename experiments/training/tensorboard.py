"""TensorBoard events of one seed."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.runs.metrics import MetricsRow
from rnn_graphs.metrics import METRICS
from rnn_graphs.tf1 import tf


class Events:
    """Writes the loss and metrics of each row; a seed that continues purges what it repeats."""

    def __init__(self, directory: Path, seed: int, updates: int) -> None:
        # TensorFlow names files by the second; one that goes on must not overwrite its past.
        with _os_errors():
            self._writer = tf.summary.FileWriter(
                str(directory / f"seed-{seed}"), filename_suffix=f".{updates}"
            )
            start = tf.SessionLog(status=tf.SessionLog.START)
            self._writer.add_session_log(start, updates + 1)  # purges from this step on

    def write(self, rows: Sequence[MetricsRow]) -> None:
        """The loss, in nats, and each metric under its tag, against updates."""
        with _os_errors():
            for row in rows:
                metrics = {METRICS[name].tag: value for name, value in row.metrics.items()}
                scalars = [
                    tf.Summary.Value(tag=f"{tag}/{row.split}", simple_value=value)
                    for tag, value in {"loss": row.loss, **metrics}.items()
                ]
                self._writer.add_summary(tf.Summary(value=scalars), row.updates)

    def close(self) -> None:
        """See everything to the disk."""
        with _os_errors():
            self._writer.close()


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """What the disk refuses as OSError; TensorFlow's writer raises it under other names."""
    try:
        yield
    except (RuntimeError, tf.errors.OpError) as error:
        full = os.strerror(errno.ENOSPC) in str(error)
        reason = " ".join(str(error).split())
        raise OSError(errno.ENOSPC if full else errno.EIO, reason) from error
