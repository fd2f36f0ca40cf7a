"""data/tasks/digits.py, data/images.py, data/examples.py: images by rows, and IDX files."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.datasets import load_digits

from data import images
from data.batching import cut_into_rows
from data.examples import take
from data.files import read_from, resolve
from data.images import TEST_DIGITS, Idx, mnist, read_idx, small_digits
from data.task import DataError, Examples
from data.tasks.digits import Digits, DigitsConfig
from experiments.config.compose import load_config
from experiments.paths import CONFIGS
from experiments.training.evaluator import Evaluator
from experiments.training.session import TrainingSession, build
from experiments.training.workload import make_workload
from tests.real_data import real_data

DEFAULTS = yaml.safe_load((CONFIGS / "task" / "digits.yaml").read_text("utf-8"))
PIXELS = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


def make(**changes: Any) -> Digits:
    return DigitsConfig.model_validate(DEFAULTS | changes).make()


def stream(seed: int = 0) -> np.random.RandomState:
    return np.random.RandomState(seed)


def test_an_example_is_an_image_with_its_digit_at_the_last_row() -> None:
    task = make(valid=0)
    content = load_digits()
    np.testing.assert_array_equal(
        task.train.inputs, content.images[:1437].astype(np.float32) / np.float32(16)
    )
    assert task.train.inputs.dtype == np.float32
    np.testing.assert_array_equal(task.train.labels[:, -1], content.target[:1437])
    np.testing.assert_array_equal(task.train.weights, np.tile(np.eye(8)[7], (1437, 1)))
    assert not task.train.labels[:, :-1].any()
    assert set(task.train.lengths) == {8}
    assert (task.num_inputs, task.num_classes) == (8, 10)


def test_the_test_set_is_the_end_and_validation_the_end_of_the_rest() -> None:
    task = make(valid=0.1)
    content = load_digits().images.astype(np.float32) / np.float32(16)
    assert task.held_out == ("valid", "test")
    parts = [task.train, task.evaluation("valid", stream()), task.evaluation("test", stream())]
    assert [len(part.inputs) for part in parts] == [1293, 144, 360]
    np.testing.assert_array_equal(np.concatenate([part.inputs for part in parts]), content)


def test_a_share_has_one_example_at_least_and_no_share_no_set() -> None:
    assert len(make(valid=1e-9).evaluation("valid", stream()).inputs) == 1
    assert make(valid=0).held_out == ("test",)


def test_each_epoch_has_every_image_in_a_new_order() -> None:
    task = make()
    random = stream()
    first, second = task.draw(random), task.draw(random)
    assert not np.array_equal(first.inputs, second.inputs)
    np.testing.assert_array_equal(first.inputs, task.draw(stream()).inputs)

    def sorted_examples(drawn: Any) -> list[tuple[bytes, int]]:
        return sorted(
            (image.tobytes(), int(labels[-1]))
            for image, labels in zip(drawn.inputs, drawn.labels, strict=True)
        )

    assert sorted_examples(first) == sorted_examples(second) == sorted_examples(task.train)


def test_a_window_of_a_row_is_one_image() -> None:
    task = make()
    drawn = task.draw(stream())
    rows = cut_into_rows(drawn, 50)
    assert task.windows(50, 8, 0) == 1293 // 50
    window = rows.windows(3, 1, 8)
    np.testing.assert_array_equal(window.inputs, drawn.inputs[150:200])
    np.testing.assert_array_equal(window.labels, drawn.labels[150:200])


def test_a_limit_keeps_the_first_and_changes_no_other_set() -> None:
    task, all_of_them = make(limit=100), make()
    np.testing.assert_array_equal(task.train.inputs, all_of_them.train.inputs[:100])
    np.testing.assert_array_equal(
        task.evaluation("valid", stream()).inputs, all_of_them.evaluation("valid", stream()).inputs
    )
    with pytest.raises(DataError, match=r"task\.limit: expected at most .* 1293; got 1294"):
        make(limit=1294)


def test_num_steps_must_be_the_rows_of_an_image() -> None:
    with pytest.raises(ValueError, match=r"graph\.num_steps: expected .*, 8; got 28"):
        make().windows(10, 28, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "mnist"}, "scikit_learn reads no files; expected null, got 'mnist'"),
        ({"source": "fashion"}, "'scikit_learn' or 'mnist'"),
        ({"valid": 0.6}, "less than or equal to 0.5"),
        ({"limit": 0}, "greater than or equal to 1"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DigitsConfig.model_validate(DEFAULTS | changes)


def idx(array: NDArray[np.uint8]) -> bytes:
    """Yann LeCun's format: 0, 0, type, number of dimensions, the dimensions, the values."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


