"""data/tasks/text.py, data/symbols.py and data/files.py, on small files and on the real ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data import symbols
from data.batching import cut_into_rows
from data.corpus import SPLITS
from data.streams import evaluation_stream, training_stream
from data.symbols import Characters, Words, narrowest
from data.task import DataError
from data.tasks.text import Text, TextConfig
from tests.conftest import ROOT

DEFAULTS = yaml.safe_load((ROOT / "configs/task/text.yaml").read_text("utf-8"))
REAL = os.environ.get("RNN_DATA", "")

TRAIN = " the cat sat \n the <unk> sat \n a cat \n"
VALID = " the cat \n a <unk> \n"
TEST = " a the \n"


def config_of(**keys: Any) -> TextConfig:
    keys["expect"] = DEFAULTS["expect"] | keys.get("expect", {})
    return TextConfig.model_validate(DEFAULTS | keys)


def make_task(path: str | Path, **keys: Any) -> Text:
    return config_of(**{"source": "file", "path": str(path)} | keys).make()


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (REAL and Path(REAL, name).is_file()),
        reason=f"needs {name} in the folder that the environment variable RNN_DATA names",
    )


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A file of 100 characters, 20 lines of 5."""
    path = tmp_path / "book.txt"
    path.write_text("abcd\n" * 10 + "dcba\n" * 10, "utf-8")
    return path


@pytest.fixture
def treebank(tmp_path: Path) -> Path:
    """Three files in the form of Penn Treebank: a space at both ends of a line."""
    for split, text in zip(SPLITS, (TRAIN, VALID, TEST), strict=True):
        (tmp_path / f"small.{split}.txt").write_text(text, "utf-8")
    return tmp_path / "small"


@pytest.fixture
def no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RNN_DATA", raising=False)


def test_labels_are_the_next_symbols(book: Path) -> None:
    task = make_task(book, valid=0.2, test=0.1)
    sequence = task.draw(training_stream(0))
    text = book.read_text("utf-8")
    assert task.codec.decode(sequence.inputs) == text[:69]
    assert task.codec.decode(sequence.labels) == text[1:70]
    for split, start, stop in (("valid", 70, 90), ("test", 90, 100)):
        held_out = task.evaluation(split, evaluation_stream(0))
        assert task.codec.decode(held_out.inputs) == text[start : stop - 1]
        assert task.codec.decode(held_out.labels) == text[start + 1 : stop]


def test_every_epoch_is_the_same_memory_and_draws_nothing(book: Path) -> None:
    task, stream = make_task(book, valid=0, test=0), training_stream(0)
    first, second = task.draw(stream), task.draw(stream)
    assert stream.randint(1 << 30) == training_stream(0).randint(1 << 30)
    rows = cut_into_rows(second, 3)
    for part in (first.inputs, first.labels, second.inputs, rows.inputs, rows.labels):
        assert np.shares_memory(part, task.corpus.parts["train"])
        assert not part.flags.writeable


def test_the_protocol(book: Path) -> None:
    task = make_task(book)
    assert (task.num_inputs, task.num_classes) == (5, 5)
    assert (task.inputs, task.labels) == ("ids", "ids")
    assert task.carries_state
    assert task.floors() == {}
    assert task.held_out == ("valid", "test")
    assert make_task(book, valid=0.1, test=0).held_out == ("valid",)
    assert make_task(book, valid=0, test=0.1).held_out == ("test",)
    assert make_task(book, valid=0, test=0).held_out == ()
    assert task.windows(batch_size=4, num_steps=5, context=0) == 4  # 90 - 1 symbols, rows of 22


def test_a_text_shorter_than_the_batch_is_refused(book: Path) -> None:
    with pytest.raises(ValueError, match=r"^graph\.batch_size: .* the size of the data, 89; got 9"):
        make_task(book).windows(batch_size=90, num_steps=1, context=0)


