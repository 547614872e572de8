"""Which images count as the same picture."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from runhive.data import duplicates
from runhive.data.duplicates import bands, dhash, find_duplicates, near_duplicates
from runhive.data.fingerprint import fingerprint
from runhive.data.images import find_images
from runhive.data.pixels import Examined
from runhive.formats.data_report import Duplicates
from runhive.formats.manifest import Image

Change = Callable[[PIL.Image.Image], PIL.Image.Image]


def photo(seed: int, size: tuple[int, int] = (120, 90)) -> PIL.Image.Image:
    """Soft blots of colour with some grain, as a photo has them."""
    rng = np.random.default_rng(seed)
    blots = PIL.Image.fromarray(rng.integers(256, size=(9, 12, 3), dtype=np.uint8)).resize(size)
    grain = rng.normal(0, 6, (size[1], size[0], 3))
    return PIL.Image.fromarray(np.clip(np.asarray(blots) + grain, 0, 255).astype(np.uint8))


def examined(image: PIL.Image.Image, path: str, folder: Path) -> Examined:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    image.save(folder / path)
    split, label, _ = path.split("/")
    digest = str(hash((folder / path).read_bytes()))
    return Examined(Image(path, split, label, digest, image.width, image.height), 1, fingerprint(image))


def found(folder: Path) -> list[tuple[str, list[str]]]:
    everything = find_images(folder)
    return [(one.kind, one.images) for one in find_duplicates(everything.examined, folder)]


def as_jpeg(quality: int) -> Change:
    def change(image: PIL.Image.Image) -> PIL.Image.Image:
        content = io.BytesIO()
        image.save(content, "JPEG", quality=quality)
        return PIL.Image.open(content)

    return change


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten different photos, five in each class."""
    for index in range(10):
        split, label = ("train", "val")[index % 2], ("ants", "bees")[index // 5]
        examined(photo(index), f"{split}/{label}/{index}.png", tmp_path)
    return tmp_path


def test_different_photos_are_no_duplicates(folder: Path) -> None:
    assert found(folder) == []


def test_a_copied_file_is_the_same_bytes(folder: Path) -> None:
    examined(photo(0), "val/ants/copy.png", folder)

    assert found(folder) == [("bytes", ["train/ants/0.png", "val/ants/copy.png"])]


def test_another_file_of_the_same_pixels_is_the_same_pixels(folder: Path) -> None:
    examined(photo(0), "val/ants/copy.bmp", folder)

    assert found(folder) == [("pixels", ["train/ants/0.png", "val/ants/copy.bmp"])]


CHANGES: dict[str, Change] = {
    "saved badly": as_jpeg(20),
    "smaller": lambda image: image.resize((80, 60), PIL.Image.Resampling.LANCZOS),
    "squeezed": lambda image: image.resize((90, 90)),
    "grey": lambda image: image.convert("L"),
    "brighter": lambda image: image.point(lambda level: min(255, int(level * 1.1 + 5))),
    "paler": lambda image: image.point(lambda level: int(128 + (level - 128) * 0.8)),
    "softer": lambda image: image.filter(PIL.ImageFilter.GaussianBlur(1)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_nearly_the_same(change: str, folder: Path) -> None:
    examined(CHANGES[change](photo(0)), "val/ants/copy.png", folder)

    assert found(folder) == [("near", ["train/ants/0.png", "val/ants/copy.png"])]


def test_all_copies_of_one_picture_are_one_group_by_the_loosest_likeness(folder: Path) -> None:
    examined(photo(0), "train/ants/copy.png", folder)
    examined(photo(0), "train/ants/copy.bmp", folder)
    examined(as_jpeg(50)(photo(0)), "val/bees/copy.jpg", folder)

    (group,) = find_duplicates(find_images(folder).examined, folder)
    assert (group.kind, group.splits, group.labels) == ("near", ["train", "val"], ["ants", "bees"])
    assert group.images == ["train/ants/0.png", "train/ants/copy.bmp", "train/ants/copy.png", "val/bees/copy.jpg"]


def test_groups_in_several_splits_come_first_and_those_in_several_classes_next(folder: Path) -> None:
    examined(photo(0), "train/ants/a.png", folder)
    examined(photo(2), "train/bees/b.png", folder)
    examined(photo(4), "val/ants/c.png", folder)

    assert [images[1] for _, images in found(folder)] == ["val/ants/c.png", "train/bees/b.png", "train/ants/a.png"]


def test_very_small_images_are_the_same_only_in_every_pixel(folder: Path) -> None:
    first = photo(20, (31, 90))
    examined(first, "train/ants/small.png", folder)
    examined(first, "val/ants/same.bmp", folder)
    examined(first.point(lambda level: level ^ 1), "val/ants/nearly.png", folder)

    assert found(folder) == [("pixels", ["train/ants/small.png", "val/ants/same.bmp"])]


def test_shapes_on_an_empty_ground_are_told_apart(tmp_path: Path) -> None:
    """Nearly all of their hash is 0: the hash alone takes them for one picture."""
    images = []
    for index in range(30):
        image = PIL.Image.new("L", (64, 64), 255)
        image.paste(0, (10 + index % 6 * 5, 12 + index // 6 * 6, 28 + index % 6 * 5, 26 + index // 6 * 6))
        images.append(fingerprint(image.convert("RGB")))

    assert near_duplicates(images) == []


def test_flat_images_are_the_same_only_where_they_look_equal(tmp_path: Path) -> None:
    flat = [fingerprint(PIL.Image.new("RGB", (64, 64), (level,) * 3)) for level in (0, 100, 200, 255)]

    assert near_duplicates(flat) == []


def test_hashes_that_differ_in_few_bits_agree_in_a_band() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        value = int(rng.integers(2**63)) * 2 + 1
        other = value
        for bit in rng.choice(64, duplicates.MOST_BITS, replace=False):
            other ^= 1 << int(bit)

        assert any(one == two for one, two in zip(bands(value), bands(other), strict=True))


def test_the_hash_has_a_bit_where_it_gets_brighter_to_the_right() -> None:
    brighter = np.tile(np.arange(18, dtype=np.uint8), (1, 16, 1))

    assert dhash(brighter).tolist() == [2**64 - 1]
    assert dhash(brighter[:, :, ::-1]).tolist() == [0]


def test_copies_meet_in_a_crowded_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where many pictures share a band, each is compared with those of about its brightness."""
    monkeypatch.setattr(duplicates, "MOST_COMPARED", 4)
    looks = []
    for index in range(60):
        image = PIL.Image.new("RGB", (64, 64), "white")
        image.paste((4 * index,) * 3, (8 + index % 30, 8, 40 + index % 7, 40 + index % 11))
        looks.append(fingerprint(image))
    copy = bytes(min(255, level + 1) for level in looks[30])
    (group,) = near_duplicates([*looks, copy])

    assert set(group) == {looks[30], copy}


def test_the_groups_do_not_depend_on_the_order_of_the_files(folder: Path) -> None:
    examined(photo(0), "val/ants/copy.png", folder)
    examined(as_jpeg(50)(photo(3)), "train/bees/copy.jpg", folder)
    everything = find_images(folder).examined

    def groups(some: list[Examined]) -> list[Duplicates]:
        return find_duplicates(some, folder)

    assert groups(everything) == groups(everything[::-1]) != []