EXPECTED = Idx("pixels", (2, 3, 3), hashlib.md5(idx(PIXELS)).hexdigest())


@pytest.mark.parametrize("name", ["pixels", "pixels.gz"])
@pytest.mark.parametrize("content", [idx(PIXELS), gzip.compress(idx(PIXELS), mtime=0)])
def test_a_file_is_read_packed_or_not_whatever_its_name(
    name: str, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    np.testing.assert_array_equal(read_idx(tmp_path, EXPECTED), PIXELS)


NAMED = EXPECTED._replace(name="train-images-idx3-ubyte")


@pytest.mark.parametrize("end", ["", ".gz"])
def test_mirrors_write_a_dot_in_the_name(end: str, tmp_path: Path) -> None:
    (tmp_path / f"train-images.idx3-ubyte{end}").write_bytes(gzip.compress(idx(PIXELS)))
    np.testing.assert_array_equal(read_idx(tmp_path, NAMED), PIXELS)


def test_what_an_unpacker_left_does_not_hide_the_packed_file(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    (tmp_path / "train-images.idx3-ubyte").touch()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(PIXELS)))
    np.testing.assert_array_equal(read_idx(tmp_path, NAMED), PIXELS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the magic number 00000803, found nothing"),
        (b"<html>no such page", "expected the magic number 00000803, found 3c68746d"),
        (idx(PIXELS[0]), "expected the magic number 00000803, found 00000802"),
        (idx(PIXELS[:1]), "expected the dimensions 2×3×3, found 1×3×3"),
        (idx(PIXELS)[:13], "expected the dimensions 2×3×3, found 2×3"),
        (idx(PIXELS)[:-1], "expected the size, unpacked, 34 bytes, found 33 bytes"),
        (idx(PIXELS) + b"0", "expected the size, unpacked, 34 bytes, found more than 34 bytes"),
        (idx(PIXELS + 1), f"expected the MD5, unpacked, {EXPECTED.md5}, found [0-9a-f]{{32}}$"),
        (gzip.compress(idx(PIXELS), mtime=0)[:-9], "expected a whole gzip file: .*end-of-stream"),
        (b"\x1f\x8bno gzip", "expected a whole gzip file"),
        (gzip.compress(idx(PIXELS), mtime=0)[:20] + bytes(40), "expected a whole gzip file"),
    ],
)
def test_a_damaged_file_is_named_with_what_was_expected(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "pixels.gz").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(tmp_path, EXPECTED)
    assert str(caught.value).startswith(str(tmp_path / "pixels.gz: "))
    assert "\n" not in str(caught.value)


def test_files_are_looked_for_in_the_folder_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNN_DATA", str(tmp_path))
    assert resolve("mnist") == tmp_path / "mnist"
    assert resolve("/elsewhere") == Path("/elsewhere")
    with pytest.raises(
        DataError, match=f"RNN_DATA, now {tmp_path}; .*the MNIST database"
    ) as caught:
        make(source="mnist")
    assert str(caught.value).startswith(f"{tmp_path}/mnist/train-images-idx3-ubyte.gz: no such")
    monkeypatch.delenv("RNN_DATA")
    monkeypatch.chdir(tmp_path)
    assert resolve("mnist") == tmp_path / "mnist"
    with pytest.raises(
        DataError, match="the current directory, as the environment variable RNN_DATA is not set"
    ):
        make(source="mnist")


