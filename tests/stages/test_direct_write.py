"""Tensors reach the disk as the library would read them, with the hash of what was written."""

import hashlib
import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from runhive.errors import RunhiveError
from runhive.stages.direct_write import BLOCK_BYTES, _pass_cache, write_direct
from runhive.stages.tensor_file import CODES, pieces_of


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("direct") / "file"


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0],
        [1, 0, 4096],
        [BLOCK_BYTES],
        [BLOCK_BYTES - 1, 2],
        [3, BLOCK_BYTES, BLOCK_BYTES + 1],
        [2 * BLOCK_BYTES, 5],
    ],
)
def test_what_is_written_is_all_of_the_pieces_in_their_order_and_has_their_hash(
    sizes: Sequence[int], file: Path
) -> None:
    pieces = [os.urandom(min(size, 64)).ljust(size, bytes([number])) for number, size in enumerate(sizes)]
    digest = write_direct(file, map(memoryview, pieces))
    whole = b"".join(pieces)

    assert file.read_bytes() == whole
    assert digest == hashlib.sha256(whole).hexdigest()


def test_a_file_that_was_there_and_longer_is_replaced(file: Path) -> None:
    file.write_bytes(b"longer than what comes")
    write_direct(file, [memoryview(b"short")])

    assert file.read_bytes() == b"short"


def takes_direct(file: Path) -> bool:
    """Can *file* be written past the page cache, where it lies?"""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_DIRECT))
    except OSError:
        return False
    return True


def test_the_page_cache_is_passed_where_the_file_system_can_and_only_there(file: Path) -> None:
    file.touch()
    with FileIO(file, "r+") as one, FileIO("/proc/self/comm", "r+") as none:
        assert _pass_cache(one, True) == takes_direct(file)
        assert _pass_cache(one, False) == takes_direct(file)
        assert not _pass_cache(none, True)


def tensors() -> dict[str, Tensor]:
    """One of each kind of number, of odd sizes, and the shapes that have no numbers or no sides."""
    found = {str(dtype): torch.arange(7).reshape(7, 1).to(dtype) for dtype in CODES}
    return found | {"none": torch.empty(0, 3), "one": torch.tensor(2.5), 'a "name"\né': torch.ones(3, dtype=torch.bool)}


def test_safetensors_reads_every_kind_of_number_back(file: Path) -> None:
    write_direct(file, pieces_of(tensors(), {"said": "ö"}))
    found = load(file.read_bytes())

    assert found.keys() == tensors().keys()
    for name, tensor in tensors().items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_numbers_that_the_format_lacks_are_named() -> None:
    with pytest.raises(
        RunhiveError, match=r"a checkpoint cannot hold network/w, of torch\.complex128: make it one of F64, "
    ):
        list(pieces_of({"network/w": torch.ones(2, dtype=torch.complex128)}, {}))
