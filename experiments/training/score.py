"""The probability that a trained model gives to a text: log P(text) = Σ log P(symbol | before)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from data.task import Sequence, Spelled
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.training.text_model import ids_of, open_text_model, tell_replaced
from rnn_graphs.metrics import values_of


class Scored(NamedTuple):
    """A text and its probability under a model."""

    symbols: list[str]
    log_probabilities: list[float]  # nats, of each symbol given those before it
    spelled: Spelled

    @property
    def total(self) -> float:
        """log P(text), nats."""
        return math.fsum(self.log_probabilities)

    @property
    def perplexity(self) -> float:
        """exp of the mean loss of a symbol."""
        loss = -self.total / len(self.symbols)
        return values_of(["perplexity"], loss, {})["perplexity"]

    @property
    def bits_per_character(self) -> float:
        """−log₂ P(text) for each character; a lower bound where symbols are <unk>."""
        return self.spelled.bits_per_character(-self.total / self.spelled.labels)


def score_text(directory: RunDirectory, text: str, checkpoint: str) -> Scored:
    """Read a text with the model of the run's first seed, from the start of a line on.

    Raises UsageError where the text is empty or has a symbol that the model does not know, or the
    model does not predict all that it reads.
    """
    with open_text_model(directory, checkpoint) as model:
        codec = model.codec
        ids = ids_of(codec, text, "TEXT")
        spelled = codec.spelled(text)
        if spelled is None:
            kind = directory.read_config().task.kind
            raise UsageError(
                f"{directory.path}: a run of {kind} reads one text and writes another; expected a "
                "run that predicts each symbol"
            )
        if not len(ids):
            raise UsageError("TEXT: expected at least one symbol, got none")
        tell_replaced(codec, text, "TEXT")
        inputs = np.concatenate([np.asarray(codec.first(), ids.dtype), ids[:-1]])
        losses = model.evaluator.losses(Sequence(inputs, ids))
    symbols = [codec.vocabulary[index] for index in ids]
    return Scored(symbols, [-float(loss) for loss in losses], spelled)
