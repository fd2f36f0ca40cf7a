"""What `run.py gradients` leaves: gradients.csv, gradients.png and two tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.task import Task
from experiments.config.schema import Config
from experiments.console import print_json, print_table
from experiments.gradients.beyond import print_beyond, rows_beyond, summary_beyond
from experiments.gradients.carried import obstacle
from experiments.gradients.credit import describe
from experiments.gradients.measurement import GradientEstimate, Measured, mean_error_signal
from experiments.gradients.plots import figure
from experiments.gradients.rows import Row, header, shown_moments, spread_of
from experiments.reporting.pictures import save_picture
from experiments.reporting.tables import write_csv
from experiments.runs.files import make_output_folder

FILES = ("gradients.csv", "gradients.png")


def make_folder(out: Path) -> None:
    """Raises UsageError if the files cannot be written there."""
    make_output_folder(out, FILES)


def report(config: Config, task: Task, measured: Measured, out: Path, as_json: bool) -> None:
    """Write the files and print the means."""
    numbers, picture = (out / name for name in FILES)
    table = itertools.chain(rows(measured, config.seeds), rows_beyond(measured.beyond))
    write_csv(numbers, Row._fields, table)
    files = [str(numbers)]
    if save_picture(lambda: figure(config.name, measured), picture):
        files.append(str(picture))
    if as_json:
        print_json(
            {
                "experiment": config.name,
                **summary(measured),
                **summary_beyond(measured.beyond, measured.updates),
                "files": files,
            }
        )
        return
    _print(config, measured)
    print_beyond(measured.beyond, measured.updates)
    if task.carries_state and (reason := obstacle(config, task)):
        print(f"not compared with rtrl: {reason}")
    print(f"written: {', '.join(files)}")


def rows(measured: Measured, seeds: range) -> Iterator[Row]:
    """The rows of gradients.csv, by seed, moment and window."""
    for place in np.ndindex(measured.error_signal.shape[:3]):
        where = (seeds[place[0]], measured.updates[place[1]], place[2])
        for lag, value in enumerate(measured.error_signal[place]):
            if not np.isnan(value):
                yield Row(*where, "error_signal", float(value), lag)
        for quantity in ("relative_error", "cosine"):
            values = getattr(measured, quantity)[place]
            for estimate, value in zip(measured.estimates, values, strict=True):
                style = estimate.truncation
                yield Row(
                    *where, quantity, float(value), None, style.kind, style.depth, style.stride,
                    style.cut_probability, estimate.draws,
                )  # fmt: skip


def summary(measured: Measured) -> dict[str, Any]:
    """The printed numbers as JSON values: means over seeds and windows, by moment."""
    signal = mean_error_signal(measured)
    moments = shown_moments(measured.updates)
    return {
        "error_signal": {
            name: signal[moment][~np.isnan(signal[moment])].tolist()  # by lag
            for name, moment in moments.items()
        },
        **{
            quantity: {
                label(estimate): {
                    name: float(getattr(measured, quantity)[:, moment, :, index].mean())
                    for name, moment in moments.items()
                }
                for index, estimate in enumerate(measured.estimates)
            }
            for quantity in ("relative_error", "cosine")
        },
    }


def _print(config: Config, measured: Measured) -> None:
    """Print the error signal, and every estimate compared with the full gradient."""
    seeds, _, windows, _ = measured.error_signal.shape
    print(
        f"{config.name}: {describe(config.truncation)}; mean (range) over {windows} windows a "
        f"seed, {seeds} seed{'s' if seeds > 1 else ''}"
    )
    shown = shown_moments(measured.updates)
    for name, signal in zip(shown, mean_error_signal(measured)[[*shown.values()]], strict=True):
        print(f"error signal, {name}: {in_words(signal[~np.isnan(signal)])}")
    for title, values in (
        ("relative error against full", measured.relative_error),
        ("cosine with full", measured.cosine),
    ):
        table = [
            [label(estimate), *[spread_of(values[:, at, :, index]) for at in shown.values()]]
            for index, estimate in enumerate(measured.estimates)
        ]
        print()
        print_table([title, *map(header, shown)], table)
    print()


def in_words(signal: NDArray[np.float64]) -> str:
    """An error signal by lag: its ends, and what a step divides it by, on average and at most."""
    longest = len(signal) - 1
    text = f"{signal[0]:.3g} at lag 0"
    if longest:
        text += f", {signal[longest]:.3g} at lag {longest}"
    if longest == 0 or not signal.all():
        return text
    factors = signal[:-1] / signal[1:]
    mean = np.exp(np.log(factors).mean())
    return f"{text}; each step divides it by {mean:.3g} ({factors.min():.3g}–{factors.max():.3g})"


def label(estimate: GradientEstimate) -> str:
    """The estimate in words."""
    style = describe(estimate.truncation)
    return style if estimate.draws == 1 else f"{style}, {estimate.draws} draws"
