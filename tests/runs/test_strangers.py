"""Run directories from somebody else: they make nothing run, and nothing is written outside."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import pytest
import yaml

import run
from experiments.config.compose import load_config
from experiments.errors import Interrupted, UsageError
from experiments.runs.directory import RunDirectory
from experiments.training import runner
from experiments.training.progress import PlainProgress
from tests.conftest import StopAtSave, assert_same_end, small_config
from tests.handmade import finished_run

Capture = pytest.CaptureFixture[str]
ESCAPE = "\x1b]0;owned\x07\x1b[31m<script>alert(1)</script>"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "kept.txt").write_text("kept")
    return folder


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("metrics.csv", "kept.txt"),
        ("log.txt", "kept.txt"),
        ("log.txt", "new.txt"),
        (".lock", "kept.txt"),
        ("summary.json", "kept.txt"),
        ("checkpoint", "."),
        ("events", "."),
        ("checkpoint/seed-0", "."),
        ("events/seed-0", "."),
    ],
)
def test_a_link_that_leads_out_of_a_run_is_refused_before_anything_is_written(
    name: str, target: str, overwrite: bool, tmp_path: Path, outside: Path
) -> None:
    found = finished_run(tmp_path, "run", [[0.5]])
    link = found.directory.path / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(outside / target)
    with pytest.raises(UsageError, match=f"{name} is a link to .*, outside of it"):
        found.directory.check(found.config, overwrite)
    assert [path.name for path in outside.iterdir()] == ["kept.txt"]
    assert (outside / "kept.txt").read_text() == "kept"


def test_removing_a_run_writes_nothing_outside(
    tmp_path: Path, outside: Path, capsys: Capture
) -> None:
    found = finished_run(tmp_path, "run", [[0.5]])
    (outside / "seed-0").mkdir()
    (outside / "seed-0" / ".1.npz").write_text("kept")
    for name, target in ((".lock", "kept.txt"), ("checkpoint", "."), ("log.txt", "kept.txt")):
        (found.directory.path / name).symlink_to(outside / target)
    assert run.main(["runs", str(tmp_path / "run"), "--remove", "--yes"]) == 2
    assert ".lock: a symbolic link; expected a file" in capsys.readouterr().err
    (found.directory.path / ".lock").unlink()
    assert run.main(["runs", str(tmp_path / "run"), "--remove", "--yes"]) == 0
    assert not (tmp_path / "run").exists()
    assert (outside / "kept.txt").read_text() == "kept"
    assert (outside / "seed-0" / ".1.npz").read_text() == "kept"


LARGE = ("checkpoint", "events")


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A directory whose large folders are on another disk, before its run begins."""
    (tmp_path / "run").mkdir()
    for name in LARGE:
        (tmp_path / "disk" / name).mkdir(parents=True)
        (tmp_path / "run" / name).symlink_to(tmp_path / "disk" / name)
    return tmp_path / "run"


@pytest.mark.usefixtures("only_training")
def test_checkpoints_and_events_may_be_on_another_disk(
    prepared: Path, stop_at_save: StopAtSave, tmp_path: Path
) -> None:
    stop_at_save.arm(2)
    with pytest.raises(Interrupted):
        runner.train(small_config(), prepared)
    assert list((tmp_path / "disk" / "checkpoint").glob("seed-0/*.npz"))
    runner.train(small_config(), prepared)
    runner.train(small_config(), tmp_path / "undisturbed")
    assert_same_end(prepared, tmp_path / "undisturbed", [0])
    assert list((tmp_path / "disk" / "events").glob("seed-0/*"))
    runner.train(small_config(), prepared, overwrite=True)
    assert_same_end(prepared, tmp_path / "undisturbed", [0])
    assert not (prepared / "checkpoint").is_symlink()


def test_a_folder_that_was_moved_to_another_disk_is_used_once_it_names_the_run(
    tmp_path: Path,
) -> None:
    found = finished_run(tmp_path, "run", [[0.5]])
    elsewhere = tmp_path / "disk"
    elsewhere.mkdir()
    (found.directory.path / "checkpoint").symlink_to(elsewhere)
    line = f"unless {elsewhere / '.run'} has a line that says {found.directory.path}"
    with pytest.raises(UsageError, match=re.escape(line)):
        found.directory.check(found.config, overwrite=False)
    (elsewhere / ".run").write_text(f"/another/run\n{found.directory.path}\n")
    found.directory.check(found.config, overwrite=False)


