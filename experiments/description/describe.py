"""`run.py describe`: shapes, parameters, work and expected time of an experiment, untrained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments.config.schema import Config
from experiments.console import print_json, print_table, print_text
from experiments.description.shapes import Shapes, read_shapes
from experiments.description.work import Pace, Work, count_work, measure_pace
from experiments.runs.files import make_output_folder
from experiments.training.workload import Workload, make_workload
from rnn_graphs.truncation.forward_mode import UNBOUNDED

SHARED = "num_steps does not change the parameters: all time steps use the same weights."


def describe(config: Config, out: Path | None, as_json: bool = False) -> None:
    """Print the description; with `out`, also draw graph.png there.

    Raises UsageError if the data do not fit the config, or `out` cannot be used.
    """
    workload = make_workload(config)
    if out:
        make_output_folder(out, ["graph.png"])
    shapes = read_shapes(config, workload)
    work = count_work(config, workload, shapes)
    pace = measure_pace(config, workload)
    is_drawn = out is not None and _draw(config, out / "graph.png")
    if as_json:
        print_json(as_dict(config, workload, shapes, work, pace))
    else:
        _print(config, workload, shapes, work, pace)
        if out and is_drawn:
            print(f"written: {out / 'graph.png'}")


def as_dict(
    config: Config, workload: Workload, shapes: Shapes, work: Work, pace: Pace
) -> dict[str, Any]:
    """The description as JSON values."""
    return {
        "experiment": config.name,
        "tensors": [each._asdict() for each in shapes.tensors],
        "parameters": [each._asdict() for each in shapes.parameters],
        "parameters_in_all": sum(each.size for each in shapes.parameters),
        "truncation": config.truncation.model_dump(),
        "effective_depth": config.truncation.effective_depth(config.graph.num_steps),
        "work": work._asdict(),
        "padded_lengths": workload.padded,
        "notes": workload.notes,
        "floors": workload.task.floors(),
        "pace": pace._asdict(),
    }


def _print(config: Config, workload: Workload, shapes: Shapes, work: Work, pace: Pace) -> None:
    print_table(
        ["tensor", "shape", "axes", "meaning"],
        [[each.tensor, str(each.shape), each.axes, each.meaning] for each in shapes.tensors],
    )
    print()
    print_table(
        ["variable", "shape", "formula", "parameters"],
        [
            [each.variable, str(each.shape), each.formula, f"{each.size:,}"]
            for each in shapes.parameters
        ],
    )
    print_text(f"{sum(each.size for each in shapes.parameters):,} parameters. {SHARED}")
    print()
    for line in work_lines(config, work):
        print_text(line)
    for remark in workload.notes:
        print_text(remark)
    for name, floor in workload.task.floors().items():
        print(f"floor, {name}: {floor:.4f} nats per time step")
    print_text(
        f"expected: {_short_time(pace.seconds_per_update)} an update, "
        f"{pace.run_seconds:.3g} s for the run on this machine, of which "
        f"{pace.first_seconds:.2g} s before the first one is done"
    )


def work_lines(config: Config, work: Work) -> list[str]:
    """The work of an update and of the run, in words."""
    depth = config.truncation.effective_depth(config.graph.num_steps)
    reach = f"up to {depth:,} cell applications" if depth < UNBOUNDED else "the start of a sequence"
    seeds = len(config.seeds)
    many = f", over {seeds} seeds" if seeds > 1 else ""
    epochs = f"{config.training.epochs} epoch{'s' if config.training.epochs > 1 else ''}"
    return [
        f"an update: {config.graph.batch_size} rows of {config.graph.num_steps} losses; errors "
        f"reach {reach} ({config.truncation.kind})",
        f"  {work.forward_multiplications:,} multiplications forward, "
        f"{work.backward_multiplications:,} backward",
        f"  {_bytes(work.activation_bytes)} of activations, {_bytes(work.parameter_bytes)} for "
        "weights, gradients and the optimizer",
        f"the run: {work.updates_per_epoch:,} updates an epoch, {epochs}: {work.updates:,} updates "
        f"and {work.time_steps:,} time steps{many}",
    ]


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"


def _draw(config: Config, path: Path) -> bool:
    from experiments.description.picture import picture
    from experiments.reporting.pictures import save_picture

    return save_picture(lambda: picture(config), path)


def _short_time(seconds: float) -> str:
    """As "32.5 µs" or "132 ms"."""
    return f"{seconds * 1e6:.4g} µs" if seconds < 1e-3 else f"{seconds * 1e3:.4g} ms"