@pytest.mark.parametrize(
    ("count", "dtype"), [(128, np.int8), (129, np.int16), (32_768, np.int16), (32_769, np.int32)]
)
def test_characters_are_sorted_and_ids_are_narrow(
    tmp_path: Path, count: int, dtype: type[Any]
) -> None:
    backwards = "".join(map(chr, range(0x10000 + count - 1, 0xFFFF, -1)))
    path = tmp_path / "backwards.txt"
    path.write_text(backwards, "utf-8")
    task = make_task(path, valid=0, test=0)
    assert "".join(task.vocabulary) == backwards[::-1]
    assert task.corpus.parts["train"].dtype == dtype == narrowest(count)
    np.testing.assert_array_equal(task.corpus.parts["train"], np.arange(count)[::-1])


@given(st.text("ab\n é€\ufffd\U0001f600", min_size=1), st.integers(1, 5))
def test_any_characters_come_back(text: str, chunk: int) -> None:
    level, usual = Characters(), symbols.CHUNK
    vocabulary = level.vocabulary(text, {})
    symbols.CHUNK = chunk
    try:
        ids = level.ids(text, vocabulary)
    finally:
        symbols.CHUNK = usual
    assert [vocabulary[index] for index in ids] == list(text)


@given(st.lists(st.lists(st.sampled_from(["a", "bc", "d.", "<unk>"])), min_size=1))
def test_any_lines_of_words_come_back(lines: list[list[str]]) -> None:
    text = "".join(" ".join(line) + "\n" for line in lines)
    assert Words(None).join(Words(None).split(text)) == text


def test_a_character_that_training_lacks(tmp_path: Path) -> None:
    path = tmp_path / "accent.txt"
    path.write_text("ab" * 45 + "abécéabàba", "utf-8")
    task = make_task(path, valid=0.1, test=0)
    assert task.vocabulary == ("a", "b", "\ufffd")
    held_out = task.evaluation("valid", evaluation_stream(0))
    assert held_out.inputs.tolist() == [0, 1, 2, 2, 2, 0, 1, 2, 1]
    assert held_out.labels.tolist() == [1, 2, 2, 2, 0, 1, 2, 1, 0]


def test_a_mark_that_training_has_is_not_added_again(tmp_path: Path) -> None:
    path = tmp_path / "mark.txt"
    path.write_text("a\ufffdz" * 30 + "\U0001f600" * 10, "utf-8")
    task = make_task(path, valid=0.1, test=0)
    assert task.vocabulary == ("a", "z", "\ufffd")
    assert set(task.corpus.parts["valid"].tolist()) == {2}


def test_the_form_of_penn_treebank(treebank: Path) -> None:
    task = make_task(treebank, source="three_files", level="words")
    # <eos> 3; cat, sat, the 2 each; <unk>, a 1 each
    assert task.vocabulary == ("<eos>", "cat", "sat", "the", "<unk>", "a")
    assert task.corpus.parts["train"].tolist() == [3, 1, 2, 0, 3, 4, 2, 0, 5, 1, 0]
    assert task.corpus.parts["valid"].tolist() == [3, 1, 0, 5, 4, 0]
    assert task.corpus.parts["test"].tolist() == [5, 3, 0]
    assert task.codec.decode(task.corpus.parts["valid"]) == "the cat\na <unk>\n"
    assert task.held_out == ("valid", "test")


def test_the_vocabulary_is_that_of_the_training_file(treebank: Path) -> None:
    treebank.with_name("small.valid.txt").write_text("the dog sat\n", "utf-8")
    task = make_task(treebank, source="three_files", level="words")
    assert task.codec.decode(task.corpus.parts["valid"]) == "the <unk> sat\n"


def test_three_files_by_characters(treebank: Path) -> None:
    task = make_task(treebank, source="three_files", level="characters")
    assert task.codec.decode(task.corpus.parts["test"]) == TEST


@pytest.mark.parametrize(
    ("text", "size", "vocabulary", "ids"),
    [
        ("a a a b b c d", 3, ("a", "<unk>", "b"), [0, 0, 0, 2, 2, 1, 1]),
        ("d c b b a a a", 5, ("a", "b", "c", "d"), [3, 2, 1, 1, 0, 0, 0]),
        ("a a a b b c d", 4, ("a", "b", "c", "d"), [0, 0, 0, 1, 1, 2, 3]),
        ("a a <unk> b c", 2, ("<unk>", "a"), [1, 1, 0, 0, 0]),
        ("a\nb\n\nb b", None, ("<eos>", "b", "a"), [2, 0, 1, 0, 0, 1, 1]),
    ],
)
def test_the_rarest_words_give_way(
    tmp_path: Path, text: str, size: int | None, vocabulary: tuple[str, ...], ids: list[int]
) -> None:
    path = tmp_path / "words.txt"
    path.write_text(text, "utf-8")
    task = make_task(path, level="words", vocabulary_size=size, valid=0, test=0)
    assert task.vocabulary == vocabulary
    assert task.corpus.parts["train"].tolist() == ids