def test_a_new_run_takes_no_folder_that_holds_something(prepared: Path, tmp_path: Path) -> None:
    (tmp_path / "disk" / "checkpoint" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"checkpoint is a link to .*, outside of it"):
        RunDirectory(prepared).check(small_config(), overwrite=False)


def test_links_within_a_run_and_to_a_run_work(tmp_path: Path) -> None:
    found = finished_run(tmp_path, "run", [[0.5]])
    (found.directory.path / "latest.csv").symlink_to("metrics.csv")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    RunDirectory(tmp_path / "link").check(found.config, overwrite=False)


@pytest.mark.parametrize("name", ["metrics.csv", "summary.json", "data.json", "config.yaml"])
@pytest.mark.parametrize("kind", ["device", "pipe", "folder"])
def test_a_file_that_never_ends_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    found = finished_run(tmp_path, "run", [[0.5]])
    path = found.directory.path / name
    path.unlink(missing_ok=True)
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    codes: list[int] = []
    reading = threading.Thread(
        target=lambda: codes.append(
            run.main(["compare", str(tmp_path / "run"), f"--out={tmp_path / 'out'}"])
        ),
        daemon=True,
    )
    reading.start()
    reading.join(30)
    assert codes == [2]


@pytest.mark.parametrize("name", ["summary.json", "data.json"])
def test_nested_json_is_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    found = finished_run(tmp_path, "run", [[0.5]])
    (found.directory.path / name).write_text('{"a":' * 200_000)
    assert run.main(["compare", str(tmp_path / "run"), f"--out={tmp_path / 'out'}"]) == 2
    assert f"{name}: cannot be read" in capsys.readouterr().err


def test_what_a_stranger_wrote_is_shown_as_text(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "run"
    for number in (1, 2):
        found = finished_run(folder, f"\x1b[3{number}m<b>{number}</b>", [[0.5, 0.4]])
        config = found.config.as_dict() | {"description": f"{ESCAPE}{number}"}
        config["graph"]["num_steps"] += number
        found.directory.config.write_text(yaml.safe_dump(config), "utf-8")
        status = {"status": "failed", "reason": ESCAPE, "floors": {ESCAPE: 0.6}, "seeds": {}}
        found.directory.summary.write_text(json.dumps(status))
        (found.directory.path / "log.txt").write_text(ESCAPE)
    assert run.main(["compare", str(folder), f"--out={tmp_path / 'out'}"]) == 0
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert "\x1b" not in text
        assert "\x07" not in text
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script>alert" not in report
    assert "<b>1</b>" not in report


def test_an_error_about_a_strangers_run_is_shown_as_text(tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "\x1b[31mrun"
    folder.mkdir()
    (folder / "config.yaml").write_text(f'"{"x"}\\e[31m": 1\n')
    assert run.main(["compare", str(folder), f"--out={tmp_path / 'out'}"]) == 2
    errors = capsys.readouterr().err
    assert "\x1b" not in errors
    assert r"\x1b[31mrun" in errors


def test_a_log_line_is_shown_as_text_at_its_indent(tmp_path: Path, capsys: Capture) -> None:
    PlainProgress(tmp_path / "log.txt").log(f"  floor, {ESCAPE}: 0.6")
    printed = capsys.readouterr().out
    assert printed.startswith(r"  floor, \x1b]0;owned\x07\x1b[31m<script>")
    assert "\x1b" not in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize("name", ["..", "../x", "/tmp/x", "a/b", "", ".", "x\n", "~"])
def test_a_name_in_a_config_stays_within_runs(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"name": name}))
    with pytest.raises(UsageError, match="name: "):
        load_config(str(path))


def test_yaml_of_a_stranger_runs_nothing(tmp_path: Path) -> None:
    found = finished_run(tmp_path, "run", [[0.5]])
    witness = tmp_path / "witness"
    content = f"!!python/object/apply:os.system ['touch {witness}']\n"
    found.directory.config.write_text(f"name: {content}")
    with pytest.raises(UsageError, match="not valid YAML"):
        found.directory.read_config()
    assert not witness.exists()
