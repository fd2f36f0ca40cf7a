"""experiments/runs/checkpoints.py: saving, keeping the last two, and damaged files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.streams import state_of, training_stream
from experiments.runs.checkpoints import Checkpoint, Position, load, newest, save


def checkpoint(updates: int, seed: int = 3, **position: Any) -> Checkpoint:
    stream = training_stream(updates)
    stream.rand(5)
    variables: dict[str, NDArray[Any]] = {
        "model/W": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
        "beta1_power": np.float64(0.9) * np.ones([]),
        "state/part_0": np.full([2, 3], updates, np.float32),
    }
    return Checkpoint(Position(seed, updates=updates, **position), state_of(stream), variables)


def assert_same(ours: Checkpoint, theirs: Checkpoint) -> None:
    assert ours.position == theirs.position
    np.testing.assert_array_equal(ours.stream.keys, theirs.stream.keys)
    assert ours.stream.place == theirs.stream.place
    assert ours.variables.keys() == theirs.variables.keys()
    for name, value in ours.variables.items():
        assert value.dtype == theirs.variables[name].dtype
        np.testing.assert_array_equal(value, theirs.variables[name])


def path_of(directory: Path, updates: int, seed: int = 3) -> Path:
    return directory / f"seed-{seed}" / f"{updates:012d}.npz"


def test_everything_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    saved = checkpoint(
        120, epoch=2, window=7, seconds=1 / 3, metrics_digest="0a1b", status="diverged",
        pending={"loss": [0.1 + 0.2, 1e-300]},
    )  # fmt: skip
    save(tmp_path, saved)
    assert_same(load(path_of(tmp_path, 120)), saved)


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for updates in (5, 10, 100, 1000):
        save(tmp_path, checkpoint(updates))
    kept = sorted(path.name for path in (tmp_path / "seed-3").iterdir())
    assert kept == ["000000000100.npz", "000000001000.npz"]


def test_seeds_do_not_disturb_each_other(tmp_path: Path) -> None:
    for seed in (1, 2):
        for updates in (10, 20, 30):
            save(tmp_path, checkpoint(updates, seed))
    for seed in (1, 2):
        found = newest(tmp_path, seed).checkpoint
        assert found is not None
        assert found.position == Position(seed, updates=30)


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert newest(tmp_path, 0) == (None, [])


def test_a_checkpoint_of_another_seed_or_moment_is_passed_over(tmp_path: Path) -> None:
    save(tmp_path, checkpoint(10))
    save(tmp_path, checkpoint(15))
    path_of(tmp_path, 15).rename(path_of(tmp_path, 30))
    save(tmp_path, checkpoint(20, seed=4))
    path_of(tmp_path, 20, seed=4).rename(path_of(tmp_path, 20))
    found = newest(tmp_path, 3)
    assert found.checkpoint is not None
    assert found.checkpoint.position.updates == 10
    assert found.unreadable == [path_of(tmp_path, 30), path_of(tmp_path, 20)]


@pytest.mark.parametrize(
    "fields",
    [
        {"updates": "ten"}, {"updates": None}, {"pending": [1.0]}, {"status": "done"},
        {"epoch": 1.5}, {"place": 3}, {"metrics_digest": 7},
    ],
)  # fmt: skip
def test_a_position_of_other_types_is_passed_over(tmp_path: Path, fields: dict[str, Any]) -> None:
    save(tmp_path, checkpoint(10))
    path = path_of(tmp_path, 10)
    with np.load(path) as content:
        arrays = dict(content)
    position = json.loads(str(arrays["position"]))
    np.savez(path, **arrays | {"position": np.array(json.dumps(position | fields))})
    assert newest(tmp_path, 3) == (None, [path])


def test_a_checkpoint_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    save(tmp_path, checkpoint(10))
    path = path_of(tmp_path, 10)
    with np.load(path) as content:
        arrays = dict(content)
    position = json.loads(str(arrays["position"]))
    del position["metrics_digest"]
    position["metrics_bytes"] = 99
    np.savez(path, **arrays | {"position": np.array(json.dumps(position))})
    assert load(path).position == Position(3, updates=10)


def test_what_a_killed_process_left_half_written_is_not_looked_at(tmp_path: Path) -> None:
    save(tmp_path, checkpoint(10))
    (tmp_path / "seed-3" / ".000000000020.0123abcd.npz").write_bytes(b"half")
    found = newest(tmp_path, 3)
    assert found.unreadable == []
    assert found.checkpoint is not None


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoints")
    save(directory, checkpoint(10))
    save(directory, checkpoint(20))
    return directory


class TestDamage:
    def assert_found_or_passed_over(self, pair: Path, content: bytes) -> bool:
        """With `content` as the newest file: the file, whole, or the one before it."""
        path = path_of(pair, 20)
        intact = path.read_bytes()
        path.write_bytes(content)
        try:
            found = newest(pair, 3)
        finally:
            path.write_bytes(intact)
        assert found.checkpoint is not None
        if found.unreadable:
            assert found.unreadable == [path]
            assert_same(found.checkpoint, checkpoint(10))
        else:  # the damage is where it does no harm, such as a time stamp
            assert_same(found.checkpoint, checkpoint(20))
        return bool(found.unreadable)

    @settings(max_examples=60)
    @given(st.data())
    def test_a_truncated_file_is_passed_over(self, pair: Path, data: st.DataObject) -> None:
        content = path_of(pair, 20).read_bytes()
        length = data.draw(st.integers(0, len(content) - 1))
        assert self.assert_found_or_passed_over(pair, content[:length])

    @settings(max_examples=200)
    @given(st.data())
    def test_no_flipped_bit_goes_unseen(self, pair: Path, data: st.DataObject) -> None:
        content = bytearray(path_of(pair, 20).read_bytes())
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
        self.assert_found_or_passed_over(pair, bytes(content))

    def test_a_large_array_that_claims_to_be_smaller_is_passed_over(self, tmp_path: Path) -> None:
        # NumPy would not read it to its end, where zipfile checks the CRC.
        save(tmp_path, checkpoint(20)._replace(variables={"W": np.zeros([2, 3000])}))
        path = path_of(tmp_path, 20)
        content = path.read_bytes()
        assert content.count(b"'shape': (2, 3000)") == 1
        path.write_bytes(content.replace(b"'shape': (2, 3000)", b"'shape': (0, 3000)"))
        assert newest(tmp_path, 3) == (None, [path])

    @pytest.mark.slow
    def test_no_flipped_bit_goes_unseen_in_any_header(self, pair: Path) -> None:
        content = path_of(pair, 20).read_bytes()
        keys = checkpoint(20).stream.keys.tobytes()
        start = content.index(keys)
        bits = set(range(8 * len(content))) - set(range(8 * start, 8 * (start + len(keys))))
        for bit in bits:
            damaged = bytearray(content)
            damaged[bit // 8] ^= 1 << bit % 8
            self.assert_found_or_passed_over(pair, bytes(damaged))

    @settings(max_examples=60)
    @given(st.binary(max_size=300))
    @example(b"")
    @example(b"PK\x05\x06" + bytes(18))
    def test_anything_else_is_passed_over(self, pair: Path, content: bytes) -> None:
        assert self.assert_found_or_passed_over(pair, content)

    def test_an_array_of_objects_is_not_unpickled(self, pair: Path) -> None:
        path = pair / "objects.npz"
        np.savez(path, allow_pickle=True, position=np.array([{}], dtype=object))
        content = path.read_bytes()
        path.unlink()
        assert self.assert_found_or_passed_over(pair, content)

    def test_another_programs_arrays_are_passed_over(self, pair: Path) -> None:
        path = pair / "other.npz"
        np.savez(path, weights=np.zeros(3))
        content = path.read_bytes()
        path.unlink()
        assert self.assert_found_or_passed_over(pair, content)

    def test_a_position_of_other_fields_is_passed_over(self, pair: Path) -> None:
        path = pair / "other.npz"
        np.savez(path, position=np.array('{"seed": 3, "place": 4}'))
        content = path.read_bytes()
        path.unlink()
        assert self.assert_found_or_passed_over(pair, content)

    def test_all_of_them_damaged_are_all_named_newest_first(self, tmp_path: Path) -> None:
        for updates in (10, 20):
            save(tmp_path, checkpoint(updates))
            path_of(tmp_path, updates).write_bytes(b"damage")
        found = newest(tmp_path, 3)
        assert found == (None, [path_of(tmp_path, 20), path_of(tmp_path, 10)])
