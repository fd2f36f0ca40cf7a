"""TensorBoard events: the metrics of each seed, its config, and the floors beside its losses."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from experiments.config.flat import flatten, shown_value
from experiments.config.schema import Config
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

    def describe(self, config: Config, group: str) -> None:
        """The config as text, and its values for the HParams tab: a session of this group."""
        # Takes a second to import.
        from tensorboard.plugins.hparams import summary as hparams  # type: ignore[import-untyped]

        text = yaml.safe_dump(config.as_dict(), sort_keys=False)
        start = hparams.session_start_pb(hyperparameters(config), group_name=group)
        with _os_errors():
            self._writer.add_summary(_text("config", f"```\n{text}```"), 0)
            self._writer.add_summary(tf.Summary.FromString(start.SerializeToString()), 0)

    def close(self) -> None:
        """See everything to the disk."""
        with _os_errors():
            self._writer.close()


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
        if folder.exists():
            continue
        with _os_errors(), contextlib.closing(tf.summary.FileWriter(str(folder))) as writer:
            for update in (0, updates):
                value = tf.Summary.Value(tag="loss/train", simple_value=floor)
                writer.add_summary(tf.Summary(value=[value]), update)


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
