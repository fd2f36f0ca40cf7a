"""docs/questions.md: the commands are valid, and print what it shows.

What the expensive ones measure differs from machine to machine: their numbers may be others.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

import run
from experiments.arguments import make_parser
from experiments.config.compose import load_config
from experiments.description import describe
from experiments.description.work import Pace
from tests.conftest import ROOT

QUESTIONS = (ROOT / "docs" / "questions.md").read_text("utf-8")
CHEAP = ("describe", "credit", "config")
EXPENSIVE = ("advise", "gradients", "train")
NUMBER = re.compile(r"[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?")


class Shown(NamedTuple):
    """A command of the page, and the lines that it shows."""

    arguments: list[str]
    lines: list[str]
    parts: list[str]  # the lines between …, joined

    @property
    def name(self) -> str:
        return self.arguments[0]


def commands() -> list[Shown]:
    found = []
    for block in re.findall(r"```\n\$ python run\.py (.*?)\n```", QUESTIONS, re.S):
        command, *lines = block.split("\n")
        parts = [part.strip() for part in "\n".join(lines).split("…")]
        shown = [line for line in lines if line != "…"]
        found.append(Shown(shlex.split(command), shown, [part for part in parts if part]))
    return found


@pytest.mark.parametrize("shown", commands(), ids=lambda shown: " ".join(shown.arguments))
def test_every_command_is_valid(shown: Shown) -> None:
    options = make_parser().parse_args(shown.arguments)
    load_config(options.experiment, options.overrides)
    assert shown.name in (*CHEAP, *EXPENSIVE)


def test_cheap_commands_print_what_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)  # credit writes to reports/
    monkeypatch.setattr(describe, "measure_pace", lambda *_: Pace(0.1, 1e-4, 1.0))
    by_command = {" ".join(shown.arguments): shown for shown in commands()}  # some stand twice
    printed: dict[str, list[str]] = {}
    for text, shown in by_command.items():
        if shown.name in CHEAP:
            run.main(shown.arguments)
            captured = capsys.readouterr()
            printed[text] = (captured.out + captured.err).split("\n")
    for shown in commands():
        if shown.name in CHEAP:
            lines = iter(printed[" ".join(shown.arguments)])
            missing = [line for line in shown.lines if line not in lines]  # in this order
            assert not missing, f"{' '.join(shown.arguments)} does not print {missing[0]}"


def without_numbers(text: str) -> str:
    """The text on one line, each number as #."""
    return NUMBER.sub("#", " ".join(text.split()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown",
    [shown for shown in commands() if shown.name in EXPENSIVE and shown.lines],
    ids=lambda shown: " ".join(shown.arguments),
)
def test_expensive_commands_print_what_is_shown_but_for_numbers(
    shown: Shown,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run.main(shown.arguments) == 0
    printed = without_numbers(capsys.readouterr().out)
    for part in shown.parts:
        assert without_numbers(part) in printed


def test_the_numbers_of_a_text_are_left_out() -> None:
    assert without_numbers("0.33 µs,\n  at  most 8.2%; -1e-3 of 3,789") == (
        "# µs, at most #%; # of #"
    )


def test_questions_are_numbered() -> None:
    numbers = [int(number) for number in re.findall(r"^### (\d+)\. ", QUESTIONS, re.M)]
    assert numbers == list(range(1, 26))