def test_words_that_nothing_stands_for_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("a b c c " * 4 + "a new b word", "utf-8")
    with pytest.raises(DataError) as error:
        make_task(path, level="words", valid=0.2, test=0)
    assert str(error.value) == (
        f"{path}, valid part: 2 of 4 words are not in the training part, 'new' the first, and it "
        "has no <unk> to stand for them; set task.vocabulary_size below its 3 different words"
    )
    task = make_task(path, level="words", valid=0.2, test=0, vocabulary_size=2)
    assert task.codec.decode(task.corpus.parts["valid"]) == "<unk> <unk> <unk> <unk>"


def test_encode_and_decode(book: Path, treebank: Path) -> None:
    characters = make_task(book)
    assert characters.codec.encode("cab\n").tolist() == [3, 1, 2, 0]
    assert characters.codec.encode("").tolist() == []
    with pytest.raises(
        ValueError, match=r"^character 'e' is not in the vocabulary of 5 characters"
    ):
        characters.codec.encode("bed")
    words = make_task(treebank, source="three_files", level="words")
    assert words.codec.encode("a cat\nsat").tolist() == [5, 1, 0, 2]
    assert words.codec.decode(words.codec.encode("a cat\nsat")) == "a cat\nsat"
    assert words.codec.replaced("the dog saw a dog") == ["dog", "saw"]
    assert words.codec.decode(words.codec.encode("the dog")) == "the <unk>"
    lines = make_task(book, level="words")
    assert lines.codec.replaced("abcd dog") == []
    with pytest.raises(ValueError, match=r"^word 'dog' is not in the vocabulary of 3 words"):
        lines.codec.encode("abcd dog")


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("\u0301", r"U\+0301 COMBINING ACUTE ACCENT is not"),
        ("\u200b", r"U\+200B ZERO WIDTH SPACE is not"),
        ("é", r"'é' \(U\+00E9\) is not"),
        ("'", r"\"'\" is not"),
    ],
)
def test_an_unknown_character_can_be_told_from_its_neighbours(
    book: Path, symbol: str, shown: str
) -> None:
    with pytest.raises(ValueError, match=f"^character {shown}"):
        make_task(book).codec.encode(f"a{symbol}")


def test_a_prompt_is_read_as_files_are(book: Path) -> None:
    codec = make_task(book).codec
    np.testing.assert_array_equal(codec.encode("\ufeffab\r\nc\r"), codec.encode("ab\nc\n"))


def test_a_text_without_a_prompt_starts_from_a_symbol_that_exists(
    book: Path, treebank: Path, tmp_path: Path
) -> None:
    assert make_task(book).codec.first().tolist() == [0]
    words = make_task(treebank, source="three_files", level="words")
    assert words.codec.decode(words.codec.first()) == "\n"
    (tmp_path / "genome").write_text("ACGT" * 20)
    assert make_task(tmp_path / "genome").codec.first().tolist() == [0]


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


def test_the_sources_are_known_by_their_hashes(book: Path, treebank: Path) -> None:
    (source,) = make_task(book).sources
    assert source == (str(book), hashlib.sha256(book.read_bytes()).hexdigest())
    three = make_task(treebank, source="three_files", level="words").sources
    assert [source.name for source in three] == [f"{treebank}.{split}.txt" for split in SPLITS]
    assert three[2].sha256 == hashlib.sha256(TEST.encode()).hexdigest()


def test_a_text_in_the_ids_of_another_vocabulary(book: Path) -> None:
    task = config_of(source="file", path=str(book)).make_with(("d", "c", "b", "a", "\n"))
    assert task.corpus.parts["train"][:5].tolist() == [3, 2, 1, 0, 4]
    with pytest.raises(DataError, match=r"18 of 90 characters are not in the run's .*, 'b' the"):
        config_of(source="file", path=str(book)).make_with(("d", "c", "a", "\n"))


