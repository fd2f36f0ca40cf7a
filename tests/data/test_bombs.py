"""Files that promise more than they hold are refused at once, in little memory."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from data import images
from data.imdb import load_imdb
from data.object_arrays import read_object_array
from data.pickles import check_pickle
from experiments.paths import ROOT
from experiments.runs import checkpoints
from tests.real_data import real_data

MEGABYTES = 500  # beyond what Python and the imports take
SECONDS = 1.0  # of the processor, for the refusal alone

CHILD = """
import resource, sys
from pathlib import Path
{imports}
path = Path(sys.argv[1])
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + ({megabytes} << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
began = resource.getrusage(resource.RUSAGE_SELF)
try:
    {call}
except Exception as error:
    assert "\\n" not in str(error)
    print(type(error).__name__, error)
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime - began.ru_utime + used.ru_stime - began.ru_stime)
"""
READERS = {
    "imdb": ("from data.imdb import load_imdb", "load_imdb(path, trust_unknown_file=True)"),
    "checkpoint": ("from experiments.runs import checkpoints", "checkpoints.load(path)"),
    "idx": (
        "from data import images",
        "images.read_idx(path.parent, images.TRAIN_PIXELS)",
    ),
    "yaml": ("from experiments.config.yaml_file import read_yaml", "read_yaml(path)"),
    "text": ("from data.files import read", "read(path, None)"),
}  # fmt: skip


def refusal(kind: str, path: Path) -> str:
    """The error with which a child process refuses the file, within its memory and time."""
    imports, call = READERS[kind]
    program = CHILD.format(imports=imports, call=call, megabytes=MEGABYTES)
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    message, seconds = done.stdout.splitlines()
    assert not message.startswith("MemoryError")
    assert float(seconds) < SECONDS
    return message


def npy_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    npy.write_array(buffer, array)
    return buffer.getvalue()


def header(shape: tuple[int, ...], dtype: str) -> bytes:
    buffer = io.BytesIO()
    npy.write_array_header_1_0(buffer, {"descr": dtype, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def imdb_with(path: Path, reviews: bytes) -> Path:
    """An imdb.npz with this pickle as the training reviews."""
    labels = npy_bytes(np.zeros(25_000, np.int64))
    content = header((25_000,), "|O") + reviews
    return archive(path, x_train=content, y_train=labels, x_test=content, y_test=labels)


def array_of(items: bytes) -> bytes:
    """A pickle of NumPy's array whose state holds what `items` pushes."""
    head = pickle.dumps(np.empty(0, object), 2)
    place = head.rindex(b"]")  # the list of the items
    return head[:place] + items + head[place + 3 :]  # without the ] and its BINPUT


def repeated(item: object, count: int) -> np.ndarray:
    """An array that holds one object many times."""
    array = np.empty(count, object)
    for place in range(count):
        array[place] = item
    return array


PICKLES: dict[str, tuple[bytes, str]] = {
    "memo": (b"\x80\x02]r" + struct.pack("<I", 2**31 - 1) + b".", "remembered parts"),
    "nested": (b"\x80\x02" + b"]" * 50_000_000 + b".", "other instructions"),
    "tuples": (b"\x80\x02)" + b"\x85" * 20_000_000 + b".", "other instructions"),
    "marks": (b"\x80\x02" + b"(" * 50_000_000 + b".", "other instructions"),
    "numbers": (b"\x80\x02](" + b"M\x01\x02" * 20_000_000 + b"e.", "12,000,000 numbers"),
    "text": (b"\x80\x02X" + struct.pack("<I", 2**31) + b".", "no text of 2,147,483,648 bytes"),
    "long text": (b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b".", "no need of BINUNICODE8"),
    "frame": (b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"].", ""),
    "long": (b"\x80\x02\x8b" + struct.pack("<i", 2**30) + b".", "no need of LONG4"),
    "dict": (b"\x80\x02" + b"}" * 100 + b".", "no need of EMPTY_DICT"),
    "cut": (b"\x80\x02](K\x01", "no need of end of the file"),
    "one list under many names": (
        array_of(b"]q\x20(" + b"]q\x21(" + b"K\x01" * 100_000 + b"e" + b"h\x21" * 24_999 + b"e"),
        "expected at most 12,000,000 words",
    ),
    "one array under many names": (
        pickle.dumps(repeated(np.ones(1 << 16, np.int64), 25_000), 2),
        "expected at most 12,000,000 words",
    ),
    "lists of lists": (
        array_of(b"](" + b"](]e" * 25_000 + b"e"),
        "expected a list of ranks from 1",
    ),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_that_asks_for_too_much_is_refused(name: str, tmp_path: Path) -> None:
    content, reason = PICKLES[name]
    path = imdb_with(tmp_path / "imdb.npz", content)
    message = refusal("imdb", path)
    assert message.startswith(f"DataError {path}: not IMDB as Keras stores it: ")
    assert reason in message


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_an_array_of_lists_is_read_whatever_its_protocol(protocol: int) -> None:
    reviews = np.empty(3, object)
    reviews[:] = [[1, 300, 70_000], [2**30], list(range(1, 5000))]
    content = header((3,), "|O") + pickle.dumps(reviews, protocol)
    assert read_object_array(content) == reviews.tolist()


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, ">i4"])
def test_lists_of_numpy_s_numbers_are_read(dtype: np.typing.DTypeLike) -> None:
    reviews = np.empty(30, object)
    reviews[:] = [list(np.arange(1, 250).astype(dtype)) for _ in range(30)]
    content = header((30,), "|O") + pickle.dumps(reviews, 4)
    assert read_object_array(content) == reviews.tolist()


