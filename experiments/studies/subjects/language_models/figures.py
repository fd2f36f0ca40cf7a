"""Figures of language models: bits per character, and a table of what each costs and writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from data.task import VALIDATION
from experiments.reporting.claims import NotRun
from experiments.reporting.style import COLORS, draw_title, new_figure, style_grid
from experiments.runs.run import Run
from experiments.studies.entries import Planned, StudyFigure
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.building import parameters
from experiments.studies.subjects.language_models.texts import (
    bits_per_character,
    need_text,
    ngrams_of,
    spelled_by,
    text_task,
)
from experiments.studies.subjects.language_models.written_words import (
    existing_words,
    existing_words_of_ngrams,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MIB = 1 << 20
BYTES = {"float32": 4, "float64": 8}
COLUMNS = ("model", "bits per\ncharacter", "symbols", "numbers", "MiB", "seconds", "<unk>",
           "words that\nexist")  # fmt: skip

Row = tuple[str, ...]


class _OfTexts(StudyFigure):
    """Runs on a text, and n-gram models of the symbols of some of them."""

    labels: dict[RunName, str] = Field(min_length=1)
    ngrams: dict[RunName, int] = Field(default_factory=dict)  # the order, by run

    def check(self, planned: Planned) -> None:
        for name in (*self.labels, *self.ngrams):
            need_text(name, planned)
        for name in self.labels:
            planned[name].need_validation()


class BitsPerCharacter(_OfTexts):
    """Every seed's least validation loss as a dot, in bits per character; a cross for n-grams.

    An arrow says that a value is a lower bound, because some labels are <unk>.
    """

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        figure = new_figure()
        axes = figure.subplots()
        for place, name in enumerate(self.labels):
            run, color = runs[name], COLORS[place % len(COLORS)]
            bits = [*bits_per_character(run).values()]
            axes.plot([place] * len(bits), bits, "o", color=color, alpha=0.6)
            marked = [(float(place), float(np.mean(bits)))]
            if name in self.ngrams:
                cross = (place + 0.25, ngrams_of(run, self.ngrams[name]).bits)
                marked.append(cross)
                axes.plot(*cross, "x", color=color)
                text = f"{self.ngrams[name]}-grams"
                axes.annotate(text, cross, (6, 0), textcoords="offset points",
                              va="center", fontsize=8, color=color)  # fmt: skip
            if spelled_by(run, VALIDATION).unknown:
                for x, y in marked:
                    axes.annotate("↑", (x - 0.08, y), ha="center", va="center", color=color)
        axes.set_xticks(range(len(self.labels)), [*self.labels.values()])
        axes.set_xlim(-0.5, len(self.labels) - 0.3)
        draw_title(axes, title)
        axes.set_ylabel("bits per character of held-out text")
        style_grid(axes)
        return figure


class LanguageModelTable(_OfTexts):
    """A row for each run and for each n-gram model: what it predicts, holds, takes and writes.

    Means over seeds. `characters` is how much each seed writes, about.
    """

    characters: int = Field(ge=100)

    def draw(self, title: str, runs: StudyRuns) -> Figure:
        rows = [*self._rows(runs)]
        figure = new_figure(1.2 + 0.4 * len(rows))
        axes = figure.subplots()
        axes.axis("off")
        axes.set_title(title, fontsize=11, loc="left", pad=10)
        table = axes.table(rows, colLabels=COLUMNS, loc="center", cellLoc="right")
        table.auto_set_font_size(False)
        table.set_fontsize(8)
        table.auto_set_column_width(range(len(COLUMNS)))
        for (row, _), cell in table.get_celld().items():
            cell.set_edgecolor("#cccccc")
            cell.set_height((2.2 if row == 0 else 1.2) / (1.2 * len(rows) + 2.6))
        return figure

    def _rows(self, runs: StudyRuns) -> Iterator[Row]:
        for name, label in self.labels.items():
            yield _row_of_run(label, runs[name], self.characters)
        for name, order in self.ngrams.items():
            label = f"{order}-grams of {self.labels.get(name, name)}"
            yield _row_of_ngrams(label, runs[name], order, self.characters)


def _row_of_run(label: str, run: Run, characters: int) -> Row:
    held = parameters(run)
    seconds = run.seconds_a_seed
    if seconds is None:
        raise NotRun(f"run {run.label}: no seed is complete, so its time is not known")
    words = float(np.mean([*existing_words(run, characters).values()]))
    bits = float(np.mean([*bits_per_character(run).values()]))
    size = held * BYTES[run.config.graph.precision]
    return (label, *_shared(run, bits, held, size, seconds), f"{100 * words:.1f} %")


def _row_of_ngrams(label: str, run: Run, order: int, characters: int) -> Row:
    found = ngrams_of(run, order)
    held, size = found.model.numbers, found.model.nbytes
    words = existing_words_of_ngrams(run, order, characters)
    return (label, *_shared(run, found.bits, held, size, found.seconds), f"{100 * words:.1f} %")


def _shared(run: Run, bits: float, held: int, size: int, seconds: float) -> Row:
    spelled = spelled_by(run, VALIDATION)
    bound = "≥ " if spelled.unknown else ""
    return (
        f"{bound}{bits:.3f}", f"{text_task(run).num_classes:,}", f"{held:,}", f"{size / MIB:.2f}",
        f"{seconds:.1f}", f"{100 * spelled.unknown / spelled.labels:.1f} %",
    )  # fmt: skip
