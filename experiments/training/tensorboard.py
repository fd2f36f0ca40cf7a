"""TensorBoard events: the metrics of each seed, its config, and the floors beside its losses."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from experiments.config.flat import flatten, shown_value
from experiments.config.schema import Config
from experiments.runs.directory import RunDirectory
from experiments.runs.files import atomic_path
from experiments.runs.metrics import MetricsRow
from rnn_graphs.metrics import METRICS
from rnn_graphs.tf1 import tf

EVENTS = "events.out.tfevents."  # TensorBoard reads files of such names, in their order
VERSION = "brain.Event:2"  # of the format; from 2 on, a START purges later steps


class Events:
    """Writes the loss and metrics of each row, after those of the rows of metrics.csv.

    A seed's events are one file. When a run resumes, the file is written again from the rows of
    metrics.csv, because the file of a killed process may lack rows or have too many.
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

    def describe(self, config: Config, group: str) -> None:
        """The config as text, and its values for the HParams tab: a session of this group."""
        # Takes a second to import.
        from tensorboard.plugins.hparams import summary as hparams

        text = yaml.safe_dump(config.as_dict(), sort_keys=False)
        start = hparams.session_start_pb(hyperparameters(config), group_name=group)
        with _os_errors():
            self._add(0, step=0, summary=_text("config", f"```\n{text}```"))
            self._add(0, step=0, summary=tf.Summary.FromString(start.SerializeToString()))
            self._writer.flush()

    def close(self) -> None:
        """Write everything to the disk."""
        with _os_errors():
            self._writer.close()

    def _add(self, seconds: float, **content: object) -> None:
        event = tf.Event(wall_time=self._began + seconds, **content)
        self._writer.write(event.SerializeToString())


def open_events(
    config: Config, directory: RunDirectory, seed: int, rows: Sequence[MetricsRow]
) -> Events:
    """The events of a seed of a run: its config, and these rows."""
    events = Events(directory.events, seed, rows)
    events.describe(config, f"{config.name}/{directory.path.name}")
    return events


def _stamp_after(earlier: Sequence[Path]) -> int:
    """The time for a file's name, in seconds; later than those of other files, whatever the clock.

    TensorBoard reads files in the order of their names.
    """
    stamps = [path.name.removeprefix(EVENTS).split(".")[0] for path in earlier]
    return max([int(time.time()), *(int(stamp) + 1 for stamp in stamps if stamp.isdigit())])


def hyperparameters(config: Config) -> dict[str, bool | float | str]:
    """Every key of a config in the types of HParams: lists and null are text."""
    values: dict[str, Any] = flatten(config.model_dump(mode="json", exclude={"description"}))
    return {
        key: value if isinstance(value, bool | int | float | str) else shown_value(value)
        for key, value in values.items()
    }


def write_floors(directory: Path, floors: Mapping[str, float], updates: int) -> None:
    """Each floor as a curve of its own, from the first to the last update, beside the losses."""
    for name, floor in floors.items():
        folder = directory / re.sub(r"[^A-Za-z0-9_.+-]", "_", f"floor {name}")
        if any(folder.glob(f"{EVENTS}*.floor")):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{EVENTS}{int(time.time()):010d}.floor"
        with (
            _os_errors(),
            atomic_path(path) as temporary,
            tf.io.TFRecordWriter(os.fsencode(temporary)) as writer,
        ):
            value = tf.Summary.Value(tag="loss/train", simple_value=floor)
            events = [tf.Event(wall_time=time.time(), file_version=VERSION)]
            for update in (0, updates):
                summary = tf.Summary(value=[value])
                events.append(tf.Event(wall_time=time.time(), step=update, summary=summary))
            for event in events:
                writer.write(event.SerializeToString())


def _text(tag: str, content: str) -> Any:
    """A summary of the text plugin, in Markdown."""
    plugin = tf.SummaryMetadata.PluginData(plugin_name="text")
    value = tf.Summary.Value(
        tag=tag,
        metadata=tf.SummaryMetadata(plugin_data=plugin),
        tensor=tf.make_tensor_proto([content], dtype=tf.string),
    )
    return tf.Summary(value=[value])


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """Raise an error of the disk as OSError; TensorFlow's writer raises it under other names."""
    try:
        yield
    except (RuntimeError, tf.errors.OpError) as error:
        full = os.strerror(errno.ENOSPC) in str(error)
        reason = " ".join(str(error).split())
        raise OSError(errno.ENOSPC if full else errno.EIO, reason) from error