def test_without_its_text_a_task_can_still_write() -> None:
    task = config_of(source="file", path="gone").without_data(("a", "b", "\n"))
    assert (task.num_inputs, task.num_classes) == (3, 3)
    assert task.codec.decode(task.codec.encode("ab\n")) == "ab\n"


def test_epochs_that_begin_at_another_place_hold_the_same_symbols(book: Path) -> None:
    task, plain = make_task(book, rotate=True), make_task(book)
    stream = training_stream(0)
    first, second = task.draw(stream), task.draw(stream)
    usual = plain.draw(training_stream(0))
    assert first.inputs.tolist() != second.inputs.tolist()
    for drawn in (first, second):
        pairs = zip(drawn.inputs, drawn.labels, strict=True)
        assert sorted(pairs) == sorted(zip(usual.inputs, usual.labels, strict=True))
        joined = [*drawn.inputs, *drawn.inputs]
        whole = usual.inputs.tolist()
        assert any(joined[n : n + len(whole)] == whole for n in range(len(whole)))
    again = training_stream(0)
    assert task.draw(again).inputs.tolist() == first.inputs.tolist()


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


def test_a_file_is_read_once_and_again_when_it_has_changed(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_task(book)
    monkeypatch.setattr(Path, "read_bytes", None)  # calling it would fail
    assert make_task(book).corpus is first.corpus
    monkeypatch.undo()
    book.write_text("xyz" * 40, "utf-8")
    assert make_task(book).vocabulary == ("x", "y", "z")
    assert first.vocabulary == ("\n", "a", "b", "c", "d")
    digest = hashlib.sha256(b"xyz" * 40).hexdigest()
    expect = {"sha256": [digest]}
    make_task(book, expect=expect)
    book.write_text("xyw" * 40, "utf-8")
    os.utime(book, ns=(0, 0))
    with pytest.raises(DataError, match=f"not the expected data: expected sha256 {digest}, found"):
        make_task(book, expect=expect)


def test_what_is_not_as_expected(treebank: Path) -> None:
    right = {"symbols": [11, 6, 3], "vocabulary": 6}
    keys = {"source": "three_files", "level": "words"}
    make_task(treebank, **keys, expect=right)
    with pytest.raises(DataError) as error:
        make_task(treebank, **keys, expect=right | {"symbols": [11, 7, 3]})
    valid = treebank.with_name("small.valid.txt")
    assert str(error.value) == f"{valid}: not the expected data: expected 7 words, found 6"
    with pytest.raises(DataError, match=r"expected 10,000 different words, found 6$"):
        make_task(treebank, **keys, expect=right | {"vocabulary": 10_000})


def test_relative_paths(book: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RNN_DATA", str(tmp_path))
    assert make_task("book.txt").num_inputs == 5
    assert make_task(book).num_inputs == 5
    with pytest.raises(DataError) as error:
        make_task("books.txt", origin="a library")
    assert str(error.value) == (
        f"{tmp_path}/books.txt: no such file; a relative path starts at the environment variable "
        f"RNN_DATA, now {tmp_path}; where to get it: a library"
    )
    monkeypatch.delenv("RNN_DATA")
    monkeypatch.chdir(tmp_path)
    assert make_task("book.txt").num_inputs == 5
    with pytest.raises(DataError) as error:
        make_task("books.txt")
    assert str(error.value) == (
        f"{tmp_path}/books.txt: no such file; a relative path starts at the current directory, "
        "as the environment variable RNN_DATA is not set"
    )


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


def test_a_missing_one_of_three_files(treebank: Path) -> None:
    treebank.with_name("small.test.txt").unlink()
    with pytest.raises(DataError, match=r"small\.test\.txt: no such file; .*: the linguists$"):
        make_task(treebank, source="three_files", level="words", origin="the linguists")


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, message in {
        "": "expected a file, found a directory",
        "pipe": "expected a file, found a device or a pipe",
        "file/inside": "cannot be read: Not a directory",
        "x" * 300: "cannot be read: File name too long",
    }.items():
        with pytest.raises(DataError) as error:
            make_task(tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: {message}"
    with pytest.raises(DataError, match=r"not a path: .*embedded null"):
        make_task(f"{tmp_path}/a\0b")


@pytest.fixture
def locked(book: Path) -> Iterator[Path]:
    """A file that may not be read. Root may read all files, so drop its rights for a while."""
    book.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield book
    os.seteuid(user)


def test_a_file_that_may_not_be_read(locked: Path) -> None:
    with pytest.raises(DataError) as error:
        make_task(locked)
    assert str(error.value) == f"{locked}: cannot be read: Permission denied"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"path": "x"}, "path: source python_docs reads no file"),
        ({"source": "file"}, "path: source file needs it; got null"),
        ({"source": "file", "path": ""}, "at least 1 character"),
        ({"source": "three_files"}, "path: source three_files needs it; got null"),
        ({"source": "three_files", "path": "x", "valid": 0.1}, "valid: three files have their own"),
        ({"source": "three_files", "path": "x", "test": 0}, "test: three files have their own"),
        ({"valid": 0.5, "test": 0.5}, r"must leave a share to training; got 0\.5 \+ 0\.5"),
        ({"valid": 0.96}, r"must leave a share to training; got 0\.96 \+ 0\.05"),
        ({"valid": -0.1}, "valid"),
        ({"level": "letters"}, "level"),
        ({"vocabulary_size": 100}, "vocabulary_size: characters are all kept"),
        ({"level": "words", "vocabulary_size": 1}, "greater than or equal to 2"),
        ({"expect": {"sha256": ["86c4"]}}, "sha256"),
        ({"expect": {"symbols": [1, 2, 3]}}, r"expect\.symbols: expected 1 for source python_docs"),
        ({"expect": {"vocabulary": 0}}, "vocabulary"),
        ({"expect": {"symbls": [1]}}, "symbls"),
        ({"pth": "x"}, "pth"),
    ],
)
def test_a_wrong_config_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config_of(**keys)


