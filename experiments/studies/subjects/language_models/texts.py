"""Texts of the runs of language models, their symbols, and n-grams counted in them."""

from __future__ import annotations

import functools
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data.config import TaskSection
from data.streams import evaluation_stream, training_stream
from data.task import VALIDATION, DataError, Examples, Spelled, Task
from experiments.reporting.claims import NotRun
from experiments.runs.run import Run
from experiments.studies.entries import Planned
from experiments.studies.runs import RunName
from experiments.studies.subjects.language_models.ngrams import Ngrams, count_ngrams
from experiments.studies.subjects.losses import Losses
from experiments.studies.subjects.validation_losses import least_losses


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
