"""TensorBoard events of one seed."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.runs.metrics import MetricsRow
from rnn_graphs.metrics import METRICS
from rnn_graphs.tf1 import tf

EVENTS = "events.out.tfevents."  # TensorBoard reads files of such names, in their order
VERSION = "brain.Event:2"  # of the format; from 2 on, a START purges later steps


class Events:
    """Writes the loss and metrics of each row, after those of the rows that are there already.

    A seed's events are one file. Where a run resumes, the file is written anew from the rows of
    metrics.csv: what a killed process left in an earlier one may lack rows or have too many.
    """

    def __init__(self, directory: Path, seed: int, rows: Sequence[MetricsRow]) -> None:
        folder = directory / f"seed-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        earlier = [path for path in folder.iterdir() if path.name.startswith(EVENTS)]
        self._began = time.time() - (rows[-1].seconds if rows else 0)
        temporary = folder / ".rewritten"  # a name that TensorBoard does not read
        with _os_errors():
            self._writer = tf.io.TFRecordWriter(str(temporary))
            self._add(0, file_version=VERSION)
            # A TensorBoard that is running, or sees both files, forgets those of the earlier one.
            self._add(0, session_log=tf.SessionLog(status=tf.SessionLog.START))
            self.write(rows)
        temporary.replace(folder / f"{EVENTS}{_stamp_after(earlier):010d}.seed-{seed}")
        for path in earlier:
            with contextlib.suppress(OSError):  # purged above
                path.unlink()

    def write(self, rows: Sequence[MetricsRow]) -> None:
        """The loss, in nats, and each metric under its tag, against updates."""
        with _os_errors():
            for row in rows:
                metrics = {METRICS[name].tag: value for name, value in row.metrics.items()}
                scalars = [
                    tf.Summary.Value(tag=f"{tag}/{row.split}", simple_value=value)
                    for tag, value in {"loss": row.loss, **metrics}.items()
                ]
                self._add(row.seconds, step=row.updates, summary=tf.Summary(value=scalars))
            self._writer.flush()

    def close(self) -> None:
        """See everything to the disk."""
        with _os_errors():
            self._writer.close()

    def _add(self, seconds: float, **content: object) -> None:
        event = tf.Event(wall_time=self._began + seconds, **content)
        self._writer.write(event.SerializeToString())


def rewrite_events(directory: Path, seed: int, rows: Sequence[MetricsRow]) -> None:
    """Make the events of a seed those of its rows."""
    Events(directory, seed, rows).close()


def _stamp_after(earlier: Sequence[Path]) -> int:
    """The time for a file's name, in seconds; later than those of other files, whatever the clock.

    TensorBoard reads files in the order of their names.
    """
    stamps = [path.name.removeprefix(EVENTS).split(".")[0] for path in earlier]
    return max([int(time.time()), *(int(stamp) + 1 for stamp in stamps if stamp.isdigit())])


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """What the disk refuses as OSError; TensorFlow's writer raises it under other names."""
    try:
        yield
    except (RuntimeError, tf.errors.OpError) as error:
        full = os.strerror(errno.ENOSPC) in str(error)
        reason = " ".join(str(error).split())
        raise OSError(errno.ENOSPC if full else errno.EIO, reason) from error
