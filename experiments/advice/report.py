"""The report of an advice."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from experiments.advice.answer import Advice, lines
from experiments.advice.choice import Candidate, frontier, is_enough
from experiments.advice.figures import cost_figure, error_signal_figure, memory_figure
from experiments.config.yaml_file import dump_yaml
from experiments.reporting.pictures import save_picture
from experiments.reporting.report import Report, ReportFigure, Table, write_report
from experiments.runs.environment import describe_environment, environment

COLUMNS = (
    "setting", "effective depth", "bias", "at most (95 %)", "µs a symbol", "updates a second",
    "training time", "enough", "",
)  # fmt: skip
CAPTION = (
    "Bias: a bound of the bias of the gradient relative to the same bound of the whole, over the "
    "lags of the inputs that the pilot uses, and up to a constant factor, which is a change of the "
    "learning rate; with the high end of its 95 % interval over held-out windows, at the moment of "
    "the pilot where it is greatest. Times are medians of rounds in turn, with "
    "graph.unroll=dynamic; those of settings without one were estimated. Training time: expected, "
    "relative to the advised setting: the geometric mean of the times of an update and of a "
    "symbol, times (1 − bias)^−2. A depth of all reaches the start of the sequence. A random style "
    "has no bias, but its noise is not measured here, so it is never advised. The bias of snap and "
    "rflo is that of their gradients against rtrl, at the end of the pilot; it is measured if the "
    "experiment has a style in forward mode."
)


def write_advice_report(advice: Advice, out: Path) -> Path:
    """Write the figures and report.html to the folder `out`, which exists."""
    figures = list(_figures(advice, out))
    path = out / "report.html"
    report = Report(
        f"Advice for {advice.config.name}",
        _introduction(advice),
        figures,
        [],
        [Table("Candidates", CAPTION, COLUMNS, [_row(advice, each) for each in _sorted(advice)])],
        {advice.config.name: dump_yaml(advice.config.as_dict())},
        describe_environment(environment()),
        answer=lines(advice),
    )
    write_report(path, report)
    return path


def _introduction(advice: Advice) -> list[str]:
    pilot = advice.pilot
    return [
        "A pilot of one seed was trained with full gradients in a graph "
        f"{pilot.schedule.num_steps} steps wide for {pilot.updates:,} updates, and read on "
        "held-out data. Advised is the setting that is expected to train in the least time, of "
        f"those whose gradient has a relative bias below {advice.tolerance:.0%} with 95 % "
        "confidence and which reach every input that the pilot uses. A wide graph makes few "
        "updates in that time, and in a narrow one few errors reach far enough.",
        "A dependency shows only once it is learned, and two may be learned one after the other: "
        "a larger budget may find more.",
    ]


def _figures(advice: Advice, out: Path) -> Iterator[ReportFigure]:
    """The pictures that can be drawn."""
    for name, draw, title, caption in _drawings(advice):
        path = out / name
        if save_picture(partial(draw, advice), path):
            yield ReportFigure.from_file(path, title, caption)


def _drawings(advice: Advice) -> Iterator[tuple[str, Callable[[Advice], Figure], str, str]]:
    """For each picture its file, its function, its title and its caption."""
    yield (
        "error_signal.png", error_signal_figure, "Error signal by lag",
        "The size of the derivative of a loss with respect to the state some steps earlier, at "
        "several moments of the pilot. The dashed line is the effective depth of the advice.",
    )  # fmt: skip
    if advice.analysis.memory is not None:
        yield (
            "memory.png", memory_figure, "Inputs that the pilot uses",
            "The trained pilot reads windows from the state of another row. The excess of its loss "
            "falls to zero after as many inputs as it uses. What is below the dashed line does not "
            "count.",
        )  # fmt: skip
    yield (
        "cost.png", cost_figure, "Bias against time",
        "Numbers are num_steps; the time of hollow points is estimated. No quicker setting has as "
        "little bias as one on the frontier. The dashed line is the tolerance.",
    )  # fmt: skip


def _sorted(advice: Advice) -> list[Candidate]:
    """By style, then by width; the timed ones first."""
    kinds = [each.setting.truncation.kind for each in advice.analysis.candidates]
    return sorted(
        advice.analysis.candidates,
        key=lambda each: (
            each.seconds is None,
            kinds.index(each.setting.truncation.kind),
            each.setting.num_steps,
        ),
    )


def _row(advice: Advice, candidate: Candidate) -> list[str | float]:
    marks = [
        name
        for name, there in (
            ("advised", candidate == advice.choice.advised),
            ("yours", candidate == advice.own),
            ("frontier", candidate in frontier(advice.analysis.candidates)),
        )
        if there
    ]
    an_update = candidate.symbol_seconds * candidate.setting.num_steps
    updates = 1 / an_update / advice.config.graph.batch_size
    enough = is_enough(candidate, advice.analysis.need, advice.tolerance)
    return [
        str(candidate.setting),
        "all" if candidate.setting.truncation.carries else f"{candidate.setting.effective_depth}",
        f"{candidate.bias.mean:.1%}" if candidate.is_known else "unknown",
        f"{candidate.bound:.1%}" if candidate.is_known else "",
        "" if candidate.seconds is None else f"{candidate.seconds * 1e6:.3g}",
        "" if candidate.seconds is None else f"{updates:,.0f}",
        _training_time(advice, candidate),
        "yes" if enough else "no",
        ", ".join(marks),
    ]


def _training_time(advice: Advice, candidate: Candidate) -> str:
    advised = advice.choice.advised
    if advised is None or math.isinf(candidate.cost):
        return ""
    return f"{candidate.cost / advised.cost:.2f}"
