"""Tensors as the bytes of a safetensors file, piece by piece and not copied, so that they can be hashed on the way."""

import json
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from runhive.errors import RunhiveError

CODES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.complex64: "C64",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint64: "U64", torch.uint32: "U32", torch.uint16: "U16", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def pieces_of(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Iterator[memoryview]:
    """The file of *tensors*, which are contiguous and on the CPU: its header, then the memory of each.

    The widest numbers come first, so that each lies at a multiple of its width.
    Raises RunhiveError where the format has no such numbers.
    """
    ordered = sorted(tensors.items(), key=lambda one: (-one[1].itemsize, one[0]))
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name, tensor in ordered:
        if tensor.dtype not in CODES:
            allowed = ", ".join(CODES.values())
            raise RunhiveError(f"a checkpoint cannot hold {name}, of {tensor.dtype}: make it one of {allowed}")
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": CODES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 8)
    yield memoryview(len(told).to_bytes(8, "little") + told)
    for _, tensor in ordered:
        yield tensor.reshape(-1).view(torch.uint8).numpy().data
