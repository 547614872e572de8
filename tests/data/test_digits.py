"""The bundled digits."""

import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from sklearn.datasets import load_digits

from runhive.data.digits import write_digits
from runhive.errors import RunhiveError


def test_every_digit_is_an_image_of_its_pixels_in_one_split(tmp_path: Path) -> None:
    write_digits(tmp_path)

    bunch = load_digits()
    found = sorted(tmp_path.rglob("*.png"), key=lambda path: path.name)
    assert [path.name for path in found] == [f"{index:04d}.png" for index in range(1797)]
    assert [path.parent.name for path in found] == [str(digit) for digit in bunch.target]
    for index in (0, 1000, 1796):
        pixels = np.asarray(PIL.Image.open(found[index]))
        assert np.array_equal(pixels, np.rint(bunch.images[index] * 255 / 16))


def test_a_fifth_of_each_digit_is_for_validation(tmp_path: Path) -> None:
    write_digits(tmp_path)

    for digit in range(10):
        val = len(list((tmp_path / "val" / str(digit)).iterdir()))
        train = len(list((tmp_path / "train" / str(digit)).iterdir()))
        assert val == (val + train) // 5


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    write_digits(tmp_path / "a")
    write_digits(tmp_path / "b")

    def content(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.png")}

    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_missing_scikit_learn_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)

    with pytest.raises(RunhiveError, match=r"^scikit-learn is missing: pip install 'runhive\[train\]'$"):
        write_digits(tmp_path)
