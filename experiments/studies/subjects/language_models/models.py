"""Language models of any symbols: bits per character, vocabularies, n-grams beside networks.

All is measured on the first held-out part of a text, "valid", whose labels are the same text at
every level if task.comparable is set.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
from pydantic import Field

from data.task import VALIDATION
from experiments.reporting.claims import Finding
from experiments.runs.run import Run
from experiments.statistics import estimates, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies.entries import AgainstRun, Criterion, Planned
from experiments.studies.findings import exact, judged, percent
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.building import parameters
from experiments.studies.subjects.language_models.texts import (
    bits_per_character,
    need_spelling,
    need_text,
    ngrams_of,
    spelled_by,
    text_of,
    text_task,
)
from experiments.studies.subjects.losses import Losses
from experiments.studies.subjects.lower_losses import LowersALoss
from experiments.studies.subjects.time_per_step import TimeRatio


class LowersBitsPerCharacter(LowersALoss):
    """The least validation loss of `run`, bits per character, is below that of `against`."""

    of_one_task: ClassVar[bool] = False

    def check(self, planned: Planned) -> None:
        super().check(planned)
        for name in (self.run, self.against):
            planned[name].need_validation()
            need_spelling(name, planned)

    def _losses(self, run: Run) -> Losses:
        return bits_per_character(run)

    def _metric(self) -> str:
        return "bits per character of held-out text"


class BeatsNgrams(Criterion):
    """`run` takes fewer bits per character than an n-gram model of the same symbols."""

    run: RunName
    order: int = Field(ge=1)

    def expectation(self) -> str:
        return "below 0"

    def check(self, planned: Planned) -> None:
        planned[self.run].need_validation()
        need_text(self.run, planned)

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        run = runs[self.run]
        bits, theirs = bits_per_character(run), ngrams_of(run, self.order).bits
        judgement = verdicts.below(
            estimates.mean([each - theirs for each in bits.values()]), level=level
        )
        note = (
            f"bits per character, {self.run} ({np.mean([*bits.values()]):.4f}) minus {self.order}"
            f"-grams of the same symbols ({theirs:.4f}); {percent(judgement.confidence)} interval"
        )
        return judged(judgement, len(bits), note)


class TimePerCharacter(TimeRatio):
    """Training seconds for a character of the text against another run's are within limits."""

    unit: ClassVar[str] = "character"

    def check(self, planned: Planned) -> None:
        for name in (self.run, self.against):
            need_text(name, planned)

    def _unit_seconds(self, run: Run) -> list[float]:
        spelled = spelled_by(run, "train")
        return [each * spelled.labels / spelled.characters for each in super()._unit_seconds(run)]


class NgramsHoldMore(AgainstRun):
    """An n-gram model of the symbols of `run` holds `times` as many numbers as `against` learns."""

    order: int = Field(ge=1)
    times: float = Field(gt=0)

    def expectation(self) -> str:
        return f"at least {self.times:g}"

    def check(self, planned: Planned) -> None:
        need_text(self.run, planned)

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        ours = ngrams_of(runs[self.run], self.order).model.numbers
        theirs = parameters(runs[self.against])
        note = f"{self.order}-grams of {self.run} {ours:,}, {self.against} {theirs:,} parameters"
        return exact(ours / theirs, ours / theirs >= self.times, note)


class SmallVocabulary(Criterion):
    """`run` has at most `size` symbols."""

    run: RunName
    size: int = Field(ge=1)

    def expectation(self) -> str:
        return f"at most {self.size:,}"

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        found = text_task(runs[self.run]).num_classes
        return exact(found, found <= self.size, "symbols of the vocabulary")


class ManyWords(Criterion):
    """The training text has `times` as many different words as `run` has symbols.

    `run` must read every character.
    """

    run: RunName
    times: float = Field(gt=0)

    def expectation(self) -> str:
        return f"at least {self.times:g}"

    def check(self, planned: Planned) -> None:
        need_spelling(self.run, planned)

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        task = text_task(runs[self.run])
        words, symbols = len({*text_of(task, "train").split()}), task.num_classes
        note = f"{words:,} different words, {symbols:,} symbols of {self.run}"
        return exact(words / symbols, words / symbols >= self.times, note)


class NewWords(Criterion):
    """At least `share` of the held-out words are not in the training text.

    `run` must read every character.
    """

    run: RunName
    share: float = Field(gt=0, lt=1)

    def expectation(self) -> str:
        return f"at least {self.share:g}"

    def check(self, planned: Planned) -> None:
        need_spelling(self.run, planned)

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        task = text_task(runs[self.run])
        known = {*text_of(task, "train").split()}
        counts = Counter(text_of(task, VALIDATION).split())
        new = sum(count for word, count in counts.items() if word not in known)
        found = new / counts.total()
        return exact(found, found >= self.share, f"{new:,} of {counts.total():,} words")


class SpellsAll(AgainstRun):
    """The held-out labels of `run` spell the same text as those of `against`, to the character."""

    def expectation(self) -> str:
        return "the same text"

    def check(self, planned: Planned) -> None:
        for name in (self.run, self.against):
            need_text(name, planned)

    def decide(self, runs: StudyRuns, _level: float = LEVEL) -> Finding:
        ours, theirs = (
            text_of(text_task(runs[name]), VALIDATION) for name in (self.run, self.against)
        )
        same, unknown = ours == theirs, spelled_by(runs[self.run], VALIDATION).unknown
        value = "the same text" if same else "another text"
        return exact(value, same, f"{len(theirs):,} characters; {unknown:,} labels are <unk>")
