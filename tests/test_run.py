"""run.py: the grammar of the command line, its exit codes and what it prints."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import yaml

import run
from experiments import commands
from experiments.arguments import make_parser
from experiments.config.catalog import description, names, path_of
from experiments.config.compose import load_config
from experiments.errors import ExperimentError, Interrupted, RunError, UsageError
from experiments.examples import EXAMPLES, OVERVIEW
from experiments.runs.environment import NAME, git_commit
from tests.conftest import SMALL, command, run_command, small_config, summary_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def main(*arguments: str) -> int:
    """The exit code of one command, in this process."""
    try:
        return run.main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


def one_line(capsys: Capture) -> str:
    """The one line on stderr, with nothing on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return str(line)


class TestHelp:
    def test_alone_it_prints_help_with_examples(self, capsys: Capture) -> None:
        assert main() == 0
        out = capsys.readouterr().out
        assert out.startswith("usage: run.py")
        assert "python run.py train r2rt_n5" in out
        assert "exit codes: 0 done" in out

    @pytest.mark.parametrize(
        "name",
        [
            "list",
            "config",
            "train",
            "sweep",
            "reproduce",
            "runs",
            "diff",
            "compare",
            "evaluate",
            "credit",
            "gradients",
            "bench",
        ],
    )
    def test_every_command_has_its_own(self, name: str, capsys: Capture) -> None:
        assert main(name, "--help") == 0
        assert capsys.readouterr().out.startswith(f"usage: run.py {name}")

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_every_command_ends_its_help_with_examples(self, name: str, capsys: Capture) -> None:
        assert 2 <= len(EXAMPLES[name]) <= 4
        main(name, "--help")
        out = capsys.readouterr().out
        assert out.rstrip().endswith(EXAMPLES[name][-1][1])
        for text, _ in EXAMPLES[name]:
            options = make_parser().parse_args(shlex.split(text.partition(" > ")[0]))
            assert options.command == name

    def test_every_command_has_examples(self) -> None:
        (commands_of,) = (action for action in make_parser()._actions if action.dest == "command")
        assert list(commands_of.choices or ()) == [*EXAMPLES]

    def test_every_example_is_a_command(self) -> None:
        lines = [line for line in OVERVIEW.splitlines() if line.startswith("  python run.py")]
        assert len(lines) >= 5
        for line in lines:
            command_line = line.strip().split("   ")[0]  # then come spaces, and what it does
            options = make_parser().parse_args(shlex.split(command_line)[2:])
            assert hasattr(commands, options.command)


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("trian",), "invalid choice: 'trian'; did you mean 'train'?"),
            (("xyz",), "invalid choice: 'xyz' (choose from 'list', "),
            (("train", "r2rt_n5", "--rundir", "x"), "unknown: --rundir"),
            (("train", "r2rt_n5", "--run-dir"), "--run-dir: expected one argument"),
            (("train", "r2rt_n5", "--over"), "unknown: --over"),
            (("list", "x"), "unknown: x"),
            (("compare",), "expected a RUN_DIR"),
            (("diff", "x"), "expected a RUN_DIR"),
            (
                ("evaluate", "x", "--batch-size", "0"),
                "--batch-size: expected a whole number of at least 1, got '0'",
            ),
            (("evaluate", "x", "--batch-size", "ten"), "whole number of at least 1, got 'ten'"),
            (("evaluate", "x", "y"), "unknown: y"),
            (("generate", "x", "--seed", "-1"), "--seed: expected a whole number of at least 0"),
            (("generate", "x", "--temperature", "-1"), "expected a number of at least 0, got '-1'"),
            (("export", "x", "--out", ""), "--out: expected a path, got ''"),
            (("advise", "x", "--budget", "5"), "--budget: expected a time such as 90s"),
            (("reproduce", "x", "--workers", "-1"), "--workers: "),
            (("sweep", "x", "--workers", "0"), "--workers: "),
            (("sweep", "x", "--dryrun"), "unknown: --dryrun"),
            (("list", "--quiet"), "unknown: --quiet"),
            (("--quiet",), "unknown: --quiet (see `run.py --help`)"),
            (("train", "r2rt_n5", "--seeds=3"), "unknown: --seeds=3 (see `run.py train --help`)"),
        ],
    )
    def test_of_grammar_exit_2_with_one_line(
        self, arguments: tuple[str, ...], reason: str, capsys: Capture
    ) -> None:
        assert main(*arguments) == 2
        line = one_line(capsys)
        assert line.startswith("error: ")
        assert reason in line

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("config", "r2rt_n55"), "not known; did you mean 'r2rt_n5'?"),
            (("config", "r2rt_n5", "graph.num_stpes=3"), "did you mean 'graph.num_steps'?"),
            (
                ("config", "r2rt_n5", "model.state_size=abc"),
                "model.state_size: expected a whole number",
            ),
            (("train", "r2rt_n5", "graph.num_steps=0"), "graph.num_steps"),
            (("train", "r2rt_n5", "graph.num_steps=1,5"), "expected one value"),
            (("gradients", "r2rt_n5", "graph.num_steps=0"), "graph.num_steps"),
            (("train", "mine.yaml"), "experiment file mine.yaml: no such file"),
            (("train", "./"), "experiment file ./: expected a file, found a folder"),
            (("train", "r2rt_n5", "num_steps"), "expected key=value"),
            (("train", "--run-dir", "x", "r2rt_n5", "oops"), "override 'oops'"),
            (("evaluate", "nowhere"), "nowhere: no run directory"),
            (("train", "r2rt_n5", "graph.num_steps=5001"), "graph.batch_size = 5000; got 5001"),
            (("train", "r2rt_n5", "graph.batch_size=1000001"), "size of the data, 1000000; got"),
            (("reproduce", "./"), "study file ./: expected a file, found a folder"),
            (("reproduce", "nothing"), "study 'nothing': not known"),
            (("compare", "nowhere"), "nowhere"),
        ],
    )
    def test_of_content_exit_2_with_one_line(
        self, arguments: tuple[str, ...], reason: str, capsys: Capture
    ) -> None:
        assert main(*arguments) == 2
        line = one_line(capsys)
        assert line.startswith("error: ")
        assert reason in line

    def test_leave_nothing_behind(self, folder: Path) -> None:
        main("train", "r2rt_n5", "graph.num_steps=0")
        assert list(folder.iterdir()) == []

    @pytest.mark.parametrize("debug", [False, True])
    def test_show_a_traceback_only_with_debug(self, debug: bool, capsys: Capture) -> None:
        assert main("config", "zebra", *(["--debug"] if debug else [])) == 2
        assert ("Traceback" in capsys.readouterr().err) == debug


