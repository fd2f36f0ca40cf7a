"""2,000 mutations of user input: each ends well or in one line of error, and damages nothing."""

from __future__ import annotations

import gzip
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import run
from data.task import DataError
from data.tasks.digits import DigitsConfig
from experiments.config.compose import known_keys, load_config
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.paths import CONFIGS
from experiments.runs import checkpoints
from experiments.runs.directory import RunDirectory
from experiments.runs.run import read_run
from experiments.training import runner
from experiments.training.resume import find_resume_point
from tests.conftest import SMALL, small_config

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.faults

VALUES = (
    "", "null", "true", "off", "-1", "0", "1", "1.5", "1e400", "nan", "inf", "-0", "00012", "1_000",
    "99999999999999999999", "[]", "[1,2]", "{}", "{a: 1}", "[[[[]]]]", "'", '"', "a b", "é", "\x00",
    "${x}", "${oc.env:HOME}", "$", "~", "!", "x" * 5000, "[1,", "{a:", "key=value", "::", "-", "\\",
    "choice(1,2)", "range(3)", "glob(*)", "int(3)", "str(3)", "5,6", "\n", "1\n2", "# c", "@p",
)  # fmt: skip


def mutated(content: bytes, stream: random.Random) -> bytes:
    """The content with one to four things changed."""
    changed = bytearray(content)
    for _ in range(stream.randint(1, 4)):
        place = stream.randrange(len(changed) + 1)
        length = stream.choice((1, 1, 2, 8, 64))
        match stream.randrange(5):
            case 0:
                del changed[place : place + length]
            case 1:
                changed[place:place] = stream.randbytes(length)
            case 2:
                changed[place : place + length] = stream.randbytes(length)
            case 3:
                changed[place:place] = changed[stream.randrange(len(changed) + 1) :][:length]
            case 4:
                del changed[stream.randrange(len(changed) + 1) :]
    return bytes(changed)


def assert_one_line_or_success(code: int, capsys: Capture) -> None:
    errors = capsys.readouterr().err
    assert code in (0, 2), errors
    if code == 2:
        assert errors.startswith("error: "), errors
        assert errors.count("\n") == 1, errors
        assert "Traceback" not in errors


@pytest.mark.parametrize("seed", range(10))
def test_config_values(seed: int, capsys: Capture) -> None:
    stream = random.Random(seed)
    keys = [*known_keys(Config), "task.size", "task.base", "task.dependencies.0.lag", "zzz", "task"]
    for _ in range(80):
        given = [f"{stream.choice(keys)}={stream.choice(VALUES)}" for _ in range(2)]
        code = run.main(["config", "r2rt_n5", *given])
        assert_one_line_or_success(code, capsys)


@pytest.mark.parametrize("seed", range(10))
def test_yaml_files(seed: int, tmp_path: Path, capsys: Capture) -> None:
    stream = random.Random(seed)
    shipped = sorted((CONFIGS / "experiment").glob("*.yaml"))
    for number in range(60):
        content = stream.choice(shipped).read_bytes().replace(b"# @package _global_\n", b"")
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(mutated(content, stream))
        assert_one_line_or_success(run.main(["config", str(path)]), capsys)


class Silent:
    """A progress that nobody looks at."""

    def log(self, text: str) -> None:
        """Nothing."""

    def advance(self, what: str, done: int, total: int, loss: float) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run of two seeds."""
    path = tmp_path_factory.mktemp("fuzz") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_plot", lambda *_: None)
        patch.setattr(runner, "probe_seeds", lambda *_: {})
        runner.train(small_config("training.seeds=2", "logging.tensorboard=false"), path)
    return path


@pytest.mark.parametrize("seed", range(5))
def test_checkpoints(seed: int, finished: Path, tmp_path: Path) -> None:
    """A damaged checkpoint is passed over, for the one before it or the start of the seed."""
    stream, config = random.Random(seed), small_config("training.seeds=2")
    folder = finished / "checkpoint" / "seed-1"
    newest = max(folder.glob("[0-9]*.npz"))
    good = checkpoints.load(newest)
    for number in range(60):
        path = tmp_path / str(number)
        shutil.copytree(finished, path)
        (path / newest.relative_to(finished)).write_bytes(mutated(newest.read_bytes(), stream))
        point = find_resume_point(config, RunDirectory(path), Silent())
        finished_seeds = [position.seed for position in point.finished]
        assert finished_seeds[:1] == [0]
        if finished_seeds == [0, 1]:  # what was changed was no part of it
            assert point.finished[1] == good.position
        elif point.started:
            assert point.started[1].position.updates < good.position.updates
        shutil.rmtree(path)


@pytest.mark.parametrize("name", ["metrics.csv", "summary.json", "config.yaml"])
def test_files_of_a_run(name: str, finished: Path, tmp_path: Path) -> None:
    stream = random.Random(name)
    for number in range(100):
        path = tmp_path / str(number)
        shutil.copytree(finished, path, ignore=shutil.ignore_patterns("checkpoint", "events"))
        (path / name).write_bytes(mutated((finished / name).read_bytes(), stream))
        try:
            found = read_run(RunDirectory(path)).require_rows()
            assert found.curves.losses.shape[0] >= 1
        except UsageError as error:
            assert str(path) in str(error)  # noqa: PT017 - a success is as good
            assert "\n" not in str(error)  # noqa: PT017


def text_file(folder: Path, content: bytes) -> Callable[[], object]:
    (folder / "text.txt").write_bytes(content)
    given = ["task.source=file", f"task.path={folder / 'text.txt'}", "task.origin=null"]
    return load_config("text_python_docs", given).task.make


def image_files(folder: Path, content: bytes) -> Callable[[], object]:
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{part}-ubyte.gz").write_bytes(content)
    base = load_config("digits_small").task.model_dump()
    return DigitsConfig(**base | {"source": "mnist", "path": str(folder)}).make


@pytest.mark.parametrize("files", [text_file, image_files])
def test_data_files(files: Callable[[Path, bytes], Callable[[], object]], tmp_path: Path) -> None:
    stream = random.Random(files.__name__)
    header = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3])
    content = gzip.compress(header + bytes(range(18)), mtime=0)
    if files is text_file:
        content = "to be, or not to be é\n".encode() * 60
    for _ in range(150):
        make = files(tmp_path, mutated(content, stream))
        try:
            make()
        except DataError as error:
            assert str(tmp_path) in str(error)  # noqa: PT017 - a success is as good
            assert "\n" not in str(error)  # noqa: PT017


def test_the_run_is_as_it_was(finished: Path) -> None:
    """After all of the above, the run still trains to the same end."""
    before = (finished / "metrics.csv").read_bytes()
    code = run.main(
        ["train", "r2rt_n5", *SMALL, "training.seeds=2", "logging.tensorboard=false",
         "--run-dir", str(finished)],
    )  # fmt: skip
    assert code == 0
    assert (finished / "metrics.csv").read_bytes() == before
