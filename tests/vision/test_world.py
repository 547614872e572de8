"""Several processes learn and measure what one does with the same global batch."""

import subprocess
import sys
from pathlib import Path
from shutil import copy

import pytest
import torch
from processes import SIZES
from small import OWN

from runhive.vision.augment import Labelled

Found = dict[tuple[int, int], dict[str, object]]


@pytest.fixture(scope="module")
def found(drawn: Labelled, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What each process found, by their number and its rank."""
    folder = tmp_path_factory.mktemp("processes")
    (folder / "own.py").write_text(OWN)
    for path in drawn.paths:
        copy(path, folder)
    subprocess.run([sys.executable, Path(__file__).with_name("processes.py"), folder], check=True)
    return {(size, rank): torch.load(folder / f"{size}-{rank}.pt") for size in SIZES for rank in range(size)}


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize(
    ("name", "tolerance"), [("gradients fp32", 1e-5), ("gradients fp64", 1e-12), ("gradients of pieces", 1e-12)]
)
def test_the_first_gradients_are_those_of_one_process(name: str, tolerance: float, size: int, found: Found) -> None:
    alone = torch.cat([one.flatten() for one in found[1, 0][name]])
    for rank in range(size):
        together = torch.cat([one.flatten() for one in found[size, rank][name]])

        assert float((together - alone).norm() / alone.norm()) <= tolerance


@pytest.mark.parametrize("size", [2, 3])
def test_a_network_that_stays_as_it_is_is_measured_to_the_same_numbers(size: int, found: Found) -> None:
    """Ten images in two batches: three processes cannot share them evenly."""
    alone = [row[1:] for row in found[1, 0]["still"][1]]

    assert alone[0][0] > 0
    assert all([row[1:] for row in found[size, rank]["still"][1]] == alone for rank in range(size))


@pytest.mark.parametrize("size", [2, 3])
def test_a_frozen_network_learns_the_same_bits_in_any_number_of_processes(size: int, found: Found) -> None:
    weights, numbers = found[1, 0]["frozen"]
    for rank in range(size):
        others, told = found[size, rank]["frozen"]

        assert all(torch.equal(one, other) for one, other in zip(weights, others, strict=True))
        assert told == numbers


@pytest.mark.parametrize("size", [2, 3])
def test_all_processes_end_with_the_same_weights_which_are_those_of_one_but_for_rounding(
    size: int, found: Found
) -> None:
    alone, numbers = found[1, 0]["finetune"]
    weights, told = found[size, 0]["finetune"]

    for rank in range(1, size):
        assert all(torch.equal(*pair) for pair in zip(weights, found[size, rank]["finetune"][0], strict=True))
        assert found[size, rank]["finetune"][1] == told
    for one, other in zip(alone, weights, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)
    assert told == [pytest.approx(row, rel=1e-4) for row in numbers]
