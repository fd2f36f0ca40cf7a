"""experiments/comparison/folder.py: where a report goes, and what it replaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.comparison.compare import CompareOptions, compare
from experiments.comparison.folder import sweep_folder
from experiments.runs.found import find_runs
from tests.comparison.by_hand import NARROW, WIDE, add


class TestFolders:
    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        add(Path("runs one"), "wide", (0.40, 0.42), WIDE)
        add(Path("two/runs one"), "narrow", (0.50, 0.52), NARROW)

    def test_a_default_folder_has_the_name_of_the_runs(self) -> None:
        compare([Path("runs one"), Path("two")], CompareOptions())
        assert Path("reports/compare-runs-one+two/report.html").exists()

    def test_another_comparison_of_that_name_has_a_folder_of_its_own(self) -> None:
        compare([Path("runs one")], CompareOptions())
        compare([Path("runs one")], CompareOptions())
        compare([Path("two/runs one")], CompareOptions())
        assert {path.name for path in Path("reports").iterdir()} == {
            "compare-runs-one", "compare-runs-one-2",
        }  # fmt: skip

    def test_a_given_folder_is_replaced_with_a_word_and_no_old_picture(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        compare([Path("runs one")], CompareOptions(Path("out"), target="0.58"))
        assert Path("out/target.png").exists()
        assert "replaces" not in capsys.readouterr().out
        compare([Path("two")], CompareOptions(Path("out")))
        assert "This replaces a comparison of other runs in out." in capsys.readouterr().out
        assert not Path("out/target.png").exists()

    def test_the_report_of_another_command_is_replaced_with_a_word(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("out").mkdir()
        Path("out/report.html").write_text("of a study")
        compare([Path("two")], CompareOptions(Path("out")))
        assert "this replaces report.html in out\n" in capsys.readouterr().err

    def test_a_table_for_another_program_says_what_it_replaces(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for path in ("runs one", "two"):
            compare([Path(path)], CompareOptions(Path("out"), format="md"))
        said = capsys.readouterr()
        assert said.err.endswith("this replaces a comparison of other runs in out\n")
        assert "replaces" not in said.out

    def test_sweeps_of_other_points_have_folders_of_their_own(self) -> None:
        one, others = (
            [run.directory.path for run in find_runs([Path(path)])] for path in ("runs one", "two")
        )
        assert sweep_folder("s", one) == Path("reports/sweep-s")
        compare(one, CompareOptions(sweep_folder("s", one)))
        assert sweep_folder("s", others) == Path("reports/sweep-s-2")
        assert sweep_folder("s", [*one, *others]) == Path("reports/sweep-s")  # it has grown