def test_the_defaults_run_on_what_python_ships() -> None:
    task = config_of().make()
    assert task.held_out == ("valid", "test")
    total = sum(map(len, task.corpus.parts.values()))
    assert total > 400_000
    assert len(task.corpus.parts["valid"]) == len(task.corpus.parts["test"]) == total // 20
    assert "statement" in task.codec.decode(task.corpus.parts["train"][:1000])
    assert config_of(level="words", vocabulary_size=1000).make().num_classes == 1000


def test_python_docs_against_a_hash() -> None:
    with pytest.raises(
        DataError, match=r"^pydoc_data\.topics: not the expected data: expected sha"
    ):
        config_of(expect={"sha256": ["0" * 64]}).make()


def shipped(experiment: str) -> TextConfig:
    """The task of a shipped experiment, as Hydra merges it."""
    path = ROOT / "configs" / "experiment" / f"{experiment}.yaml"
    return config_of(**yaml.safe_load(path.read_text("utf-8"))["task"])


@needs("ptb/ptb.train.txt")
def test_the_real_penn_treebank() -> None:
    task = shipped("ptb_vanilla").make()
    assert [len(part) for part in task.corpus.parts.values()] == [929_589, 73_760, 82_430]
    assert len(task.vocabulary) == 10_000
    assert task.vocabulary[:4] == ("the", "<unk>", "<eos>", "N")
    assert (
        task.codec.decode(task.corpus.parts["valid"][:7])
        == "consumers may want to move their telephones"
    )
    assert task.corpus.parts["train"].dtype == np.int16


@needs("tinyshakespeare/input.txt")
def test_the_real_tiny_shakespeare() -> None:
    task = shipped("shakespeare").make()
    assert [len(part) for part in task.corpus.parts.values()] == [1_003_855, 111_539]
    assert len(task.vocabulary) == 65
    assert task.codec.decode(task.corpus.parts["train"][:14]) == "First Citizen:"


@pytest.mark.usefixtures("no_folder")
@pytest.mark.parametrize("experiment", ["ptb_vanilla", "shakespeare"])
def test_without_the_files_the_message_says_where_they_are_to_be_had(
    experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = shipped(experiment)
    with pytest.raises(DataError) as error:
        config.make()
    assert str(error.value).endswith(f"; where to get it: {config.origin}")
    assert "\n" not in str(error.value)