class TestAMissingName:
    @pytest.mark.parametrize(
        ("name", "argument", "kinds"),
        [
            ("train", "experiment", ["experiment"]),
            ("config", "experiment", ["experiment"]),
            ("credit", "experiment", ["experiment"]),
            ("sweep", "sweep", ["sweep", "experiment"]),
            ("reproduce", "study", ["study"]),
        ],
    )
    def test_lists_the_names_there_are(
        self, name: str, argument: str, kinds: list[str], capsys: Capture
    ) -> None:
        assert main(name) == 2
        out, err = capsys.readouterr()
        article = "an" if argument == "experiment" else "a"
        assert err == f"error: expected {article} {argument} (see `run.py {name} --help`)\n"
        printed = {line.split()[0] for line in out.splitlines()}
        assert printed >= {known for kind in kinds for known in names(kind)}


def test_the_version_is_that_of_the_package_with_the_commit(capsys: Capture) -> None:
    assert main("--version") == 0
    commit = git_commit()
    known = f" (commit {commit})" if commit else ""
    assert capsys.readouterr().out == f"rnn-experiments {metadata.version(NAME)}{known}\n"


class OwnError(ExperimentError):
    """An error of another module."""

    exit_code = 7


class TestExitCodes:
    @pytest.mark.parametrize(
        ("error", "code", "line"),
        [
            (UsageError("wrong"), 2, "error: wrong"),
            (RunError("failed"), 1, "error: failed"),
            (Interrupted("stopped"), 130, "error: stopped"),
            (OwnError("own"), 7, "error: own"),
            (RunError("\x1b[31mred"), 1, r"error: \x1b[31mred"),
            (KeyboardInterrupt(), 130, "error: interrupted"),
            (RunError("two\n  lines"), 1, "error: two lines"),
            (ValueError("odd"), 1, "error: ValueError: odd (--debug shows where)"),
        ],
    )
    def test_every_error_has_its_code_and_one_line(
        self, error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch,
        capsys: Capture,
    ) -> None:  # fmt: skip
        def fail(_: object) -> int:
            raise error

        monkeypatch.setattr(commands, "list", fail)
        assert main("list") == code
        assert one_line(capsys) == line

    def test_ctrl_c_that_a_library_turns_into_its_own_error_is_ctrl_c(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        def fail(_: object) -> int:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                raise ImportError("initialization failed") from None
            return 0

        monkeypatch.setattr(commands, "list", fail)
        assert main("list") == 130
        assert one_line(capsys) == "error: interrupted"


class TestList:
    def test_it_shows_every_config_with_its_description(self, capsys: Capture) -> None:
        assert main("list") == 0
        lines = capsys.readouterr().out.splitlines()
        for kind in ("experiment", "sweep", "study"):
            for name in names(kind):
                assert any(line.split()[0] == name and len(line.split()) > 3 for line in lines)

    def test_as_json_it_has_the_same(self, capsys: Capture) -> None:
        assert main("list", "--json") == 0
        printed = json.loads(capsys.readouterr().out)
        assert [*printed["experiments"]] == names("experiment")
        assert printed["studies"]["horizon"] == description(path_of("study", "horizon"))


class TestConfig:
    def test_it_prints_the_composed_config(self, capsys: Capture) -> None:
        assert main("config", "r2rt_n5", "graph.num_steps=7") == 0
        printed = yaml.safe_load(capsys.readouterr().out)
        assert printed == load_config("r2rt_n5", ["graph.num_steps=7"]).as_dict()

    def test_what_it_prints_is_an_experiment(self, folder: Path, capsys: Capture) -> None:
        main("config", "r2rt_n10", "graph.num_steps=7")
        (folder / "mine.yaml").write_text(capsys.readouterr().out)
        assert load_config("mine.yaml") == load_config("r2rt_n10", ["graph.num_steps=7"])


class TestTrain:
    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder in which two commands were run, the second on a file of the user's own."""
        folder = tmp_path_factory.mktemp("trained")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            assert main("train", "r2rt_n5", *SMALL, "training.epochs=1", "--run-dir", "one") == 0
            assert main("train", "one/config.yaml", "--run-dir", "two") == 0
        return folder

    def test_an_override_may_follow_an_option(self, trained: Path) -> None:
        assert summary_of(trained / "one")["updates"] == {"0": 200}

    def test_from_its_config_yaml_a_run_is_repeated(self, trained: Path) -> None:
        one, two = (summary_of(trained / name) for name in ("one", "two"))
        assert one["final_loss"] == two["final_loss"]
        assert one["probe"] == two["probe"]

    def test_again_it_says_that_it_is_complete(self, trained: Path, capsys: Capture) -> None:
        arguments = ("train", str(trained / "one/config.yaml"), "--run-dir", str(trained / "one"))
        assert main(*arguments) == 0
        assert "already complete" in capsys.readouterr().out

    @pytest.mark.parametrize("batch_size", [None, 1000])
    def test_evaluate_prints_the_loss_of_each_seed(
        self, trained: Path, batch_size: int | None, capsys: Capture
    ) -> None:
        size = ["--batch-size", str(batch_size)] if batch_size else []
        assert main("evaluate", str(trained / "one"), *size) == 0
        words = capsys.readouterr().out.split()
        assert words[:4] == ["seed", "0,", "fresh:", "loss"]
        assert 0.4 < float(words[4]) < 0.7

    def test_or_as_json(self, trained: Path, capsys: Capture) -> None:
        assert main("evaluate", str(trained / "one"), "--json") == 0
        (found,) = json.loads(capsys.readouterr().out)
        assert (found["seed"], found["split"], found["updates"]) == (0, "fresh", 200)
        assert 0.4 < found["loss"] < 0.7

    def test_quiet_prints_the_result_alone(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        assert main("train", "r2rt_n5", *SMALL, "training.epochs=1", "--run-dir", "q", "-q") == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("final loss ")
        assert lines[-1] == "run directory: q"
        log = (folder / "q/log.txt").read_text()
        assert "seed 0: complete" in log

    def test_a_directory_with_another_config_exits_2(self, trained: Path, capsys: Capture) -> None:
        assert main("train", "r2rt_n5", *SMALL, "--run-dir", str(trained / "one")) == 2
        assert "training.epochs = 1, this one has 2" in one_line(capsys)

    def test_a_directory_of_foreign_files_exits_2(self, folder: Path, capsys: Capture) -> None:
        (folder / "notes.txt").write_text("mine")
        assert main("train", "r2rt_n5", "--run-dir", ".", "--overwrite") == 2
        assert "holds files but no config.yaml" in one_line(capsys)
        assert [path.name for path in folder.iterdir()] == ["notes.txt"]

    def test_a_directory_that_cannot_be_made_exits_2(self, folder: Path, capsys: Capture) -> None:
        (folder / "file").write_text("")
        assert main("train", "r2rt_n5", "--run-dir", "file/run") == 2
        assert one_line(capsys) == "error: run directory file/run: cannot be made: Not a directory"

    def test_a_directory_that_is_not_writable_exits_2(
        self, small_disk: Callable[[str], Path], capsys: Capture
    ) -> None:
        disk = small_disk("1m")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert main("train", "r2rt_n5", "--run-dir", str(disk)) == 2
        assert one_line(capsys) == f"error: run directory {disk}: not writable"


class TestTrainInItsOwnProcess:
    @pytest.fixture(scope="class")
    @classmethod
    def diverged(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("diverged")

    @pytest.fixture(scope="class")
    @classmethod
    def done(cls, diverged: Path) -> subprocess.CompletedProcess[str]:
        changes = (*SMALL, "optimizer.kind=sgd", "optimizer.learning_rate=1e38")
        return run_command(("train", "r2rt_n5", *changes), diverged)

    def test_a_loss_that_is_not_finite_exits_1(
        self, done: subprocess.CompletedProcess[str]
    ) -> None:  # fmt: skip
        assert done.returncode == 1

    def test_it_says_so_in_one_line(self, done: subprocess.CompletedProcess[str]) -> None:
        (line,) = done.stderr.splitlines()
        assert line.endswith(": the loss or a weight was not finite for seed 0")

    def test_without_a_run_dir_it_goes_to_runs(
        self, done: subprocess.CompletedProcess[str], diverged: Path
    ) -> None:
        (path,) = (diverged / "runs" / "r2rt_n5").iterdir()
        assert "optimizer.kind=sgd" in path.name
        assert summary_of(path)["status"] == "diverged"


def test_the_small_config_of_the_tests_is_still_the_blogs() -> None:
    small, full = small_config(), load_config("r2rt_n5")
    assert (small.model, small.graph.num_steps, small.optimizer) == (
        full.model, full.graph.num_steps, full.optimizer,
    )  # fmt: skip
    assert small.task.make().floors() == full.task.make().floors()


@pytest.mark.slow
def test_a_run_of_1e8_symbols_an_epoch_needs_less_than_2_gb(folder: Path) -> None:
    changes = ("task.size=100000000", "graph.batch_size=20000", "execution.iterations_per_loop=10")
    process = subprocess.Popen(
        command("train", "r2rt_n5", *changes, "execution.xla=off", "--run-dir", "run"),
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_maxrss * 1024 < 2 * 10**9
    assert summary_of(folder / "run")["updates"] == {"0": 1000}
