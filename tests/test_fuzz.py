"""Mutations of user input: each ends well or in one line of error, and damages nothing.

Some 3,000 of them by default. The environment variable RNN_FUZZ asks for about as many as it says:
`RNN_FUZZ=20000 pytest -n 0 tests/test_fuzz.py`.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pickle
import random
import resource
import shutil
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import run
from data.imdb import load_imdb
from data.object_arrays import read_object_array
from data.task import DataError
from data.tasks.digits import DigitsConfig
from experiments.comparison import compare
from experiments.config.compose import load_config
from experiments.config.mistakes import known_keys
from experiments.config.schema import Config
from experiments.errors import UsageError
from experiments.paths import CONFIGS
from experiments.runs import checkpoints
from experiments.runs.directory import RunDirectory
from experiments.runs.run import read_run
from experiments.studies import spec
from experiments.sweeps.sweep import load_points
from experiments.training import runner
from experiments.training.resume import find_resume_point
from tests.conftest import SMALL, small_config

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.faults

DEFAULT = 3000  # inputs, all tests together
SCALE = int(os.environ.get("RNN_FUZZ", DEFAULT)) / DEFAULT
SECONDS = 60  # of one input; most take a hundredth of a second
GIBIBYTES = 4


def inputs(count: int) -> Iterator[int]:
    """This many numbered inputs by default; each has limited time, and all have limited memory."""
    for number in range(max(1, round(count * SCALE))):
        with within(SECONDS):
            yield number
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    assert peak < GIBIBYTES


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail where the block takes longer."""

    def stop(*_: object) -> None:
        raise AssertionError(f"no end after {seconds} s")

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, earlier)


LARGE = shutil.ignore_patterns("checkpoint", "events")

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
    for _ in inputs(80):
        given = [f"{stream.choice(keys)}={stream.choice(VALUES)}" for _ in range(2)]
        code = run.main(["config", "r2rt_n5", *given])
        assert_one_line_or_success(code, capsys)


@pytest.mark.parametrize("seed", range(10))
def test_yaml_files(seed: int, tmp_path: Path, capsys: Capture) -> None:
    stream = random.Random(seed)
    shipped = sorted((CONFIGS / "experiment").glob("*.yaml"))
    for number in inputs(60):
        content = stream.choice(shipped).read_bytes()
        path = tmp_path / f"{number}.yaml"
        path.write_bytes(mutated(content, stream))
        assert_one_line_or_success(run.main(["config", str(path)]), capsys)


@pytest.mark.parametrize("kind", ["sweep", "study"])
def test_sweeps_and_studies(kind: str, tmp_path: Path, capsys: Capture) -> None:
    stream = random.Random(kind)
    shipped = sorted((CONFIGS / kind).glob("*.yaml"))
    path = tmp_path / "mine.yaml"
    for _ in inputs(100):
        path.write_bytes(mutated(stream.choice(shipped).read_bytes(), stream))
        try:
            if kind == "sweep":
                load_points(str(path), [])
            else:
                spec.load_study(str(path))
        except UsageError as error:
            assert "\n" not in str(error)  # noqa: PT017 - a success is as good
    capsys.readouterr()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run of two seeds."""
    path = tmp_path_factory.mktemp("fuzz") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "save_learning_curves", lambda *_: None)
        patch.setattr(runner, "evaluate_seeds", lambda *_: {})
        runner.train(small_config("training.seeds=2", "logging.tensorboard=false"), path)
    return path


@pytest.mark.parametrize("seed", range(5))
def test_checkpoints(seed: int, finished: Path, tmp_path: Path) -> None:
    """A damaged checkpoint is passed over, for the one before it or the start of the seed."""
    stream, config = random.Random(seed), small_config("training.seeds=2")
    folder = finished / "checkpoint" / "seed-1"
    newest = max(folder.glob("[0-9]*.npz"))
    good = checkpoints.load(newest)
    for number in inputs(60):
        path = tmp_path / str(number)
        shutil.copytree(finished, path)
        (path / newest.relative_to(finished)).write_bytes(mutated(newest.read_bytes(), stream))
        point = find_resume_point(config, RunDirectory(path))
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
    for number in inputs(100):
        path = tmp_path / str(number)
        shutil.copytree(finished, path, ignore=LARGE)
        (path / name).write_bytes(mutated((finished / name).read_bytes(), stream))
        try:
            found = read_run(RunDirectory(path)).require_rows()
            assert found.curves.losses.shape[0] >= 1
        except UsageError as error:
            assert str(path) in str(error)  # noqa: PT017 - a success is as good
            assert "\n" not in str(error)  # noqa: PT017


def test_commands_on_a_run(
    finished: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`compare` of a damaged run beside a sound one: one line, or both are shown."""
    monkeypatch.setattr(compare, "_figures", lambda *_: iter(()))  # drawing takes seconds
    stream = random.Random("compare")
    shutil.copytree(finished, tmp_path / "sound", ignore=LARGE)
    for number in inputs(100):
        path = tmp_path / str(number)
        shutil.copytree(finished, path, ignore=LARGE)
        name = stream.choice(("metrics.csv", "summary.json", "config.yaml"))
        (path / name).write_bytes(mutated((finished / name).read_bytes(), stream))
        out = f"--out={tmp_path / 'out'}"
        code = run.main(["compare", str(tmp_path / "sound"), str(path), out])
        assert_one_line_or_success(code, capsys)
        shutil.rmtree(path)


def test_packed_reviews() -> None:
    """A pickle with changes is read, or refused before it asks for much."""
    stream = random.Random("reviews")
    reviews = np.empty(50, object)
    reviews[:] = [[1, 300, 70_000]] * 49 + [list(range(1, 2000))]
    for protocol in (2, 4):
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            buffer, {"descr": "|O", "fortran_order": False, "shape": (50,)}
        )
        content = buffer.getvalue() + pickle.dumps(reviews, protocol)
        for _ in inputs(150):
            try:
                read_object_array(mutated(content, stream))
            except Exception as error:  # a damaged pickle may raise anything; `load_imdb` names it
                assert not isinstance(error, MemoryError)  # noqa: PT017 - a success is as good


def test_archives_of_reviews(tmp_path: Path) -> None:
    stream = random.Random("archive")
    path = tmp_path / "imdb.npz"
    np.savez_compressed(path, y_train=np.zeros(100, np.int64), y_test=np.zeros(100, np.int64))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", bytes(100))
    content = path.read_bytes()
    for _ in inputs(100):
        path.write_bytes(mutated(content, stream))
        with pytest.raises(DataError, match="not IMDB as Keras stores it"):
            load_imdb(path, trust_unknown_file=True)


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
    for _ in inputs(150):
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
