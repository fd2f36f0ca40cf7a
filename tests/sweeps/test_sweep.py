"""run.py sweep: points, one real sweep, and the same command again."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import run
from experiments.config.catalog import names
from experiments.config.compose import load_config
from experiments.errors import UsageError
from experiments.runs.directory import RunDirectory
from experiments.sweeps.points import Point, Result
from experiments.sweeps.sweep import load_points
from experiments.training import runner
from tests.conftest import SMALL, metrics_of, run_command, summary_of

Capture = pytest.CaptureFixture[str]
SEEDS = ("training.first_seed=0", "training.first_seed=1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(*arguments: str) -> int:
    """The exit code of the command, in this process."""
    try:
        return run.main(["sweep", *arguments])
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.usefixtures("folder")
class TestPoints:
    @pytest.mark.parametrize("name", names("sweep"))
    def test_every_shipped_sweep_has_valid_points(self, name: str) -> None:
        points = load_points(name, [])
        assert len({point.directory for point in points}) == len(points) > 1

    def test_an_experiment_makes_a_sweep_of_its_overrides(self) -> None:
        points = load_points("r2rt_n5", ["graph.num_steps=1,5", "training.seeds=2"])
        assert [str(point.directory) for point in points] == [
            "runs/r2rt_n5/graph.num_steps=1,training.seeds=2",
            "runs/r2rt_n5/graph.num_steps=5,training.seeds=2",
        ]
        assert points[0].config == load_config("r2rt_n5", points[0].overrides)

    def test_a_file_of_ones_own_is_a_sweep_or_an_experiment(self, folder: Path) -> None:
        (folder / "mine.yaml").write_text("graph: {num_steps: 4}\n")
        (folder / "grid.yaml").write_text(
            "description: mine\nexperiment: mine.yaml\ngrid: {model.state_size: 'range(2,4)'}\n"
        )
        for name, overrides in (("grid.yaml", []), ("mine.yaml", ["model.state_size=2,3"])):
            points = load_points(name, overrides)
            assert [point.config.model.state_size for point in points] == [2, 3]
            assert {point.config.graph.num_steps for point in points} == {4}

    def test_the_experiment_of_a_file_is_a_file_beside_it(self, folder: Path) -> None:
        (folder / "grids").mkdir()
        (folder / "grids/mine.yaml").write_text("graph: {num_steps: 4}\n")
        (folder / "grids/grid.yaml").write_text(
            "description: mine\nexperiment: mine.yaml\ngrid: {model.state_size: [2, 3]}\n"
        )
        points = load_points("grids/grid.yaml", [])
        assert [point.config.graph.num_steps for point in points] == [4, 4]

    def test_a_tilde_is_the_home_folder(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(folder))
        (folder / "grids").mkdir()
        (folder / "grids/mine.yaml").write_text("graph: {num_steps: 4}\n")
        (folder / "grids/grid.yaml").write_text(
            "description: mine\nexperiment: mine.yaml\ngrid: {model.state_size: [2, 3]}\n"
        )
        for name in ("~/grids/grid.yaml", "~/grids/mine.yaml"):
            assert load_points(name, [])[0].config.graph.num_steps == 4

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("r2rt_widht",), "neither a sweep nor an experiment; did you mean 'r2rt_width'?"),
            (("none.yaml",), "error: sweep file none.yaml: no such file"),
            (("./",), "error: sweep file ./: expected a file, found a folder"),
            (("r2rt_width", "graph.num_stpes=1,2"), "did you mean 'graph.num_steps'?"),
            (("r2rt_n5", "graph.num_steps=5,0"), "graph.num_steps: expected"),
            (("r2rt_n5", "graph.num_steps=5,5001"), "graph.batch_size = 5000; got 5001"),
            (("r2rt_n5", "graph.num_steps=interval(1,2)"), "values that can be listed"),
            (("r2rt_n5", "--cluster", "nowhere"), "--cluster nowhere: expected local, slurm"),
            (
                ("r2rt_n5", "--cluster", "tcp://127.0.0.1:1", "--workers", "2"),
                "--workers 2: not possible with tcp:",
            ),
            (("r2rt_n5", "--cluster", "slurm"), "expected --workers N, the number of jobs"),
        ],
    )
    def test_what_is_wrong_is_one_line_before_anything_starts(
        self, arguments: Sequence[str], reason: str, folder: Path, capsys: Capture
    ) -> None:
        assert sweep(*arguments) == 2
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines())) == ("", 1)
        assert reason in err
        assert list(folder.iterdir()) == []

    def test_dictionaries_name_their_folders_by_their_keys(self) -> None:
        points = load_points("lag_17", ["truncation={kind:full},{kind:tf_style,depth:18}"])
        assert [point.directory.name for point in points] == [
            "truncation.kind=full", "truncation.depth=18,truncation.kind=tf_style",
        ]  # fmt: skip
        assert [point.config.truncation.depth for point in points] == [None, 18]

    def test_a_value_has_one_directory_from_the_command_line_and_from_yaml(
        self, folder: Path
    ) -> None:
        (folder / "grid.yaml").write_text(
            "description: mine\nexperiment: lag_17\n"
            "grid: {optimizer.learning_rate: [1e-3, 0.01], training.seeds: 2}\n"
        )
        texts = ["optimizer.learning_rate=1e-3,0.001,1e-2", "training.seeds=2"]
        of_yaml, of_texts = load_points("grid.yaml", []), load_points("lag_17", texts)
        paths = [point.directory for point in of_texts]
        assert paths == [point.directory for point in of_yaml]
        assert [path.name.split(",")[0] for path in paths] == [
            "optimizer.learning_rate=0.001", "optimizer.learning_rate=0.01",
        ]  # fmt: skip
        given = ["optimizer.learning_rate=1.0e-3", "training.seeds=2"]
        assert runner.default_directory(of_texts[0].config, given) == paths[0]

    @pytest.mark.parametrize(
        ("grid", "options", "reason"),
        [
            ("model.state_size=range(1,1002)", (), "start 1,001 points? There is no terminal"),
            ("model.state_size=range(0,1000000000)", (), "start 1,000,000,000 points?"),
            ("model.state_size=range(0,1000000000)", ("--yes",), "expected at most 1,000,000"),
            ("model.state_size=range(0,1000000000)", ("--dry-run",), "expected at most 1,000,000"),
            ("model.state_size=4", ("--json",), "--json works with --dry-run only"),
        ],
    )
    def test_many_points_need_a_yes(
        self, grid: str, options: Sequence[str], reason: str, folder: Path, capsys: Capture
    ) -> None:
        assert sweep("lag_17", grid, *options) == 2
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines())) == ("", 1)
        assert reason in err
        assert list(folder.iterdir()) == []

    def test_a_thousand_start_without_a_question_and_more_after_a_no_do_not(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        started: list[int] = []

        def train_nothing(points: Sequence[Point], *_: object) -> list[Result]:
            started.append(len(points))
            return []

        monkeypatch.setattr("experiments.sweeps.sweep.train_missing", train_nothing)
        assert sweep("r2rt_n5", "training.first_seed=range(0,1000)") == 0
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
        assert sweep("r2rt_n5", "training.first_seed=range(0,1001)") == 0
        assert started == [1000]
        assert "nothing was started" in capsys.readouterr().out
        assert sweep("r2rt_n5", "training.first_seed=range(0,1001)", "--yes") == 0
        assert started == [1000, 1001]

    def test_a_dry_run_may_be_json(self, capsys: Capture) -> None:
        assert sweep("lag_17", "graph.num_steps=18,36", "--dry-run", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["to_train"] == 2
        assert found["seconds"] is None
        assert found["points"][1]["run"] == "runs/lag_17/graph.num_steps=36"
        assert found["points"][1]["status"] == "missing"

    @pytest.mark.parametrize(
        "content",
        [
            "grid: {}\n",
            "description: x\nexperiment: r2rt_n5\ngrid: {}\n",
            "grid: {a: 1}\nkey: 2\n",
            "experiment: r2rt_n5\ngird: {a: 1}\n",
        ],
    )
    def test_a_file_that_is_no_sweep_is_named(self, folder: Path, content: str) -> None:
        (folder / "mine.yaml").write_text(content)
        with pytest.raises(UsageError, match=r"^sweep mine\.yaml: "):
            load_points("mine.yaml", [])

    @pytest.mark.parametrize(
        ("grid", "message"),
        [
            ("graph.num_stpes: [1, 2]", "experiment r2rt_n5: graph.num_stpes: unknown key"),
            ("graph.num_steps:", "experiment r2rt_n5: graph.num_steps: expected a whole number"),
            ("graph.num_steps: 'range(3'", "override 'graph.num_steps=range(3': value not"),
            (
                "graph.num_steps: []",
                "grid: graph.num_steps: expected a value or a list of values; got []",
            ),
        ],
    )
    def test_a_mistake_in_a_grid_names_its_file(
        self, grid: str, message: str, folder: Path, capsys: Capture
    ) -> None:
        text = f"description: d\nexperiment: r2rt_n5\ngrid: {{{grid}}}\n"
        (folder / "grid.yaml").write_text(text)
        assert sweep("grid.yaml") == 2
        assert capsys.readouterr().err.startswith(f"error: sweep grid.yaml: {message}")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder after a sweep of two seeds on one worker, the first trained before; its output."""
    folder = tmp_path_factory.mktemp("swept")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        overrides = [*SMALL, SEEDS[0]]
        config = load_config("r2rt_n5", overrides)
        runner.train(config, runner.default_directory(config, overrides))
    grid = ("training.first_seed=range(0,3)", "--workers", "1")
    done = run_command(("sweep", "r2rt_n5", *SMALL, *grid), folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder, done.stdout


def directories(folder: Path) -> list[Path]:
    return sorted((folder / "runs" / "r2rt_n5").iterdir())


class TestSweep:
    def test_what_was_there_is_not_trained_again(self, swept: tuple[Path, str]) -> None:
        assert "3 points, 1 already done" in swept[1]
        assert "first_seed=0: " not in swept[1]

    def test_the_table_has_every_point_with_status_loss_and_seconds(
        self, swept: tuple[Path, str]
    ) -> None:
        row = r"^(\S+) +(complete) +(\d\.\d{4}) +(\d+\.\d)$"  # named by what differs
        rows = re.findall(row, swept[1], re.MULTILINE)
        for (name, status, loss, seconds), path in zip(rows, directories(swept[0]), strict=True):
            assert name in path.name.split(",")
            assert status == "complete"
            summary = summary_of(path)
            assert float(loss) == pytest.approx(summary["final_loss"]["mean"], abs=1e-4)
            a_seed = summary["seconds"] / len(summary["seeds"])
            assert float(seconds) == pytest.approx(a_seed, abs=0.051)
            assert summary["seconds"] > 0

    def test_it_ends_with_the_comparison(self, swept: tuple[Path, str]) -> None:
        """Points that differ in their seeds alone are one line, with an interval."""
        after = swept[1][swept[1].rindex("first_seed") :]
        assert re.search(r"0\.\d{4} ± 0\.\d{4}", after)
        assert after.endswith("report: reports/sweep-r2rt_n5/report.html\n")
        assert (swept[0] / "reports" / "sweep-r2rt_n5" / "comparison.csv").exists()

    def test_points_that_differ_in_the_seed_share_a_process(self, swept: tuple[Path, str]) -> None:
        before, *others = [(path / ".lock").read_text() for path in directories(swept[0])]
        assert len(set(others)) == 1
        assert before not in others

    @pytest.mark.usefixtures("only_training")
    def test_a_point_ends_as_a_run_of_its_own(
        self, swept: tuple[Path, str], tmp_path: Path
    ) -> None:  # fmt: skip
        runner.train(load_config("r2rt_n5", [*SMALL, "training.first_seed=2"]), tmp_path)
        assert metrics_of(directories(swept[0])[2]) == metrics_of(tmp_path)

    def test_again_it_starts_nothing(self, swept: tuple[Path, str]) -> None:
        done = run_command(("sweep", "r2rt_n5", *SMALL, "training.first_seed=0,1"), swept[0])
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("2 points, 2 already done\n")

    def test_a_dry_run_shows_points_and_time_and_does_nothing(
        self, swept: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        monkeypatch.chdir(swept[0])
        before = directories(swept[0])
        assert sweep("r2rt_n5", *SMALL, "training.first_seed=2,7,8", "--dry-run") == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines[:3]] == ["complete", "missing", "missing"]
        assert lines[1].endswith("training.first_seed=7")
        assert lines[3].startswith("2 of 3 points to train, estimated time ")
        assert directories(swept[0]) == before


@pytest.mark.usefixtures("folder")
def test_without_a_finished_point_the_time_is_unknown(capsys: Capture) -> None:
    assert sweep("r2rt_width", "--dry-run") == 0
    assert "estimated time unknown" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_for_slurm_a_dry_run_shows_the_job_script(capsys: Capture) -> None:
    if importlib.util.find_spec("dask_jobqueue") is None:
        pytest.skip("needs dask-jobqueue")
    assert sweep("r2rt_width", "--cluster", "slurm", "--workers", "4", "--dry-run") == 0
    script = capsys.readouterr().out.partition("#!")[2]
    assert "#SBATCH" in script
    assert "dask_worker" in script


def test_a_point_that_began_with_onednn_goes_on_with_it_beside_one_without(folder: Path) -> None:
    """They differ only in their seeds, but one process can import TensorFlow one way only."""
    _, begun = load_points("r2rt_n5", [*SMALL, "training.first_seed=0,1", "training.epochs=1"])
    directory = RunDirectory(begun.directory)
    begun.directory.mkdir(parents=True)
    directory.prepare(begun.config, overwrite=False)
    kept = {"xla": "off", "onednn": "on", "threads": 1}
    directory.write_summary({"status": "interrupted", "execution": kept})
    grid = ("training.first_seed=0,1", "training.epochs=1", "--workers", "1")
    done = run_command(("sweep", "r2rt_n5", *SMALL, *grid), folder)
    assert done.returncode == 0, done.stderr + done.stdout
    used = [summary_of(path)["execution"]["onednn"] for path in directories(folder)]
    assert used == ["off", "on"]
