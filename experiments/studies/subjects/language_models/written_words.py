"""Text that models write, and text that they judge: words that exist, lines against shuffled ones.

A word is a run of two or more letters, and it exists if the text, held-out parts included, has it.
Capitals do not count.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from data.symbols import UNKNOWN_WORD
from data.task import VALIDATION, Sequence, Task, TextCodec
from experiments.reporting.claims import Finding, NotRun
from experiments.runs.run import Run
from experiments.statistics import estimates, verdicts
from experiments.statistics.estimates import Estimate
from experiments.statistics.paired import Values
from experiments.statistics.verdicts import LEVEL, Judgement
from experiments.studies.batches import best_checkpoints
from experiments.studies.entries import AgainstRun, Criterion, Planned
from experiments.studies.findings import judged, percent
from experiments.studies.runs import RunName, StudyRuns
from experiments.studies.subjects.language_models.texts import (
    need_text,
    ngrams_of,
    spelled_by,
    text_of,
    text_task,
)
from experiments.studies.subjects.lower_losses import SeedsDiffer

if TYPE_CHECKING:
    from experiments.training.text_model import TextModel

WORD = re.compile(r"[a-z]{2,}")
LEAST_WORDS = 4  # of a line that is shuffled


class _OfASeed(Criterion):
    """The mean over seeds of a share is on one side of `share`."""

    run: RunName
    share: float = Field(gt=0, lt=1)

    def check(self, planned: Planned) -> None:
        need_text(self.run, planned)

    @abstractmethod
    def _shares(self, run: Run) -> Mapping[int, float]:
        """By seed."""

    @abstractmethod
    def _judge(self, mean: Estimate, level: float) -> Judgement:
        """The judgement of the mean share."""

    @abstractmethod
    def _note(self) -> str:
        """The share in words."""

    def decide(self, runs: StudyRuns, level: float = LEVEL) -> Finding:
        shares = self._shares(runs[self.run])
        judgement = self._judge(estimates.mean([*shares.values()]), level)
        note = f"{self._note()}; {percent(judgement.confidence)} interval of the mean over seeds"
        return judged(judgement, len(shares), note)


class WritesNonwords(_OfASeed):
    """At most `share` of the words that `run` writes exist."""

    characters: int = Field(ge=100)  # to write, about

    def expectation(self) -> str:
        return f"below {self.share:g}"

    def _shares(self, run: Run) -> Mapping[int, float]:
        return existing_words(run, self.characters)

    def _judge(self, mean: Estimate, level: float) -> Judgement:
        return verdicts.below(mean, self.share, level)

    def _note(self) -> str:
        return f"share of the words in about {self.characters:,} written characters that exist"


class PrefersRealLines(_OfASeed):
    """`run` gives more than `share` of the held-out lines a higher probability than shuffled ones.

    A line's words are shuffled once.
    """

    lines: int = Field(ge=10)
    seed: int = 0

    def expectation(self) -> str:
        return f"above {self.share:g}"

    def _shares(self, run: Run) -> Mapping[int, float]:
        pairs = shuffled_lines(text_of(text_task(run), VALIDATION), self.lines, self.seed)
        if not pairs:
            raise NotRun(f"run {run.label}: no held-out line has {LEAST_WORDS} words")
        return {seed: share_preferred(model, pairs) for seed, model in models_of(run)}

    def _judge(self, mean: Estimate, level: float) -> Judgement:
        return verdicts.above(mean, self.share, level)

    def _note(self) -> str:
        return f"share of {self.lines} held-out lines that are likelier than their words shuffled"


class WritesMoreWords(SeedsDiffer, AgainstRun):
    """A larger share of the words that `run` writes exist than of those of `against`."""

    characters: int = Field(ge=100)

    def check(self, planned: Planned) -> None:
        for name in (self.run, self.against):
            need_text(name, planned)

    def _sides(self, runs: StudyRuns) -> tuple[Values, Values]:
        ours, theirs = (
            existing_words(runs[name], self.characters) for name in (self.run, self.against)
        )
        return ours, theirs

    def _names(self) -> tuple[str, str]:
        return self.run, self.against

    def _metric(self) -> str:
        return "share of written words that exist"


def existing_words(run: Run, characters: int) -> dict[int, float]:
    """By seed, the share of the words in about so many written characters that exist."""
    from experiments.training.generate import Sampling, write

    symbols, found = symbols_of(run, characters), {}
    for seed, model in models_of(run):
        ids = write(model, np.asarray(model.codec.first()), Sampling(symbols, 1.0, seed))
        found[seed] = share_existing(run, ids)
    return found


def existing_words_of_ngrams(run: Run, order: int, characters: int) -> float:
    """The same for an n-gram model of the symbols of `run`."""
    start = np.asarray(codec_of(text_task(run)).first())
    stream = np.random.default_rng(0)
    ids = ngrams_of(run, order).model.write(start, symbols_of(run, characters), stream)
    return share_existing(run, ids)


def symbols_of(run: Run, characters: int) -> int:
    """How many symbols spell about so many characters."""
    spelled = spelled_by(run, "train")
    return max(1, round(characters * spelled.labels / spelled.characters))


def share_existing(run: Run, ids: NDArray[Any]) -> float:
    """The share of the words of a written text that exist. Raises NotRun where it has none."""
    task = text_task(run)
    known = {word for split in ("train", *task.held_out) for word in words_in(text_of(task, split))}
    written = words_in(codec_of(task).decode(ids))
    if not written:
        raise NotRun(f"run {run.label}: a text of it has no word")
    return float(np.mean([word in known for word in written]))


def words_in(text: str) -> list[str]:
    """The words of a text without the mark of unknown ones."""
    return WORD.findall(text.replace(UNKNOWN_WORD, " ").lower())


def shuffled_lines(text: str, count: int, seed: int) -> list[tuple[str, str]]:
    """The first lines with enough words, each with a copy in another order."""
    stream, pairs = np.random.default_rng(seed), []
    for line in text.split("\n"):
        words = line.split()
        if len(words) < LEAST_WORDS or len({*words}) < 2:
            continue
        other = words
        while other == words:
            other = stream.permutation(words).tolist()
        pairs.append((" ".join(words) + "\n", " ".join(other) + "\n"))
        if len(pairs) == count:
            break
    return pairs


def share_preferred(model: TextModel, pairs: list[tuple[str, str]]) -> float:
    """The share of the pairs whose first text is likelier."""
    likelier = [_loss(model, real) < _loss(model, other) for real, other in pairs]
    return float(np.mean(likelier))


def _loss(model: TextModel, text: str) -> float:
    """−log P(text) after the end of a line, nats."""
    ids = np.concatenate([np.asarray(model.codec.first()), np.asarray(model.codec.encode(text))])
    return float(model.evaluator.losses(Sequence(ids[:-1], ids[1:])).sum())


def models_of(run: Run) -> Iterator[tuple[int, TextModel]]:
    """Each seed's best checkpoint, or its last where none is the best, in one session.

    Raises NotRun where a seed lacks it.
    """
    from experiments.training.evaluator import Evaluator
    from experiments.training.text_model import TextModel

    task = text_task(run)
    codec = codec_of(task)
    with Evaluator(run.config, task) as evaluator:
        for seed, kept in best_checkpoints(run):
            evaluator.restore(kept.variables)
            yield seed, TextModel(codec, evaluator, kept)


def codec_of(task: Task) -> TextCodec:
    """The codec of a text."""
    assert task.codec is not None, "checked by need_text"
    return task.codec
