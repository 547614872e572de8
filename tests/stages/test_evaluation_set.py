"""The images that evaluate and export work on."""

from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.formats.manifest import Image, write_manifest
from runhive.stages import paths
from runhive.stages.evaluation_set import evaluation_images


@pytest.fixture(autouse=True)
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths.MANIFEST.parent.mkdir()
    names = ("train", "val", "night")
    write_manifest(paths.MANIFEST, [Image(f"{name}/ants/a.png", name, "ants", "0" * 64, 1, 1) for name in names])


def test_any_split_of_the_manifest_is_a_set() -> None:
    assert [image.path for image in evaluation_images("night")] == ["night/ants/a.png"]


@pytest.mark.parametrize(("split", "near"), [("nigth", "night"), ("test", "val")])
def test_one_that_the_data_lack_gets_the_nearest_that_they_have(split: str, near: str) -> None:
    with pytest.raises(RunhiveError, match=rf"no {split} images: set it to {near}, of night, val$"):
        evaluation_images(split)
