"""Gradients during training: gradients.csv, gradients.png and two tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.config.schema import Config
from experiments.console import print_json, print_table
from experiments.gradients.beyond import print_beyond, rows_beyond, summary_beyond
from experiments.gradients.carried import obstacle
from experiments.gradients.credit import describe
from experiments.gradients.measurement import (
    GradientEstimate,
    Measured,
    check,
    check_losses,
    mean_error_signal,
    measure,
)
from experiments.gradients.plots import figure
from experiments.gradients.rows import Row, spread_of
from experiments.reporting.pictures import save_picture
from experiments.reporting.tables import write_csv
from experiments.runs.files import make_output_folder
from experiments.training.workload import make_workload

START, END = 0, -1  # of training, among the moments


def gradients(config: Config, out: Path, as_json: bool = False) -> None:
    """Train the experiment, measure its gradients at several moments and write them to `out`.

    Raises UsageError if `out` or the config cannot be used, RunError if training diverges.
    """
    check(config)
    workload = make_workload(config)
    check_losses(config, workload.task)
    make_output_folder(out, ["gradients.csv", "gradients.png"])
    measured = measure(config, workload)
    table = itertools.chain(rows(measured, config.seeds), rows_beyond(measured.beyond))
    write_csv(out / "gradients.csv", Row._fields, table)
    files = [str(out / "gradients.csv")]
    if save_picture(lambda: figure(config.name, measured), out / "gradients.png"):
        files.append(str(out / "gradients.png"))
    if as_json:
        print_json(
            {
                "experiment": config.name,
                **summary(measured),
                **summary_beyond(measured.beyond),
                "files": files,
            }
        )
        return
    _print(config, measured)
    print_beyond(measured.beyond, measured.updates)
    if workload.task.carries_state and (reason := obstacle(config, workload.task)):
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
    """The printed numbers as JSON values: means over seeds and windows, at start and end."""
    signal = mean_error_signal(measured)
    moments = {"start": START, "end": END}
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
    signal = mean_error_signal(measured)
    longest = np.flatnonzero(~np.isnan(signal[START]))[-1]
    for name, moment in (("start", START), ("end", END)):
        print(
            f"error signal, {name}: {signal[moment][0]:.3g} at lag 0, "
            f"{signal[moment][longest]:.3g} at lag {longest}"
        )
    for title, values in (
        ("relative error against full", measured.relative_error),
        ("cosine with full", measured.cosine),
    ):
        table = [
            [label(estimate), *[spread_of(values[:, moment, :, index]) for moment in (START, END)]]
            for index, estimate in enumerate(measured.estimates)
        ]
        print()
        print_table([title, "start of training", "end of training"], table)
    print()


def label(estimate: GradientEstimate) -> str:
    """The estimate in words."""
    style = describe(estimate.truncation)
    return style if estimate.draws == 1 else f"{style}, {estimate.draws} draws"
