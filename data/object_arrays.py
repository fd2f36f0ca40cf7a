"""Arrays of lists and of arrays out of .npy files, whose pickles may ask for anything.

The unpickler makes lists, numbers and inert stand-ins only. The stand-ins of NumPy's own arrays
are then read as plain bytes.
"""

from __future__ import annotations

import io
import pickle  # restricted, see `_Unpickler`
import re
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from data.pickles import MAX_NUMBERS, check_pickle

NUMPY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")
# What NumPy has put into pickled arrays over the years.
STOOD_IN_FOR = {
    *((module, name) for module in NUMPY_MODULES for name in ("_reconstruct", "scalar")),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def read_object_array(content: bytes) -> list[Any]:
    """The items of a pickled one-dimensional array, from the bytes of a .npy file.

    Items are lists of numbers, or arrays. Runs nothing that the pickle names. Raises
    pickle.UnpicklingError where it names what NumPy does not use, and ValueError where the
    content is not such an array.
    """
    file = io.BytesIO(content)
    if npy.read_magic(file) != (1, 0):
        raise ValueError("expected version 1.0 of the .npy format")
    npy.read_array_header_1_0(file)
    start = file.tell()
    check_pickle(content, start)
    file = io.BytesIO(_with_plain_numbers(content))
    file.seek(start)
    array = _Unpickler(file).load()
    # NumPy's state of an array: version, shape, dtype, whether in Fortran order, items.
    state = array.state if isinstance(array, _StandIn) else None
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[4], list):
        raise ValueError("expected a pickled array of lists")
    items, words = [], 0
    for each in state[4]:
        item = _array(each) if isinstance(each, _StandIn) else each
        words += len(item) if isinstance(item, (list, np.ndarray)) else 1
        if words > MAX_NUMBERS:  # a pickle can hold one long list under many names
            raise ValueError(f"expected at most {MAX_NUMBERS:,} words")
        items.append(item)
    return items


# A number of 32 bits of NumPy's, as protocol 4 has it: two remembered parts are called with its
# bytes, and the bytes, their tuple and the number are remembered.
SCALARS = re.compile(rb"(?:h.h.C\x04.{4}\x94\x86\x94R\x94){1,2000}+", re.DOTALL)
SCALAR_BYTES = 15
# As long, because frames hold their length; it takes as many places among the remembered parts.
PLAIN = b"K\x000N\x940N\x940J....\x94"
BIG_ENDIAN = re.compile(rb"(?:\x8c\x01|X\x01\0\0\0)>")  # the byte order of a type


def _with_plain_numbers(content: bytes) -> bytes:
    """The pickle with plain numbers for NumPy's, of which each would take 150 bytes of memory."""
    if BIG_ENDIAN.search(content):
        return content
    return SCALARS.sub(_plain_numbers, content)


def _plain_numbers(run: re.Match[bytes]) -> bytes:
    scalars = np.frombuffer(run[0], np.uint8).reshape(-1, SCALAR_BYTES)
    numbers = np.tile(np.frombuffer(PLAIN, np.uint8), (len(scalars), 1))
    numbers[:, 10:14] = scalars[:, 6:10]
    return numbers.tobytes()


class _StandIn:
    """An inert replacement for any class or function of a pickle. It keeps what it is given."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __repr__(self) -> str:
        return "an object"


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in STOOD_IN_FOR:
            raise pickle.UnpicklingError(f"an array of lists has no need of {module}.{name}")
        return _number if name == "scalar" else _StandIn


def _array(stand_in: _StandIn) -> NDArray[Any]:
    _, shape, dtype, fortran, content = stand_in.state
    flat = np.frombuffer(_bytes(content), _dtype(dtype))
    return flat.reshape(shape, order="F" if fortran else "C")


def _number(dtype: _StandIn, content: Any) -> Any:
    """The number that NumPy's `scalar` returns."""
    return np.frombuffer(_bytes(content), _dtype(dtype))[0]


def _dtype(stand_in: _StandIn) -> np.dtype[Any]:
    """An integer type: its name, such as "i4", is an argument; the order of bytes in its state."""
    name, order = stand_in.arguments[0], stand_in.state[1]
    if not isinstance(name, str) or name[:1] not in ("i", "u"):
        raise ValueError(f"expected whole numbers, found numbers of type {name}")
    return np.dtype(name).newbyteorder(order)


def _bytes(content: Any) -> bytes:
    """Bytes; the pickles of Python 2's protocol hold them as text in Latin-1."""
    if isinstance(content, _StandIn):
        text, _ = content.arguments
        return str(text).encode("latin-1")
    return bytes(content)
