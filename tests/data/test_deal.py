"""Class folders that come without splits are dealt by what is in the files."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from fetching import fetch
from hypothesis import given
from hypothesis import strategies as st

from runhive.data.deal import place_of
from runhive.errors import RunhiveError
from runhive.formats.manifest import read_manifest
from runhive.params import Split
from runhive.stages import paths

Draw = Callable[..., Path]
SPLIT = {"val": 0.25, "test": 0.2}
shares = st.floats(0.001, 0.998)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


@pytest.fixture
def plain(tmp_path: Path, draw: Draw) -> Path:
    """Two classes of forty images, unsplit."""
    for label in ("ants", "bees"):
        for index in range(40):
            draw(tmp_path / "plain" / label / f"{index}.png", size=(6, 5))
    return tmp_path / "plain"


def splits_by_content() -> dict[str, str]:
    return {image.sha256: image.split for image in read_manifest(paths.MANIFEST)}


def test_every_image_falls_to_one_split_of_about_its_share(repository: Path, plain: Path) -> None:
    report = fetch("folder", str(plain), split=SPLIT)

    images = read_manifest(paths.MANIFEST)
    counts = Counter(image.split for image in images)
    assert len(images) == 80
    assert all(image.path == f"{image.split}/{image.label}/{Path(image.path).name}" for image in images)
    assert 8 <= counts["val"] <= 32 and 6 <= counts["test"] <= 28
    assert list(report.counts) == ["train", "val", "test"]


def test_no_image_moves_when_others_come_go_or_are_renamed(repository: Path, plain: Path, draw: Draw) -> None:
    fetch("folder", str(plain), split=SPLIT)
    before = splits_by_content()
    for path in random.Random(0).sample(sorted(plain.rglob("*.png")), 30):
        path.unlink() if path.stem < "2" else path.rename(path.with_name(f"new-{path.name}"))
    for index in range(30):
        draw(plain / "ants" / f"more{index}.png", size=(6, 5))

    fetch("folder", str(plain), split=SPLIT)

    after = splits_by_content()
    assert len(after) > 60
    assert all(before[sha256] == split for sha256, split in after.items() if sha256 in before)


def test_equal_images_fall_to_one_split_also_in_two_classes(
    repository: Path, plain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in list((plain / "ants").iterdir()):
        shutil.copy(path, plain / "bees" / f"same-{path.name}")

    fetch("folder", str(plain), split=SPLIT)

    splits: dict[str, set[str]] = {}
    for image in read_manifest(paths.MANIFEST):
        splits.setdefault(image.sha256, set()).add(image.split)
    assert len(splits) == 80
    assert all(len(found) == 1 for found in splits.values())
    assert "more than one split" not in capsys.readouterr().err


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_a_folder_and_an_archive_of_it_are_dealt_alike(repository: Path, plain: Path, form: str) -> None:
    before = sorted(plain.rglob("*"))
    fetch("folder", str(plain), split=SPLIT)
    first = paths.MANIFEST.read_bytes()
    archive = shutil.make_archive(str(plain), "zip", plain.parent, "plain")

    fetch("archive", archive, split=SPLIT)

    assert paths.MANIFEST.read_bytes() == first
    assert sorted(plain.rglob("*")) == before


@given(digests, shares, shares)
def test_a_larger_share_takes_nothing_from_itself(sha256: str, val: float, test: float) -> None:
    """val grows without losing an image, whatever the share of test, and the other way round."""
    val, test = val / 2, test / 2
    found = place_of(sha256, Split(val=val, test=test))

    if found == "val":
        assert place_of(sha256, Split(val=0.5, test=test)) == "val"
    if found == "test":
        assert place_of(sha256, Split(val=val, test=0.499)) == "test"
    assert place_of(sha256, Split(val=val, test=0)) == ("val" if found == "val" else "train")


def test_a_class_of_which_a_split_gets_nothing_is_named(repository: Path, plain: Path, draw: Draw) -> None:
    draw(plain / "flies" / "only.png")

    with pytest.raises(RunhiveError, match=r"^data.split: none of the 1 files of flies falls to \w+.*: add images"):
        fetch("folder", str(plain), split=SPLIT)
    assert not list(Path("data").iterdir())


def test_an_empty_class_is_named(repository: Path, plain: Path) -> None:
    (plain / "flies").mkdir()

    with pytest.raises(RunhiveError, match=r"^flies is empty"):
        fetch("folder", str(plain), split=SPLIT)


def test_data_that_come_split_are_not_dealt_again(repository: Path, data_set: Path) -> None:
    with pytest.raises(RunhiveError, match=r"source holds train, val: expected <class>/\*; set data.split to null"):
        fetch("folder", str(data_set), split=SPLIT)


def test_what_is_no_image_is_left_out_with_its_reason(repository: Path, plain: Path) -> None:
    (plain / "ants" / "link.png").symlink_to("0.png")
    (plain / "ants" / "empty.png").write_bytes(b"")
    (plain / "stray.png").write_bytes(b"")
    (plain / ".hidden").mkdir()
    (plain / "__MACOSX").mkdir()
    shutil.copy(plain / "ants" / "0.png", os.fsencode(plain / "ants") + b"/\xff.png")

    report = fetch("folder", str(plain), "skip", split=SPLIT)

    found = {Path(one.path).name: one.reason for one in report.left_out}
    assert found == {
        "link.png": "a symbolic link",
        "empty.png": "empty file",
        "stray.png": "not in a class folder",
        "\\udcff.png": "its name is not UTF-8",
    }
    assert report.classes == ["ants", "bees"]
