"""Subwords: frequent strings of characters, by byte pair encoding (BPE) on characters.

SentencePiece finds them in the training text. The pieces alone, in the order in which they were
merged, are the tokenizer: a text is encoded by merging neighbours, the earliest piece first. A run
keeps its pieces as its vocabulary, so that it is read without SentencePiece and without its text.

Source: R. Sennrich, B. Haddow & A. Birch, "Neural Machine Translation of Rare Words with Subword
Units" (2016), section 3.2.
"""

from __future__ import annotations

import heapq
import io
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from data.symbols import UNKNOWN_CHARACTER, Characters, Ids, Symbols, alphabet, narrowest
from data.task import DataError

SPACE = "▁"  # SentencePiece's mark of a space
# SentencePiece reserves these. A line's end is a symbol of its own, which no piece crosses.
RESERVED = re.compile("[\n\t\0▁▅]")
# No piece crosses the space before a word, so that each part of a text is encoded by itself.
PART = re.compile(" *[^ \n]+| +|\n")


class Subwords(Characters):
    """Every character is a symbol, and so is every piece, up to `size` symbols.

    The vocabulary has the characters first, and then the pieces in the order of merging.
    """

    symbol = "subword"

    def __init__(self, size: int) -> None:
        self._size = size

    def vocabulary(self, training: Symbols, held_out: dict[str, Symbols]) -> tuple[str, ...]:
        characters = alphabet(training, held_out.values())
        room = self._size - len(characters)
        if room < 1:
            raise DataError(
                "task.vocabulary_size: expected more subwords than the text has different "
                f"characters, {len(characters):,}; got {self._size:,}"
            )
        return (*characters, *_pieces("".join(training), room))

    def ids(self, units: Symbols, vocabulary: Symbols) -> Ids:
        ranks = {piece: place for place, piece in enumerate(vocabulary)}
        dtype, stand_in = narrowest(len(vocabulary)), ranks.get(UNKNOWN_CHARACTER, -1)
        parts = PART.findall("".join(units))
        encoded = {
            part: [ranks.get(piece, stand_in) for piece in merged(part, ranks)]
            for part in set(parts)
        }
        return np.fromiter((place for part in parts for place in encoded[part]), dtype)


def merged(text: str, ranks: Mapping[str, int]) -> list[str]:
    """The pieces of a text: the two neighbours that make the piece of the least rank become one.

    Of equal ones the first. Takes n log n for n characters.
    """
    pieces, size = list(text), len(text)
    before, after = list(range(-1, size - 1)), list(range(1, size + 1))
    queue: list[tuple[int, int, int, str]] = []

    def offer(left: int) -> None:
        right = after[left] if left >= 0 else size
        if right < size:
            piece = pieces[left] + pieces[right]
            if piece in ranks:
                heapq.heappush(queue, (ranks[piece], left, right, piece))

    for left in range(size):
        offer(left)
    while queue:
        _, left, right, piece = heapq.heappop(queue)
        # Either neighbour may have become part of another piece since.
        if after[left] != right or not pieces[left] or pieces[left] + pieces[right] != piece:
            continue
        pieces[left], pieces[right] = piece, ""
        after[left] = after[right]
        if after[left] < size:
            before[after[left]] = left
        offer(before[left])
        offer(left)
    return [piece for piece in pieces if piece]


def _pieces(training: str, count: int) -> Iterable[str]:
    """At most `count` pieces of two characters or more, in the order of merging."""
    lines = [line for line in RESERVED.split(training) if line]
    if not lines:
        return []
    import sentencepiece

    # Beside the pieces, SentencePiece counts the characters, the space and one for the unknown.
    size = count + len(set("".join(lines)) | {" "}) + 1
    longest = max(10, max(map(len, lines)) * 4 + 1)  # bytes; it takes no limit below 10
    model = io.BytesIO()
    options: dict[str, Any] = {
        "model_type": "bpe", "vocab_size": size, "hard_vocab_limit": False,
        "character_coverage": 1.0, "normalization_rule_name": "identity",
        "add_dummy_prefix": False, "remove_extra_whitespaces": False,
        "allow_whitespace_only_pieces": True, "max_sentence_length": longest,
        "bos_id": -1, "eos_id": -1, "num_threads": 1, "minloglevel": 2,
    }  # fmt: skip
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, **options
    )
    found = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    names = (found.id_to_piece(index) for index in range(found.get_piece_size()))
    pieces = [name.replace(SPACE, " ") for name in names if name != "<unk>"]
    return [piece for piece in pieces if len(piece) > 1][:count]  # one more without a space
