"""data/text_files.py: text in one form, whatever its encoding, marks, line ends and blank lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.corpus import SPLITS
from data.task import DataError
from tests.data.texts import REAL, TEST, TRAIN, VALID, make_task, needs


def own_ends(text: str, end: str) -> str:
    return "".join(f"{line}{end}\n" for line in text.splitlines())


@pytest.mark.parametrize("end", ["<eos>", "</s>", "</s> "])
def test_a_line_that_brings_its_own_end_ends_once(treebank: Path, end: str) -> None:
    plain = make_task(treebank, source="three_files", level="words").corpus
    assert plain.notes == ()
    for split, text in zip(SPLITS, (TRAIN, VALID, TEST), strict=True):
        treebank.with_name(f"small.{split}.txt").write_text(own_ends(text, end), "utf-8")
    marked = make_task(treebank, source="three_files", level="words").corpus
    assert marked.vocabulary == plain.vocabulary
    for split in SPLITS:
        assert marked.parts[split].tolist() == plain.parts[split].tolist()
    assert marked.notes[0] == (
        f"{treebank}.train.txt: 3 lines end in <eos> or </s>; each line's end counts once"
    )


def test_a_word_that_ends_in_the_mark_is_a_word(book: Path) -> None:
    book.write_text("x<eos>\n" * 20, "utf-8")
    assert make_task(book, level="words").vocabulary == ("<eos>", "x<eos>")


def test_blank_lines_between_sentences_are_none(treebank: Path) -> None:
    plain = make_task(treebank, source="three_files", level="words").corpus
    for split, text in zip(SPLITS, (TRAIN, VALID, TEST), strict=True):
        path = treebank.with_name(f"small.{split}.txt")
        path.write_text("\n" + text.replace("\n", "\n \t\n\n"), "utf-8")
    spaced = make_task(treebank, source="three_files", level="words").corpus
    for split in SPLITS:
        assert spaced.parts[split].tolist() == plain.parts[split].tolist()
    assert "small.train.txt: 7 blank lines are left out" in spaced.notes[0]


@needs("ptb/ptb.train.txt")
def test_the_real_penn_treebank_with_ends_of_its_own(tmp_path: Path) -> None:
    for split in SPLITS:
        text = Path(REAL, f"ptb/ptb.{split}.txt").read_text("utf-8")
        (tmp_path / f"ptb.{split}.txt").write_text(own_ends(text, "<eos>"), "utf-8")
    plain, marked = (
        make_task(path, source="three_files", level="words").corpus
        for path in (Path(REAL, "ptb/ptb"), tmp_path / "ptb")
    )
    for split in SPLITS:
        np.testing.assert_array_equal(marked.parts[split], plain.parts[split])


def test_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "windows.txt"
    path.write_bytes("\ufeffé\r\nb\rc\n".encode())
    task = make_task(path, valid=0, test=0)
    assert task.codec.decode(task.corpus.parts["train"]) == "é\nb\nc\n"


def test_byte_order_marks_of_joined_files_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "joined.txt"
    path.write_text("\ufeff\ufeffone\n\ufefftwo\nthr\ufeffee\n", "utf-8")
    task = make_task(path, valid=0, test=0)
    assert task.codec.decode(task.corpus.parts["train"]) == "one\ntwo\nthr\ufeffee\n"


def test_a_prompt_is_read_as_files_are(book: Path) -> None:
    codec = make_task(book).codec
    np.testing.assert_array_equal(codec.encode("\ufeffab\r\nc\r"), codec.encode("ab\nc\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "book.txt, train part: expected at least 2 characters, found 0"),
        (b"a", "book.txt, train part: expected at least 2 characters, found 1"),
        (
            b"abcdefgh",
            "book.txt, valid part: expected at least 2 characters, found 0; task.valid is its "
            "share of the text",
        ),
        (b"caf\xe9 noir", "book.txt: expected text in UTF-8, found the byte 0xe9 at place 3"),
        (
            "a\n".encode("utf-16"),
            "book.txt: expected text in UTF-8, found the byte 0xff at place 0; it looks like "
            "UTF-16, which another program can save as UTF-8",
        ),
        (
            "café\n".encode("utf-16-le") * 9,
            "book.txt: expected text in UTF-8, found the byte 0xe9 at place 6",
        ),
        (
            "plain text\n".encode("utf-16-be") * 9,
            "book.txt: expected text in UTF-8, found 99 zeros among 198 bytes; it looks like "
            "UTF-16, which another program can save as UTF-8",
        ),
    ],
)
def test_a_text_that_is_none(book: Path, content: bytes, message: str) -> None:
    book.write_bytes(content)
    with pytest.raises(DataError) as error:
        make_task(book)
    assert str(error.value) == f"{book.parent}/{message}"
