"""Data at addresses that fsspec knows, on file systems of its own that need no network."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fetching import fetch

from runhive.data import stores
from runhive.errors import RunhiveError
from runhive.formats.manifest import read_manifest
from runhive.stages import paths


@pytest.fixture
def store(data_set: Path, zipped: Path) -> Iterator[fsspec.AbstractFileSystem]:
    """A store in memory that holds the data set as a folder and as an archive."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    memory.put(str(data_set), "/bucket/set", recursive=True)
    memory.put(str(zipped), "/bucket/set.zip")
    yield memory
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.mark.parametrize(("source", "url"), [("folder", "memory://bucket/set"), ("archive", "memory://bucket/set.zip")])
def test_a_store_gives_what_the_folder_holds(
    repository: Path, store: object, data_set: Path, source: str, url: str
) -> None:
    there = fetch(source, url)
    manifest = paths.MANIFEST.read_bytes()

    assert there.source == url
    assert there.digest == fetch("folder", str(data_set)).digest
    assert paths.MANIFEST.read_bytes() == manifest


@pytest.mark.parametrize("form", ["zip://insects::file://{}", "zip://::{}", "zip://::memory://bucket/set.zip"])
def test_addresses_may_be_chained(repository: Path, store: object, zipped: Path, form: str) -> None:
    fetch("folder", form.format(zipped))

    assert len(read_manifest(paths.MANIFEST)) == 10


def test_class_folders_in_a_store_are_dealt_and_a_store_has_evaluation_sets(
    repository: Path, store: Any, data_set: Path
) -> None:
    shutil.copytree(data_set / "val", data_set.parent / "night")
    store.put(str(data_set / "val"), "/bucket/night", recursive=True)

    report = fetch(
        "folder", str(data_set), evaluation_sets={"night": "memory://bucket/night", "again": "memory://bucket/night"}
    )

    assert report.counts["night"] == report.counts["again"] == report.counts["val"]


def test_more_files_than_are_fetched_at_once_all_come(
    repository: Path, store: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "FILES_AT_ONCE", 3)

    assert sum(sum(labels.values()) for labels in fetch("folder", "memory://bucket/set").counts.values()) == 10


@pytest.mark.parametrize("source", ["folder", "archive"])
def test_what_is_over_the_cap_is_not_fetched(repository: Path, store: object, source: str) -> None:
    url = "memory://bucket/set" + (".zip" if source == "archive" else "")

    with pytest.raises(RunhiveError, match=rf"^{url}: more than 1,000 bytes: raise data.max_bytes"):
        fetch(source, url, max_bytes=1000)
    assert not list(Path("data").iterdir())


def test_the_sum_of_an_archive_in_a_store_is_checked(repository: Path, store: object) -> None:
    with pytest.raises(RunhiveError, match=r"^memory://bucket/set.zip: the archive has SHA-256 "):
        fetch("archive", "memory://bucket/set.zip", sha256="0" * 64)


@pytest.mark.parametrize("name", ["../../evil", "a/../../../evil", "a\\b", "C:evil"])
def test_a_name_in_a_store_that_leads_out_is_refused(repository: Path, store: Any, name: str) -> None:
    store.store[f"/bucket/set/{name}"] = store.store["/bucket/set/train/ants/0.png"]

    with pytest.raises(RunhiveError, match=r"^memory://bucket/set is refused: "):
        fetch("folder", "memory://bucket/set")
    assert not list(repository.parent.rglob("*evil*"))


def test_two_names_in_a_store_that_are_one_file_here_are_refused(repository: Path, store: Any) -> None:
    store.store["/bucket/set/train//ants/0.png"] = store.store["/bucket/set/train/ants/0.png"]

    with pytest.raises(RunhiveError, match="two of its names are one file here"):
        fetch("folder", "memory://bucket/set")


@pytest.mark.parametrize(
    ("source", "url", "words"),
    [
        ("folder", "memory://bucket/none", "is not a folder, or it is empty"),
        ("archive", "memory://bucket/none.zip", "is not there"),
        ("archive", "memory://bucket/set", "is not there"),
        ("folder", "nosuch://bucket/set", "Protocol not known"),
        ("folder", "://bucket/set", "is not a folder, or it is empty"),
    ],
)
def test_what_is_not_there_is_one_line(repository: Path, store: object, source: str, url: str, words: str) -> None:
    with pytest.raises(RunhiveError, match=words) as caught:
        fetch(source, url)
    assert str(caught.value).startswith(url)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [
        ("s3://bucket/set", "s3fs", "s3"),
        ("gs://bucket/set", "gcsfs", "gs"),
        ("az://bucket/set", "adlfs", "az"),
        ("simplecache::s3://bucket/set", "s3fs", "s3"),
    ],
)
def test_a_missing_package_names_the_extra(
    repository: Path, url: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(
        RunhiveError, match=rf"needs a package that is not installed: pip install 'runhive\[{extra}\]'$"
    ):
        fetch("folder", url)
