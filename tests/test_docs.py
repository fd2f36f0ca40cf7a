"""docs/systems.md: every feature with its key, its experiment and its test.

docs/questions.md: each topic that a reader asks about has an answer.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from experiments.arguments import COMMANDS, make_parser
from experiments.config.catalog import names
from experiments.config.compose import load_config
from experiments.config.own_cells import register_cells
from experiments.studies.grid import GridSpec, RunSpec
from experiments.studies.spec import ClaimSpec, FigureSpec, StudyConfig
from tests.conftest import ROOT

SYSTEMS = (ROOT / "docs" / "systems.md").read_text("utf-8")
QUESTIONS = (ROOT / "docs" / "questions.md").read_text("utf-8")
# Numbered headings and bold questions, each with the text up to the next one.
ANSWERS = re.findall(
    r"^(?:### \d+\. (.+)|\*\*(.+?)\*\*)((?:.|\n)*?)(?=\n#|\n\*\*|\Z)", QUESTIONS, re.M
)
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", SYSTEMS)))
SECTIONS = "graph|model|optimizer|task|training|truncation|logging|execution"
KEYS = sorted(
    {found[0] for span in SPANS if (found := re.match(rf"(?:{SECTIONS})\.[a-z_]+", span))}
)
# The keys of a task are there under that task alone.
OF_A_TASK = {
    "task.comparable": "text_python_docs",
    "task.level": "text_python_docs",
    "task.layout": "digits_small",
    "task.marker": "copy_memory",
} | dict.fromkeys(
    ("task.length", "task.pad", "task.source", "task.truncate", "task.vocabulary_size"), "imdb"
)
COMMAND_LINES = [
    span.removeprefix("run.py ")
    for span in SPANS
    if span.removeprefix("run.py ").split()[0] in COMMANDS and " " in span.removeprefix("run.py ")
]
# An experiment of the catalog with keys that show the feature.
WITH_KEYS = [span for span in SPANS if span.split()[0] in names("experiment") and " " in span]


def rows() -> Iterator[dict[str, str]]:
    """The rows of all tables, by the heads of their columns."""
    head: list[str] = []
    for line in SYSTEMS.splitlines():
        cells = [cell.strip() for cell in line[1:-1].split("|")]
        if not line.startswith("|"):
            head = []
        elif not head:
            head = cells
        elif not set(line) <= set("|-"):
            yield dict(zip(head, cells, strict=True))


@pytest.mark.parametrize("kind", ["experiment", "study", "sweep"])
def test_everything_shipped_is_named_as_code(kind: str) -> None:
    """In backticks, alone or in a command: a word of the text may mean something else."""
    shown = {word for span in SPANS for word in span.split()}
    missing = [name for name in names(kind) if not any(fnmatchcase(name, one) for one in shown)]
    assert missing == []


def test_every_row_has_a_test_that_is_there() -> None:
    there = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    with_tests = [row for row in rows() if "test" in row]
    assert len(with_tests) > 90
    for row in with_tests:
        named = re.split(r",\s*", row["test"])
        assert set(named) <= there, row


@pytest.mark.parametrize("key", KEYS)
def test_every_key_named_is_there(key: str) -> None:
    config = load_config(OF_A_TASK.get(key, "r2rt_n5"))
    section, name = key.split(".")
    assert name in getattr(config, section).model_dump()


def test_every_key_of_a_study_is_explained() -> None:
    section = SYSTEMS.partition("## A study of your own")[2].partition("\n## ")[0]
    for model in (StudyConfig, RunSpec, GridSpec, FigureSpec, ClaimSpec):
        assert {key for key in model.model_fields if f"`{key}`" not in section} == set()


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_named_is_one(line: str) -> None:
    options = make_parser().parse_args(
        shlex.split(line.replace("--batch-size N", "--batch-size 1"))
    )
    for kind in ("experiment", "study", "sweep"):
        named = getattr(options, kind, None)
        assert named is None or named.isupper() or named in names(kind)


@pytest.mark.usefixtures("known_cells")
@pytest.mark.parametrize("line", WITH_KEYS)
def test_every_experiment_takes_the_keys_beside_it(line: str) -> None:
    name, *words = line.split()
    if "--cells" in words:
        place = words.index("--cells")
        register_cells(ROOT / words[place + 1])
        del words[place : place + 2]
    load_config(name, words)


@pytest.mark.parametrize(
    "topic",
    [
        "k1 and k2",
        "num_units",
        "Units, cells, layers, time steps",
        "capacity of a model",
        "[cell] * num_layers",
        "`tf.sign`",
        "`tf.nn.bias_add`",
        "`sequence_loss`",
        "shuffle and drop_remainder",
        "initial_state or sequence_length",
        "sigmoid and two classes",
        "`GradientTape`",
        "clips gradients",
        "Batch normalization",
        "RNNCell",
        "number of learned parameters",
        "dropout",
        "120 tokens",
        "differ in length",
        "translation",
        "characters, subwords and words",
    ],
)
def test_every_topic_has_an_answer(topic: str) -> None:
    """Under a heading, or a bold question, that names the topic."""
    answers = [text for numbered, bold, text in ANSWERS if topic in (numbered or bold)]
    assert answers
    assert all(len(text.split("```")[0].split()) > 15 for text in answers)