@pytest.mark.parametrize(("name", "reason"), [("", "a directory"), ("a\0b", "not a path")])
def test_what_cannot_be_read_is_named(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason):
        read_from(tmp_path / name, "")


def test_images_are_read_once_and_cannot_be_written_to() -> None:
    assert small_digits() is small_digits()
    for part in (small_digits().train, small_digits().test):
        assert not any(array.flags.writeable for array in part)


def test_mnist_is_read_again_where_a_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = []
    for each in images.MNIST:
        shape = (2, *each.shape[1:])
        header = struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)
        content = header + bytes(int(np.prod(shape)))
        (tmp_path / each.name).write_bytes(content)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        expected.append(Idx(each.name, shape, md5))
    monkeypatch.setattr(images, "MNIST", tuple(expected))
    found = mnist(tmp_path)
    assert mnist(tmp_path) is found
    assert not any(array.flags.writeable for part in found[:2] for array in part)
    (tmp_path / TEST_DIGITS.name).write_bytes(b"other")
    with pytest.raises(DataError, match=TEST_DIGITS.name):
        mnist(tmp_path)


def test_mnist_itself() -> None:
    images = mnist(real_data("mnist"))
    assert images.train.pixels.shape == (60_000, 28, 28)
    assert images.test.pixels.shape == (10_000, 28, 28)
    assert images.train.digits[:5].tolist() == [5, 0, 4, 1, 9]
    assert images.test.digits[:5].tolist() == [7, 2, 1, 0, 4]
    # The mean and deviation that many programs normalise MNIST with.
    assert images.train.pixels.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)
    assert images.train.pixels.std(dtype=np.float64) == pytest.approx(0.3081, abs=5e-5)
    assert (images.train.pixels.min(), images.train.pixels.max()) == (0, 1)


def test_one_changed_label_of_mnist_is_noticed(tmp_path: Path) -> None:
    name = TEST_DIGITS.name
    content = bytearray(gzip.decompress((real_data("mnist") / f"{name}.gz").read_bytes()))
    content[100] = (content[100] + 1) % 10
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"expected the MD5, unpacked, {TEST_DIGITS.md5}, found"):
        read_idx(tmp_path, TEST_DIGITS)


def test_an_image_at_one_step_is_the_input_of_a_dense_layer() -> None:
    """Its recurrent weights meet zeros alone, so that h = tanh(x W + b) and no more."""
    task = make(valid=0, layout="image")
    assert task.train.inputs.shape == (1437, 1, 64)
    np.testing.assert_array_equal(
        task.train.inputs[:, 0], make(valid=0).train.inputs.reshape(1437, 64)
    )
    assert (task.train.weights == 1).all()
    assert task.windows(32, 1, 0) == 44


def test_the_network_of_an_image_at_one_step_is_two_dense_layers() -> None:
    """softmax(tanh(x W + b) U + c) in NumPy; training leaves the recurrent weights alone."""
    config = load_config(
        "digits_feedforward",
        ["model.state_size=3", "graph.precision=float64", "execution.xla=off"],
    )
    work = make_workload(config)
    rows = cut_into_rows(work.task.draw(stream()), 32)
    with TrainingSession(build(config, work), 1) as session:
        session.initialize(0)
        before = session.variables()
        for first in range(5):
            session.train(rows.windows(first, 1, 1), 1)
        after = session.variables()
    W, b = (after[f"model/layer_0/basic_rnn_cell/{name}"] for name in ("kernel", "bias"))
    recurrent = W[64:]
    np.testing.assert_array_equal(recurrent, before["model/layer_0/basic_rnn_cell/kernel"][64:])
    assert abs(recurrent).min() > 0
    held_out = work.task.evaluation("test", stream())
    assert isinstance(held_out, Examples)
    examples = take(held_out, slice(7))
    with Evaluator(config, work.task) as evaluator:
        evaluator.restore(after)
        found = evaluator.probabilities(examples, 7)[:, 0]
    hidden = np.tanh(examples.inputs[:, 0].astype(np.float64) @ W[:64] + b)
    powers = np.exp(hidden @ after["model/softmax/W"] + after["model/softmax/b"])
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
