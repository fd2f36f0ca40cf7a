"""docs/python.md: the examples print what the page shows.

`python -m tests.test_python_docs` writes what they print now into the page.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "python.md"
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```\n\n```text\n(?P<output>.*?)```\n", re.DOTALL)
PROGRESS = re.compile(r"^(stage: .*|.*: \d+/\d+ updates, loss .*)\n", re.MULTILINE)
SECONDS = re.compile(r"\d+\.\d+ s\b")
ENDED_SEEDS = re.compile(r"(?:^seed \d+: .*\n)+", re.MULTILINE)


class Example(NamedTuple):
    """A block of code and the output below it."""

    code: str
    output: str


def examples() -> list[Example]:
    return [Example(**match.groupdict()) for match in EXAMPLE.finditer(PAGE.read_text("utf-8"))]


def printed(folder: Path) -> list[str]:
    """The output of each example; they share their names, as in one session."""
    names: dict[str, Any] = {}
    outputs = []
    with contextlib.chdir(folder):
        for number, example in enumerate(examples()):
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(example.code, f"{PAGE.name}, example {number}", "exec"), names)
            outputs.append(output.getvalue())
    return outputs


def shown(output: str) -> str:
    """The output as the page shows it: no progress, no spaces at the end of a line."""
    return re.sub(r" +$", "", PROGRESS.sub("", output), flags=re.MULTILINE)


def comparable(output: str) -> str:
    """The output without what differs between equal runs.

    Seeds that train side by side end in any order, and their seconds depend on the machine.
    """
    in_order = ENDED_SEEDS.sub(
        lambda lines: "".join(sorted(lines[0].splitlines(keepends=True))), shown(output)
    )
    return SECONDS.sub("SECONDS s", in_order)


def test_every_block_of_python_is_an_example() -> None:
    assert PAGE.read_text("utf-8").count("```python\n") == len(examples()) > 5


def test_the_examples_print_what_the_page_shows(tmp_path: Path) -> None:
    expected = [comparable(example.output) for example in examples()]
    assert [comparable(output) for output in printed(tmp_path)] == expected


def write_outputs() -> None:
    with tempfile.TemporaryDirectory() as folder:
        outputs = iter(printed(Path(folder)))

    def with_output(match: re.Match[str]) -> str:
        return f"```python\n{match['code']}```\n\n```text\n{shown(next(outputs))}```\n"

    PAGE.write_text(EXAMPLE.sub(with_output, PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write_outputs()
