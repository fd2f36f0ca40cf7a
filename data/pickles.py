"""Pickles of lists or arrays of whole numbers, checked before they are unpickled.

A pickle is a program. A few bytes of it can ask for a table of two billion places or for lists
in lists in lists, so its instructions are read first: none but those that NumPy writes for an
array of lists, and no more of them than such an array needs.
"""

from __future__ import annotations

import pickle
import pickletools
import re

MAX_LISTS = 800_000  # and tuples, marks and entries of the table; arrays take 26 each
MAX_NUMBERS = 12_000_000  # counted as if each took the least bytes
MAX_TEXT = 1 << 20  # bytes; an array's numbers are one text

# Whole numbers of 1, 2 and 4 bytes, as many as one look at the pickle takes.
NUMBERS = re.compile(rb"(?:K.|M..|J....){1,2000}+", re.DOTALL)
LEAST = 2  # bytes of a number
# Numbers of NumPy's types: two remembered parts, `scalar` and the type, called with some bytes.
REMEMBER = rb"(?:\x94|q.|r...\x00)?"
SCALARS = re.compile(
    rb"(?:(?:h.|j....){2}C(?:\x01.|\x02..|\x04.{4}|\x08.{8})"
    + REMEMBER + rb"\x86" + REMEMBER + rb"R" + REMEMBER + rb"){1,2000}+",
    re.DOTALL,
)  # fmt: skip
LEAST_SCALAR = 10  # bytes of such a number; those that are remembered count for more
RARE = 20  # what an instruction counts for that an array has a few hundred times
WIDEST = 8  # bytes of a number in an array
# Instructions of one byte, and those that remember a part: 2,000 bytes at a look.
SHORT = re.compile(rb"(?:[\])(\x94t\x85\x86\x87RbN\x88\x89ae]|q.){1,1000}+", re.DOTALL)
RUNS = {  # by the first byte: the pattern, the least bytes of an instruction, whether of numbers
    **dict.fromkeys(b"KMJ", (NUMBERS, LEAST, True)),
    **dict.fromkeys(b"hj", (SCALARS, LEAST_SCALAR, True)),
    **dict.fromkeys(b"])(\x94t\x85\x86\x87RbN\x88\x89aeq", (SHORT, 1, False)),
}
# The other instructions and the bytes of their arguments.
LISTS = {
    pickle.EMPTY_LIST: 0, pickle.EMPTY_TUPLE: 0, pickle.MARK: 0, pickle.MEMOIZE: 0,
    pickle.TUPLE: 0, pickle.TUPLE1: 0, pickle.TUPLE2: 0, pickle.TUPLE3: 0,
    pickle.BINPUT: 1, pickle.LONG_BINPUT: 4, pickle.BINGET: 1, pickle.LONG_BINGET: 4,
    pickle.STACK_GLOBAL: 0, pickle.REDUCE: 0, pickle.BUILD: 0,
    pickle.NONE: 0, pickle.NEWTRUE: 0, pickle.NEWFALSE: 0,
    pickle.FRAME: 8, pickle.PROTO: 1,
    pickle.APPEND: 0, pickle.APPENDS: 0,
}  # fmt: skip
TEXTS = {  # the bytes of their length
    pickle.BINUNICODE: 4, pickle.SHORT_BINUNICODE: 1, pickle.BINBYTES: 4,
    pickle.SHORT_BINBYTES: 1, pickle.BINSTRING: 4, pickle.SHORT_BINSTRING: 1, pickle.LONG1: 1,
}  # fmt: skip
NAMES = {opcode.code.encode("latin-1"): opcode.name for opcode in pickletools.opcodes}


def check_pickle(content: bytes, start: int) -> None:
    """Raise pickle.UnpicklingError where the pickle at `start` is no plain array of lists."""
    place, numbers, lists = start, 0, 0
    while content[place : place + 1] != pickle.STOP:
        run = RUNS.get(content[place]) if place < len(content) else None
        if run and (found := run[0].match(content, place)):
            count = len(found[0]) // run[1]
            numbers += count if run[2] else 0
            lists += 0 if run[2] else count
            place = found.end()
        else:
            place, in_texts, cost = _after_one(content, place)
            numbers += in_texts
            lists += cost
        _check_counts(numbers, lists)


def _after_one(content: bytes, place: int) -> tuple[int, int, int]:
    """The place after an instruction, the numbers in its text, and what it counts for."""
    code = content[place : place + 1]
    first = place + 1
    if code in TEXTS:
        end = first + TEXTS[code]
        length = int.from_bytes(content[first:end], "little")
        if length > MAX_TEXT:
            raise pickle.UnpicklingError(f"an array of lists has no text of {length:,} bytes")
        return end + length, length // WIDEST, 2
    if code == pickle.GLOBAL:
        return _after_names(content, first), 0, RARE
    if code in LISTS:
        end = first + LISTS[code]
        if code == pickle.LONG_BINPUT:
            _check_place(int.from_bytes(content[first:end], "little"))
        return end, 0, RARE if code == pickle.FRAME else 1
    name = NAMES.get(code, "end of the file" if not code else repr(code))
    raise pickle.UnpicklingError(f"an array of lists has no need of {name}")


def _check_counts(numbers: int, lists: int) -> None:
    if numbers > MAX_NUMBERS or lists > MAX_LISTS:
        raise pickle.UnpicklingError(
            f"expected at most {MAX_NUMBERS:,} numbers and {MAX_LISTS:,} other instructions"
        )


def _check_place(place: int) -> None:
    if place > MAX_LISTS:
        raise pickle.UnpicklingError(f"an array of lists has no need of {place:,} remembered parts")


def _after_names(content: bytes, place: int) -> int:
    """The place after the two lines of a GLOBAL."""
    for _ in range(2):
        end = content.find(b"\n", place, place + MAX_TEXT)
        if end < 0:
            raise pickle.UnpicklingError("an array of lists has no name as long as that")
        place = end + 1
    return place
