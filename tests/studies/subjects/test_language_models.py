"""The study of language models: criteria and figures on runs made by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from data.task import Sequence as OneSequence
from data.tasks.text import Text
from experiments.config.compose import load_config
from experiments.runs.directory import RunDirectory
from experiments.runs.metrics import MetricsFile, MetricsRow
from experiments.runs.run import Run, read_run
from experiments.studies.planned import PlannedRun
from experiments.studies.registry import make_criterion
from experiments.studies.runs import StudyRuns
from experiments.studies.subjects.language_models import figures, written_words
from experiments.studies.subjects.language_models.figures import (
    BitsPerCharacter,
    LanguageModelTable,
)
from experiments.studies.subjects.language_models.texts import ngrams_of, text_of, text_task
from experiments.studies.subjects.language_models.written_words import (
    codec_of,
    shuffled_lines,
    words_in,
)

PAIR = "the cat sat on a mat\nthe dog sat on the cat\n"
LINES = "we are warm\n" + PAIR * 30 + "the dog ran on a new mat\n" * 4
LEVELS = {"characters": None, "words": 6, "hybrid": 6}
STEP_SECONDS = {"characters": 1e-6, "words": 4e-6, "hybrid": 2e-6}
# Nats of a symbol, by seed.
LOSSES = {"characters": [0.5, 0.51], "words": [0.9, 0.95], "hybrid": [0.7, 0.71]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> StudyRuns:
    folder = tmp_path_factory.mktemp("levels")
    (folder / "book.txt").write_text(LINES)
    return StudyRuns({level: made_run(folder, level) for level in LEVELS})


def made_run(folder: Path, level: str) -> Run:
    """A finished run, with the validation losses and the time of a step of its level."""
    keys = [
        "task.source=file", f"task.path={folder / 'book.txt'}", f"task.level={level}",
        "task.valid=0.2", "task.comparable=true", "graph.batch_size=1", "graph.num_steps=5",
    ]  # fmt: skip
    size = LEVELS[level]
    keys += [f"task.vocabulary_size={size}"] if size else []
    directory = RunDirectory(folder / level)
    directory.path.mkdir()
    config = load_config("text_python_docs", keys)
    directory.config.write_text(yaml.safe_dump(config.as_dict()))
    per_seed = {str(seed): loss for seed, loss in enumerate(LOSSES[level])}
    mean = sum(per_seed.values()) / len(per_seed)
    validation = {"best_loss": {"mean": mean}, "per_seed": per_seed}
    summary = {"status": "complete", "floors": {}, "validation": validation}
    seeds = dict.fromkeys(per_seed, "complete")
    directory.write_summary(summary | {"seconds": 6.0, "seeds": seeds})
    metrics = MetricsFile(directory.metrics)
    metrics.start()
    for seed in range(2):
        metrics.append(
            [
                MetricsRow(seed, 1, row, 100 * row, 100 * row * STEP_SECONDS[level], "train", 1.0)
                for row in (1, 2, 3)
            ]
        )
    return read_run(directory, level)


def decide(runs: StudyRuns, name: str, **arguments: Any) -> Any:
    criterion = make_criterion(name, arguments)
    criterion.check({label: PlannedRun(label, run.config) for label, run in runs.there.items()})
    return criterion.decide(runs)


def test_bits_are_those_of_characters(runs: StudyRuns) -> None:
    found = decide(runs, "lowers_bits_per_character", run="hybrid", against="characters")
    text = text_of(text_task(runs["characters"]), "valid")
    assert text_of(text_task(runs["hybrid"]), "valid") == text
    labels = len(codec_of(text_task(runs["hybrid"])).encode(text))
    expected = [
        (hybrid * labels / len(text) - own) / math.log(2)
        for hybrid, own in zip(LOSSES["hybrid"], LOSSES["characters"], strict=True)
    ]
    assert found.value == pytest.approx(np.mean(expected))
    assert found.verdict == "holds"
    other = decide(runs, "lowers_bits_per_character", run="characters", against="hybrid")
    assert other.verdict == "fails"


def test_words_with_unk_are_compared_with_no_other_level(runs: StudyRuns) -> None:
    with pytest.raises(ValueError, match=r"run words: \d+ of \d+ labels are <unk>, which spells"):
        decide(runs, "lowers_bits_per_character", run="words", against="characters")


def test_a_task_that_is_no_text_is_refused() -> None:
    planned = {"lag": PlannedRun("lag", load_config("lag_17", []))}
    with pytest.raises(ValueError, match="run lag: expected a text"):
        make_criterion("ngrams_hold_more", {"run": "lag", "against": "x", "order": 2, "times": 1}
                       ).check(planned)  # fmt: skip


def test_ngrams_are_those_of_the_same_symbols(runs: StudyRuns) -> None:
    """Unigrams by hand: continuation counts have no meaning at the highest order."""
    found = ngrams_of(runs["words"], 1)
    task = text_task(runs["words"])
    assert isinstance(task, Text)
    words = [task.vocabulary[i] for i in task.corpus.parts["train"]]
    held_out = [task.vocabulary[i] for i in task.corpus.parts["valid"][1:]]
    kinds = {word: words.count(word) for word in {*words}}
    once, twice = (sum(count == each for count in kinds.values()) for each in (1, 2))
    discount = once / (once + 2 * twice) if once else 0.5
    p = {
        word: (count - discount + discount * len(kinds) / len(task.vocabulary)) / len(words)
        for word, count in kinds.items()
    }
    characters = len(text_of(text_task(runs["characters"]), "valid"))
    assert found.bits == pytest.approx(-sum(math.log2(p[w]) for w in held_out) / characters)
    assert decide(runs, "beats_ngrams", run="words", order=1).verdict == "holds"
    assert decide(runs, "beats_ngrams", run="characters", order=6).verdict == "fails"


def test_vocabularies_words_and_memory(runs: StudyRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = len({*LINES})
    assert decide(runs, "small_vocabulary", run="characters", size=symbols).verdict == "holds"
    assert decide(runs, "small_vocabulary", run="characters", size=symbols - 1).verdict == "fails"
    words = decide(runs, "many_words", run="characters", times=0.1)
    task = text_task(runs["characters"])
    train, valid = (text_of(task, split).split() for split in ("train", "valid"))
    assert words.value == pytest.approx(len({*train}) / symbols)
    assert decide(runs, "many_words", run="characters", times=5).verdict == "fails"
    new = decide(runs, "new_words", run="characters", share=0.01)
    assert new.value == pytest.approx(np.mean([word not in {*train} for word in valid]))
    assert new.verdict == "holds"
    assert decide(runs, "new_words", run="characters", share=0.9).verdict == "fails"
    held = ngrams_of(runs["words"], 2).model.numbers
    monkeypatch.setattr(
        "experiments.studies.subjects.language_models.models.parameters", lambda _: held
    )
    arguments = {"run": "words", "order": 2, "against": "characters"}
    assert decide(runs, "ngrams_hold_more", **arguments, times=1).verdict == "holds"
    assert decide(runs, "ngrams_hold_more", **arguments, times=1.01).verdict == "fails"


def test_hybrid_spells_all_and_words_do_not(runs: StudyRuns) -> None:
    assert decide(runs, "spells_all", run="hybrid", against="characters").verdict == "holds"
    found = decide(runs, "spells_all", run="words", against="characters")
    assert found.verdict == "fails"
    assert "labels are <unk>" in found.note


def test_seconds_for_a_character(runs: StudyRuns) -> None:
    """Each seed takes the same, so that the ratio is exact."""
    spelled = {name: text_task(runs[name]).spelled("train") for name in ("characters", "words")}
    expected = 1e-6 / (4e-6 * spelled["words"].labels / spelled["words"].characters)  # type: ignore[union-attr]
    arguments = {"run": "characters", "against": "words", "at_least": 0.001}
    found = decide(runs, "time_per_character", **arguments, at_most=expected * 1.01)
    assert found.value == pytest.approx(expected)
    assert found.verdict == "holds"
    assert "seconds for a character" in found.note
    fails = decide(runs, "time_per_character", **arguments, at_most=expected * 0.99)
    assert fails.verdict == "fails"
    step = decide(runs, "time_ratio", **arguments, at_most=0.3)
    assert step.value == pytest.approx(0.25)


class Parrot:
    """In the place of a trained model: says a text in a circle, and likes one order of words."""

    def __init__(self, codec: Any, text: str) -> None:
        self.ids, self.size = codec.encode(text), len(codec.vocabulary)
        self.codec = codec

    def first_state(self) -> int:
        return 0

    def read(self, _ids: Any, place: int) -> tuple[Any, int]:
        logits = np.full(self.size, -1e9)
        logits[self.ids[place % len(self.ids)]] = 0
        return logits, place + 1

    def losses(self, sequence: OneSequence) -> Any:
        """Nothing for a line that begins with "the", much for others."""
        starts_well = self.codec.decode(sequence.labels).startswith("the")
        return np.full(len(sequence.labels), 0.0 if starts_well else 1.0)


def parrots(monkeypatch: pytest.MonkeyPatch, said: Mapping[str, Sequence[str]]) -> None:
    """Let the seeds of each run say these texts."""

    def models(run: Run) -> Iterator[tuple[int, Any]]:
        codec = text_task(run).codec
        for seed, text in enumerate(said[run.label]):
            yield seed, written_words.__dict__["TextModel"](codec, Parrot(codec, text), None)

    from experiments.training.text_model import TextModel

    monkeypatch.setitem(written_words.__dict__, "TextModel", TextModel)
    monkeypatch.setattr(written_words, "models_of", models)


# Of 4 words, 2 and 3 exist; a letter alone is no word.
SAID = {
    "characters": ["the cot dat a mat\n" * 2, "the cat dat a mat\n" * 2],
    "hybrid": ["the cat sat on\n", "The cat sat on\n".lower()],
    "words": ["the cat <unk> on\n"] * 2,
}


def test_words_that_exist(runs: StudyRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    parrots(monkeypatch, SAID)
    found = written_words.existing_words(runs["characters"], 180)
    assert found == {0: pytest.approx(2 / 4, abs=0.03), 1: pytest.approx(3 / 4, abs=0.03)}
    assert written_words.existing_words(runs["words"], 100) == {0: 1, 1: 1}
    written = {"run": "characters", "characters": 180}
    assert decide(runs, "writes_nonwords", **written, share=0.95).verdict == "undecided"
    monkeypatch.setitem(SAID, "characters", ["the cot dat a mat\n"] * 2)
    assert decide(runs, "writes_nonwords", **written, share=0.9).verdict == "holds"
    assert decide(runs, "writes_nonwords", **written, share=0.2).verdict == "fails"
    more = {"run": "hybrid", "against": "characters", "characters": 180}
    assert decide(runs, "writes_more_words", **more).verdict == "holds"
    less = more | {"run": "characters", "against": "hybrid"}
    assert decide(runs, "writes_more_words", **less).verdict == "fails"


def test_real_lines_are_preferred(runs: StudyRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    parrots(monkeypatch, SAID)
    text = text_of(text_task(runs["hybrid"]), "valid")
    pairs = shuffled_lines(text, 10, 0)
    share = np.mean([not other.startswith("the") for _, other in pairs])
    assert 0.3 < share < 1
    arguments = {"run": "hybrid", "lines": 10}
    found = decide(runs, "prefers_real_lines", **arguments, share=float(share) - 0.01)
    assert found.value == pytest.approx(share)
    assert found.verdict == "holds"
    found = decide(runs, "prefers_real_lines", **arguments, share=float(share) + 0.01)
    assert found.verdict == "fails"


def test_words_are_runs_of_letters() -> None:
    assert words_in('Print("a <unk> it\'s x_y", 2nd)') == ["print", "it", "nd"]


def test_lines_are_shuffled_and_none_is_as_it_was() -> None:
    pairs = shuffled_lines("a b c d\nshort line\nx x x x\ne f g h i\nj k l m\n", 2, 0)
    assert [real for real, _ in pairs] == ["a b c d\n", "e f g h i\n"]
    for real, other in pairs:
        assert real != other
        assert sorted(real.split()) == sorted(other.split())


def test_the_seconds_of_a_row_are_those_of_its_rows_where_the_summary_has_none(
    runs: StudyRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    parrots(monkeypatch, SAID)
    monkeypatch.setattr(figures, "parameters", lambda _: 1234)
    run = runs["characters"]
    kept = {key: run.summary[key] for key in ("status", "validation")}
    row = figures._row_of_run("a", replace(run, summary=kept), 100)
    whole = figures._row_of_run("a", run, 100)
    assert (row[-3], whole[-3]) == ("0.0", "3.0")  # 300 symbols at 1 µs; half of 6 s
    assert row[:-3] == whole[:-3]


def test_figures_show_runs_and_ngrams(runs: StudyRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    parrots(monkeypatch, SAID)
    monkeypatch.setattr(figures, "parameters", lambda _: 1234)
    labels, ngrams = {level: level for level in LEVELS}, {"words": 2}
    bits = BitsPerCharacter.model_validate({"labels": labels, "ngrams": ngrams})
    axes = bits.draw("t", runs).axes[0]
    assert [text.get_text() for text in axes.texts] == ["2-grams", "↑", "↑"]
    table = LanguageModelTable.model_validate(
        {"labels": labels, "ngrams": ngrams, "characters": 150}
    )
    (drawn,) = table.draw("t", runs).axes[0].tables
    cells = {place: cell.get_text().get_text() for place, cell in drawn.get_celld().items()}
    rows = [[cells[row, column] for column in range(8)] for row in range(5)]
    assert rows[1][0] == "characters"
    expected = np.mean(LOSSES["characters"]) / math.log(2)
    assert rows[1][1:7] == [f"{expected:.3f}", str(len({*LINES})), "1,234", "0.00", "3.0", "0.0 %"]
    assert rows[2][1].startswith("≥ ")
    assert rows[2][-1] == "100.0 %"
    assert rows[4][0] == "2-grams of words"
    assert rows[4][-1] == "100.0 %"  # of words
