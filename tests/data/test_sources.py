"""Where images come from."""

import shutil
import tarfile
from pathlib import Path

import pytest

from runhive.data.sources import find_splits, gather, without_secrets
from runhive.errors import RunhiveError


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def test_a_folder_is_used_where_it_is(data_set: Path, workspace: Path) -> None:
    assert gather("folder", str(data_set), workspace, Path("/"), None) == data_set
    assert not list(workspace.iterdir())


def test_a_relative_path_starts_at_the_root(data_set: Path, workspace: Path) -> None:
    assert gather("folder", "source", workspace, data_set.parent, None) == data_set


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_an_archive_is_a_path_or_a_file_address(zipped: Path, workspace: Path, form: str) -> None:
    found = gather("archive", form.format(zipped), workspace, Path("/"), None)

    assert found == workspace / "archive" / "insects"
    assert len(list(found.rglob("*.png"))) == 10


def test_an_archive_unpacks_to_what_the_folder_holds(data_set: Path, workspace: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(data_set, "a/b/c")

    found = gather("archive", "set.tar.gz", workspace, tmp_path, None)

    for path in data_set.rglob("*.png"):
        assert (found / path.relative_to(data_set)).read_bytes() == path.read_bytes()


def test_digits_need_no_address(workspace: Path) -> None:
    found = gather("digits", None, workspace, Path("/"), None)

    assert sorted(path.name for path in found.iterdir()) == ["train", "val"]


@pytest.mark.parametrize(
    ("source", "url", "words"),
    [
        ("folder", None, "data.url is missing"),
        ("archive", "", "data.url is missing"),
        ("folder", "nowhere", "is not a folder"),
        ("archive", "nowhere.zip", "is not a file"),
        ("archive", ".", "is not a file"),
        ("archive", "http://host/a.zip", "use https"),
        ("archive", "s3://bucket/a.zip", "use https"),
        ("archive", "file://elsewhere/a.zip", "names another host"),
        ("imagenet", None, "use digits, folder or archive"),
    ],
)
def test_what_cannot_be_read_is_one_line(workspace: Path, source: str, url: str | None, words: str) -> None:
    with pytest.raises(RunhiveError, match=words):
        gather(source, url, workspace, workspace, None)

    assert not list(workspace.iterdir())


def test_hidden_folders_and_those_of_a_mac_do_not_count(tmp_path: Path, data_set: Path) -> None:
    outer = tmp_path / "outer"
    shutil.move(data_set, outer / "set")
    for name in ("__MACOSX", ".cache", "set/__MACOSX", "set/.git"):
        (outer / name).mkdir()
    (outer / "README.txt").write_text("read me")

    assert find_splits(outer, "outer") == outer / "set"


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        ([], "nothing"),
        (["train/ants"], "train"),
        (["train/ants", "valid/ants"], "train, valid"),
        (["set/train/ants", "set/validation/ants"], "train, validation"),
        (["ants", "bees"], "ants, bees"),
        (["a/train/x", "b/val/x"], "a, b"),
        ([f"class{index}" for index in range(9)], "class4 and 4 more"),
        (["evil\nname", "b"], r"evil\\nname"),
    ],
)
def test_another_layout_is_shown_beside_the_expected_one(tmp_path: Path, folders: list[str], found: str) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)

    with pytest.raises(RunhiveError, match=rf"^the set holds .*{found}: expected train/<class>/\* and val/<class>/\*$"):
        find_splits(tmp_path, "the set")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://user:hunter2@host:8443/a/b.zip?sig=hunter3#hunter4", "https://host:8443/a/b.zip"),
        ("https://token@host/b.zip", "https://host/b.zip"),
        ("https://host/b.zip", "https://host/b.zip"),
        ("file:///data/b.zip", "file:///data/b.zip"),
        ("../data/what?@home.zip", "../data/what?@home.zip"),
    ],
)
def test_secrets_are_cut_from_an_address(url: str, kept: str) -> None:
    assert without_secrets(url) == kept
