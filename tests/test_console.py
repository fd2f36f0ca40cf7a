"""experiments/console.py: tables at any width, without loss, and text that stays text."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from experiments.console import plain, print_line, print_table, print_written

Capture = pytest.CaptureFixture[str]

NUMBERS = ["num_steps", "seeds", "final loss (95 %)", "seconds"]
NUMERIC_ROWS = [["5", "10", "0.4100 ± 0.0127", "12.3"], ["10", "9 of 10", "0.5000", "120.0"]]
CLAIMS = ["verdict", "claim", "expected", "low to high"]
CLAIM_ROWS = [
    ["holds", "williams_peng_40_converges", "below 0.61", "0.5134 to 0.5312"],
    ["not_run", "a_claim_of_a_rather_long_name", "fewer time steps than true_bptt needs", ""],
]
LONG = "execution.xla=off,graph.batch_size=20,logging.checkpoint_seconds=0,training.epochs=40"


def printed(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, capsys: Capture
) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        print_table(columns, rows)
    return capsys.readouterr().out.splitlines()


def test_numbers_stand_below_each_other(capsys: Capture) -> None:
    assert printed(NUMBERS, NUMERIC_ROWS, 80, capsys) == [
        "num_steps    seeds  final loss (95 %)  seconds",
        "---------  -------  -----------------  -------",
        "        5       10    0.4100 ± 0.0127     12.3",
        "       10  9 of 10             0.5000    120.0",
    ]


def test_text_folds_between_words(capsys: Capture) -> None:
    rows = [["r2rt_n5", "the first row of the test"], ["n10", "another"]]
    assert printed(["name", "description"], rows, 24, capsys) == [
        "name     description",
        "-------  ---------------",
        "r2rt_n5  the first row",
        "         of the test",
        "n10      another",
    ]


def test_what_does_not_fit_becomes_blocks_with_aligned_numbers(capsys: Capture) -> None:
    assert printed(NUMBERS, NUMERIC_ROWS, 40, capsys) == [
        "num_steps: 5   seeds: 10",
        "  final loss (95 %): 0.4100 ± 0.0127",
        "  seconds: 12.3",
        "num_steps: 10  seeds: 9 of 10",
        "  final loss (95 %): 0.5000",
        "  seconds: 120.0",
    ]


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 100, 140])
@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (NUMBERS, NUMERIC_ROWS),
        (CLAIMS, CLAIM_ROWS),
        (["point", "loss"], [[LONG, "0.5124"], ["ベンチ 日本語 の 列", "1e-05"]]),
    ],
)
def test_nothing_is_lost_and_no_number_is_cut(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, capsys: Capture
) -> None:
    lines = printed(columns, rows, width, capsys)
    text = "\n".join(lines)
    for word in " ".join(cell for row in rows for cell in row).split():
        assert word in text
    for number in ("0.4100 ± 0.0127", "0.5134 to 0.5312", "9 of 10"):
        is_there = any(number in row for row in rows)
        assert not is_there or width < len(number) + 4 or any(number in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize(("columns", "rows"), [(NUMBERS, NUMERIC_ROWS), (CLAIMS, CLAIM_ROWS)])
def test_no_line_is_longer_than_the_terminal(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, capsys: Capture
) -> None:
    assert max(map(len, printed(columns, rows, width, capsys))) <= width


def test_a_name_longer_than_the_terminal_stays_whole(capsys: Capture) -> None:
    assert printed(["point", "status"], [[LONG, "complete"]], 60, capsys) == [
        "point:", f"    {LONG}", "  status: complete",
    ]  # fmt: skip


def test_without_rows_there_is_the_header(capsys: Capture) -> None:
    assert printed(["a", "b"], [], 80, capsys) == ["a  b", "-  -"]


def test_without_a_terminal_the_width_is_80(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.__stdout__", None)
    print_table(["a", "b"], [["x" * 70, "word " * 20]])
    lines = capsys.readouterr().out.splitlines()
    assert 70 < max(map(len, lines)) <= 80


def test_markup_and_control_characters_are_shown(capsys: Capture) -> None:
    row = ["[bold]x[/bold]", "a\x1b[31mred\nb", ":smile:"]
    lines = printed(["one", "two", "three"], [row], 80, capsys)
    assert lines[-1] == r"[bold]x[/bold]  a\x1b[31mred b  :smile:"
    assert plain("\udcff\x07é") == r"\udcff\x07é"


@pytest.mark.parametrize("is_terminal", [False, True])
def test_what_a_model_writes_is_exact_in_a_pipe_and_safe_on_a_terminal(
    is_terminal: bool, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vocabulary may come from a stranger."""
    monkeypatch.setattr("experiments.console.is_terminal", lambda: is_terminal)
    text = "a\tb\u00a0李\n\x1b]0;owned\x07\x9b31m\r"
    print_written(text)
    safe = "a\tb\u00a0李\n\\x1b]0;owned\\x07\\x9b31m\\r"
    assert capsys.readouterr().out == (safe if is_terminal else text) + "\n"


