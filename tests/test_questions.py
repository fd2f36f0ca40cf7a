"""docs/questions.md: the commands are valid, and the cheap ones print what it shows."""

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
EXPENSIVE = ("advise", "gradients")


class Shown(NamedTuple):
    """A command of the page, and the lines that it shows."""

    arguments: list[str]
    lines: list[str]

    @property
    def name(self) -> str:
        return self.arguments[0]


def commands() -> list[Shown]:
    found = []
    for block in re.findall(r"```\n\$ python run\.py (.*?)\n```", QUESTIONS, re.S):
        command, *lines = block.split("\n")
        found.append(Shown(shlex.split(command), [line for line in lines if line != "…"]))
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


def test_questions_are_numbered() -> None:
    numbers = [int(number) for number in re.findall(r"^### (\d+)\. ", QUESTIONS, re.M)]
    assert numbers == list(range(1, 26))
