"""Read of an ONNX file what has to be known before ONNX Runtime opens it: its metadata, and files that it points at.

The message types and field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
Weights are stepped over, so this takes milliseconds and no memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

# Message type to the fields that lead to tensors: field number to message type.
PARTS = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {},
}
METADATA = 14  # of a model
EXTERNAL_DATA, DATA_LOCATION = 13, 14  # of a tensor
KEY, VALUE = 1, 2  # of an entry
DEEPEST = 64  # nested messages, as in graphs within graphs
IN_THE_FILE = 0  # the usual data_location
VARINT, LENGTH = 0, 2
FIXED = {1: 8, 5: 4}  # wire type to bytes


class NotOnnx(Exception):
    """Why bytes are no whole ONNX file, in words that follow its name."""


@dataclass(frozen=True)
class Outline:
    """The metadata of a file, and where its tensors say that they lie outside of it."""

    metadata: dict[str, str]
    outside: list[str]


def outline(content: bytes) -> Outline:
    """Walk the messages of an ONNX file. Raises NotOnnx where it is damaged or cut off."""
    model = memoryview(content)
    metadata = dict(_entry(value) for number, value in _fields(model) if number == METADATA)
    return Outline(metadata, list(_outside(model, "model", 0)))


def _outside(message: memoryview, kind: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise NotOnnx("its graphs are nested too deep")
    parts = PARTS[kind]
    for number, value in _fields(message):
        if number in parts and isinstance(value, memoryview):
            yield from _outside(value, parts[number], depth + 1)
        elif kind == "tensor" and number == EXTERNAL_DATA:
            key, path = _entry(value)
            if key == "location":
                yield path
        elif kind == "tensor" and number == DATA_LOCATION and value != IN_THE_FILE:
            yield "a file"


def _entry(message: memoryview | int) -> tuple[str, str]:
    """A key with its value."""
    if isinstance(message, int):
        raise NotOnnx("it is no ONNX file, or damaged")
    found = dict(_fields(message))
    key, value = found.get(KEY, b""), found.get(VALUE, b"")
    try:
        return bytes(key).decode(), bytes(value).decode()
    except UnicodeDecodeError:
        raise NotOnnx("its metadata is not UTF-8") from None


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """The number of each field with its bytes or its integer; those of a fixed size, which no part is, are left out."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire in (VARINT, LENGTH):
            value, at = _varint(message, at)
        if wire == VARINT:
            yield number, value
            continue
        size = value if wire == LENGTH else FIXED.get(wire)
        if size is None:
            raise NotOnnx("it is no ONNX file, or damaged")
        if at + size > len(message):
            raise NotOnnx("it is cut off or damaged")
        if wire == LENGTH:
            yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """An unsigned number of up to ten bytes, and where it ends."""
    result = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise NotOnnx("it is cut off or damaged")
        result |= (message[at] & 0x7F) << shift
        at += 1
        if message[at - 1] < 0x80:
            return result, at
    raise NotOnnx("it is no ONNX file, or damaged")
