"""Data that a repository tracks with DVC, from a real repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fetching import fetch

from runhive.errors import RunhiveError
from runhive.formats.data_report import DataReport
from runhive.formats.manifest import read_manifest
from runhive.stages import paths


def run(folder: Path, *command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def commit(folder: Path, message: str) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", message)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a DVC remote: `set` and `set.zip` tracked, tag v1 with an image fewer, and no cache."""
    outer = tmp_path_factory.mktemp("outer")
    folder = outer / "registry"
    run(outer, "git", "init", "-q", "-b", "main", str(folder))
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "remote", "add", "-q", "-d", "here", str(outer / "remote"))
    write_images(folder / "set", 3)
    shutil.make_archive(str(folder / "set"), "zip", folder, "set")
    run(folder, "dvc", "add", "-q", "set", "set.zip")
    commit(folder, "First")
    run(folder, "git", "tag", "v1")
    run(folder, "dvc", "push", "-q")
    write_images(folder / "set", 4)
    run(folder, "dvc", "add", "-q", "set")
    commit(folder, "Second")
    run(folder, "dvc", "push", "-q")
    shutil.rmtree(folder / ".dvc" / "cache")
    shutil.rmtree(folder / "set")
    return folder


def write_images(folder: Path, count: int) -> None:
    """Draw *count* images a class to train and two to validate, as grey squares."""
    import PIL.Image

    for split, number in (("train", count), ("val", 2)):
        for shade, label in enumerate(("ants", "bees")):
            (folder / split / label).mkdir(parents=True, exist_ok=True)
            for index in range(number):
                grey = 50 * shade + 10 * index + (100 if split == "val" else 0)
                PIL.Image.new("L", (5, 4), grey).save(folder / split / label / f"{index}.png")


def counts(report: DataReport) -> int:
    return sum(sum(labels.values()) for labels in report.counts.values())


@pytest.mark.parametrize(("rev", "images"), [(None, 12), ("v1", 10), ("main", 12)])
def test_a_folder_is_had_at_its_revision(repository: Path, registry: Path, rev: str | None, images: int) -> None:
    url = f"file://{registry}" if rev == "main" else str(registry)

    report = fetch("dvc", url, path="set", rev=rev)

    assert counts(report) == len(read_manifest(paths.MANIFEST)) == images
    assert report.source == f"{url} set" + (f" at {rev}" if rev else "")


def test_an_archive_is_had_and_unpacked(repository: Path, registry: Path) -> None:
    assert counts(fetch("dvc", str(registry), path="set.zip", rev="v1")) == 10


def test_what_this_repository_tracks_needs_no_address(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(registry, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    run(Path.cwd(), "dvc", "pull", "-q")

    assert counts(fetch("dvc", None, path="set")) == 12
    assert counts(fetch("dvc", None, path="set", rev="v1")) == 10


@pytest.mark.parametrize(
    ("path", "rev", "words"),
    [
        ("nowhere", None, "nowhere cannot be had from"),
        ("set", "v9", "set at v9 cannot be had from"),
        ("set.dvc", None, "registry set.dvc is refused: it is neither a zip nor a tar"),
    ],
)
def test_what_is_not_tracked_is_one_line(
    repository: Path, registry: Path, path: str, rev: str | None, words: str
) -> None:
    with pytest.raises(RunhiveError, match=words) as caught:
        fetch("dvc", str(registry), path=path, rev=rev)
    assert str(caught.value).isprintable()
    assert not list(Path("data").iterdir())


def test_a_repository_that_is_none_is_one_line(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(RunhiveError, match=r"set cannot be had from .*mend data.url"):
        fetch("dvc", str(tmp_path / "nowhere"), path="set")
