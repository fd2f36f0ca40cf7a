"""Language models of any symbols: bits per character, vocabularies, n-grams beside networks.

All is measured on the first held-out part of a text, "valid", whose labels are the same text at
every level if task.comparable is set.
"""

from __future__ import annotations

import functools
import time
from collections import Counter
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from data.config import TaskSection
from data.streams import evaluation_stream, training_stream
from data.task import DataError, Examples, Spelled, Task
from experiments.reporting.claims import Finding, NotRun
from experiments.runs.run import Run
from experiments.statistics import estimates, verdicts
from experiments.statistics.verdicts import LEVEL
from experiments.studies.building import parameters
from experiments.studies.criteria import Comparison, TimeRatio
from experiments.studies.entries import Criterion, Planned
from experiments.studies.findings import exact, judged, percent
from experiments.studies.losses import Losses
from experiments.studies.lower_losses import LowersALoss
from experiments.studies.ngrams import Ngrams, count_ngrams
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.validation_losses import least_losses
from experiments.training.workload import VALIDATION


class LowersBitsPerCharacter(LowersALoss):
    """The least validation loss of `run`, bits per character, is below that of `against`."""

    def check(self, planned: Planned) -> None:
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

    def _paces(self, run: Run) -> list[float]:
        spelled = spelled_by(run, "train")
        return [pace * spelled.labels / spelled.characters for pace in super()._paces(run)]


class NgramsHoldMore(Comparison):
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


class SpellsAll(Comparison):
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


class NgramResult(NamedTuple):
    """An n-gram model on held-out text."""

    model: Ngrams
    bits: float  # per character
    seconds: float  # to count, and to read the held-out text


def ngrams_of(run: Run, order: int) -> NgramResult:
    """The n-gram model of a run's training symbols."""
    return _ngrams(run.config.task, order)


@functools.lru_cache(maxsize=8)
def _ngrams(config: TaskSection, order: int) -> NgramResult:
    task = config.make()
    spelled = task.spelled(VALIDATION)
    assert spelled is not None, "checked by need_text"
    train, held_out = ids_of(task, "train"), ids_of(task, VALIDATION)
    began = time.perf_counter()
    try:
        model = count_ngrams(train, task.num_classes, order)
    except ValueError as error:
        raise NotRun(f"{order}-grams: {error}") from error
    loss = -float(np.log(model.probabilities(held_out)[1:]).mean())
    return NgramResult(model, spelled.bits_per_character(loss), time.perf_counter() - began)


def bits_per_character(run: Run) -> Losses:
    """The least validation loss, bits per character, by seed; a lower bound with <unk>."""
    spelled = spelled_by(run, VALIDATION)
    losses = least_losses(run)
    return {seed: spelled.bits_per_character(loss) for seed, loss in losses.items()}


def text_task(run: Run) -> Task:
    """The run's task. Raises NotRun where its data are not there."""
    try:
        return run.config.task.make()
    except DataError as error:
        raise NotRun(f"run {run.label}: {error}") from error


def spelled_by(run: Run, split: str) -> Spelled:
    """The text of a set's labels. Raises NotRun where it is not known."""
    spelled = text_task(run).spelled(split)
    if spelled is None:
        raise NotRun(f"run {run.label}: not a text that is read as one sequence")
    return spelled


def ids_of(task: Task, split: str) -> NDArray[np.int64]:
    """The symbols of a text's part, the first one included, [size]."""
    drawn = (
        task.draw(training_stream(0))
        if split == "train"
        else task.evaluation(split, evaluation_stream(0))
    )
    assert not isinstance(drawn, Examples), "checked by need_text"
    return np.concatenate([drawn.inputs[:1], drawn.labels]).astype(np.int64)


def text_of(task: Task, split: str) -> str:
    """The text of a part's labels."""
    assert task.codec is not None, "checked by need_text"
    return task.codec.decode(ids_of(task, split)[1:])


def need_text(name: RunName, planned: Planned) -> None:
    """See that a run reads a text as one sequence, with a held-out part. Raises ValueError."""
    workload = planned[name].workload
    if workload is None:
        return
    task = workload.task
    if VALIDATION not in task.held_out or task.spelled(VALIDATION) is None:
        raise ValueError(
            f"run {name}: expected a text that is read as one sequence, with a validation part"
        )


def need_spelling(name: RunName, planned: Planned) -> None:
    """See that a run's labels spell every word. Raises ValueError."""
    need_text(name, planned)
    workload = planned[name].workload
    spelled = workload and workload.task.spelled(VALIDATION)
    if spelled and spelled.unknown:
        raise ValueError(
            f"run {name}: {spelled.unknown:,} of {spelled.labels:,} labels are <unk>, which spells "
            "nothing: its bits per character are comparable with those of no other level"
        )