def test_numpy_s_numbers_take_no_more_memory_than_others() -> None:
    reviews = np.empty(100, object)
    reviews[:] = [list(np.arange(1000, 2000, dtype=np.int32)) for _ in range(100)]
    content = header((100,), "|O") + pickle.dumps(reviews, 4)
    tracemalloc.start()
    read_object_array(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / 100_000 < 110  # bytes; 167 where each is made as the pickle says


def test_imdb_itself_passes() -> None:
    with zipfile.ZipFile(real_data("imdb") / "imdb.npz") as file:
        content = file.read("x_train.npy")
    check_pickle(content, len(header((25_000,), "|O")))


def stored_with_size(path: Path, name: str, size: int) -> None:
    """Let the archive's directory say that a member has `size` bytes, unpacked and packed."""
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    assert name.encode() in content[place:]
    struct.pack_into("<II", content, place + 20, size, size)
    path.write_bytes(content)


def bomb_of_zeros(path: Path) -> Path:
    """2 GB of zeros in 2 MB."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("x_train.npy", "w") as member,
    ):
        for _ in range(2000):
            member.write(bytes(1_000_000))
    return path


def header_alone(path: Path) -> Path:
    """An array of 2^40 numbers, without the numbers."""
    return archive(path, position=header((2**40,), "<f8"), y_train=header((2**40,), "<f8"))


def lying_directory(path: Path) -> Path:
    archive(path, position=npy_bytes(np.zeros(3)))
    stored_with_size(path, "position", 2**31)
    return path


def other_packing(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as file:
        file.writestr("position.npy", bytes(200_000_000))
    return path


def many_members(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(20_000):
            file.writestr(f"{number}.npy", b"")
    return path


@pytest.mark.parametrize("kind", ["imdb", "checkpoint"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (bomb_of_zeros, "expected at most "),
        (lying_directory, "cannot hold them"),
        (other_packing, "stored or deflated"),
        (many_members, "expected at most 10,000 members"),
    ],
)
def test_an_archive_that_promises_too_much_is_refused(
    make: Callable[[Path], Path], reason: str, kind: str, tmp_path: Path
) -> None:
    assert reason in refusal(kind, make(tmp_path / "file.npz"))


def test_an_array_that_its_file_does_not_hold_is_refused(tmp_path: Path) -> None:
    message = refusal("checkpoint", header_alone(tmp_path / "file.npz"))
    assert "position.npy: its header promises 8,796,093,022," in message


def test_a_pickle_in_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.npz"
    np.savez(path, position=np.array([{}], object))
    with pytest.raises(ValueError, match="expected numbers or text, found objects"):
        checkpoints.load(path)


@pytest.mark.parametrize("target", ["/dev/zero", "a folder"])
def test_a_checkpoint_that_is_no_file_is_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    path = tmp_path / "file.npz"
    path.symlink_to(target)
    with pytest.raises(ValueError, match="expected a file"):
        checkpoints.load(path)


def sparse(path: Path, size: int) -> Path:
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def test_a_file_larger_than_any_data_is_refused(tmp_path: Path) -> None:
    message = refusal("text", sparse(tmp_path / "text.txt", 1 << 42))
    assert message.endswith("expected at most 1,073,741,824 bytes, found 4,398,046,511,104")
    assert "found 4,398,046,511,104" in refusal("imdb", sparse(tmp_path / "imdb.npz", 1 << 42))
    assert "more than the memory" in refusal("checkpoint", sparse(tmp_path / "c.npz", 1 << 42))


IDX = struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 28, 28)


def test_a_header_of_many_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{images.TRAIN_PIXELS.name}.gz"
    path.write_bytes(gzip.compress(IDX))
    assert "expected the dimensions 60000×28×28, found 2147483648×28×28" in refusal("idx", path)


def test_a_packed_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{images.TRAIN_PIXELS.name}.gz"
    start = struct.pack(">4B3I", 0, 0, 8, 3, 60_000, 28, 28)
    with gzip.open(path, "wb", 9) as file:
        file.write(start)
        for _ in range(2000):
            file.write(bytes(1_000_000))
    message = refusal("idx", path)
    assert "expected the size, unpacked, 47,040,016 bytes, found more than 47,040,016" in message


def test_aliases_of_aliases_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    path.write_text("\n".join(lines))
    assert "expected at most 200,000 values" in refusal("yaml", path)


def test_a_file_that_is_as_it_should_be_is_read(tmp_path: Path) -> None:
    reviews = np.empty(25_000, object)
    reviews[:] = [[1, 2, 3]] * 25_000
    labels = np.zeros(25_000, np.int64)
    path = tmp_path / "imdb.npz"
    np.savez_compressed(path, x_train=reviews, y_train=labels, x_test=reviews, y_test=labels)
    assert len(load_imdb(path, trust_unknown_file=True).train.ranks) == 25_000