PATH = f"runs/an_experiment_of_mine/{LONG},training.seeds=10,optimizer.learning_rate=0.003"


class TestOnATerminal:
    """80 columns wide. Nothing is longer than a line of it, and paths keep their end."""

    @pytest.fixture(autouse=True)
    @staticmethod
    def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr("experiments.console.is_terminal", lambda: True)

    def lines(self, capsys: Capture) -> list[str]:
        found = capsys.readouterr().out.splitlines()
        assert max(map(len, found)) <= 80
        return found

    def test_a_path_is_shortened_in_the_middle(self, capsys: Capture) -> None:
        columns = ("run", "status", "loss", "seconds", "size")
        other = PATH.replace("0.003", "0.001")
        rows = [[PATH, "complete", "0.4500", "12.3", "1.5 MB"],
                [other, "interrupted", "0.5", "1.0", "15 kB"]]  # fmt: skip
        print_table(columns, rows)
        header, _, first, second = self.lines(capsys)
        assert header.split() == [*columns]
        assert first.startswith("runs/an_e")
        assert "..." in first
        assert "learning_rate=0.003  complete" in first
        assert "learning_rate=0.001" in second

    def test_a_path_that_fits_is_whole(self, capsys: Capture) -> None:
        print_table(("run", "status"), [["runs/lag_17/default", "complete"]])
        assert self.lines(capsys)[2] == "runs/lag_17/default  complete"

    def test_a_line_of_text_becomes_several(self, capsys: Capture) -> None:
        print_line(f"seed 0: {'accuracy 0.5, ' * 12}{PATH}")
        assert "".join(line.strip() for line in self.lines(capsys)).endswith(PATH[-60:])

    def test_a_block_with_a_long_value_is_cut_into_lines_and_loses_nothing(
        self, capsys: Capture
    ) -> None:
        print_table(("config", "first", "second"), [["task.path", "x" * 200, "y" * 200]])
        found = "".join(self.lines(capsys))
        assert (found.count("x"), found.count("y")) == (200, 200)

    def test_paths_that_differ_in_the_middle_are_whole(self, capsys: Capture) -> None:
        columns = ("run", "status", "loss", "seconds", "size")
        other = PATH.replace("batch_size=20", "batch_size=40")
        cells = ["complete", "0.4500", "12.3", "1.5 MB"]
        print_table(columns, [[PATH, *cells], [other, *cells]])
        lines = self.lines(capsys)
        assert any(line.endswith("graph.batch_size=20,") for line in lines)
        assert any(line.endswith("graph.batch_size=40,") for line in lines)


def test_in_a_pipe_paths_and_lines_are_whole(capsys: Capture) -> None:
    print_line(f"seed 0: {PATH}")
    print_table(("run", "status"), [[PATH, "complete"]])
    assert capsys.readouterr().out.count(PATH) == 2
