"""Where images come from."""

import hashlib
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fetching import data_section
from misbehaving import BODY, Server, says, serving

from runhive.data.addresses import Places, without_secrets
from runhive.data.sources import Gathered, find_splits
from runhive.data.sources import gather as gather_data
from runhive.errors import RunhiveError

Draw = Callable[..., Path]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def gather(source: str, url: str | None, workspace: Path, root: Path = Path("/"), **keys: Any) -> Gathered:
    return gather_data(data_section(source, url, **keys), Places(workspace, root), None)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below *folder*, through links, by its path."""
    return {
        str(Path(where, name).relative_to(folder)): Path(where, name).read_bytes()
        for where, _, names in os.walk(folder, followlinks=True)
        for name in names
    }


def test_a_folder_is_used_where_it_is(data_set: Path, workspace: Path) -> None:
    found = gather("folder", str(data_set), workspace)

    assert found.splits == ("train", "val")
    assert not found.owned
    assert (found.folder / "train").resolve() == data_set / "train"


def test_a_relative_path_starts_at_the_root(data_set: Path, workspace: Path) -> None:
    found = gather("folder", "source", workspace, data_set.parent)

    assert (found.folder / "val").resolve() == data_set / "val"


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_an_archive_is_a_path_or_a_file_address(zipped: Path, workspace: Path, form: str) -> None:
    found = gather("archive", form.format(zipped), workspace)

    assert found.owned
    assert len(files_in(found.folder)) == 10


def test_an_archive_unpacks_to_what_the_folder_holds(data_set: Path, workspace: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(data_set, "a/b/c")

    found = gather("archive", "set.tar.gz", workspace, tmp_path)

    assert files_in(found.folder) == files_in(data_set)


def test_digits_need_no_address(workspace: Path) -> None:
    assert gather("digits", None, workspace).splits == ("train", "val")


@pytest.mark.parametrize(
    ("source", "url", "words"),
    [
        ("folder", "nowhere", "is not a folder"),
        ("folder", "https://host/a", "the web has archives, no folders"),
        ("archive", "nowhere.zip", "is not a file"),
        ("archive", ".", "is not a file"),
        ("archive", "http://host/a.zip", "use https, or set data.allow_http to true"),
        ("archive", "file://elsewhere/a.zip", "names another host"),
    ],
)
def test_what_cannot_be_read_is_one_line(workspace: Path, source: str, url: str, words: str) -> None:
    with pytest.raises(RunhiveError, match=words):
        gather(source, url, workspace, workspace)

    assert not list(workspace.iterdir())


def test_the_sum_of_an_archive_here_is_checked(zipped: Path, workspace: Path) -> None:
    right = hashlib.sha256(zipped.read_bytes()).hexdigest()

    assert gather("archive", str(zipped), workspace, sha256=right).owned
    with pytest.raises(RunhiveError, match=f"has SHA-256 {right}, data.sha256 is {'0' * 64}"):
        gather("archive", str(zipped), workspace, sha256="0" * 64)


def test_an_archive_of_more_bytes_than_allowed_is_not_unpacked(zipped: Path, workspace: Path) -> None:
    with pytest.raises(RunhiveError, match="unpacks to more than 1,000 bytes"):
        gather("archive", str(zipped), workspace, max_bytes=1000)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def from_web(server: Server, workspace: Path, **keys: Any) -> Gathered:
    return gather("archive", f"http://{server.address}/set.zip?signature=secret", workspace, allow_http=True, **keys)


def test_a_damaged_download_is_downloaded_once_more(server: Server, zipped: Path, workspace: Path) -> None:
    whole = zipped.read_bytes()
    server.answers["*"] = [says(200, whole[:-30]), says(200, whole)]

    assert len(files_in(from_web(server, workspace).folder)) == 10


@pytest.mark.fault(
    "fetch",
    "the archive is cut off or damaged",
    wanted="it is downloaded once more; damaged again, nothing is kept",
    said="… is damaged (…); all … bytes that the server announced came",
)
def test_one_that_is_damaged_twice_says_what_came_and_is_not_kept(
    server: Server, zipped: Path, workspace: Path
) -> None:
    cut = zipped.read_bytes()[:-30]
    server.answers["*"] = [says(200, cut)]

    with pytest.raises(RunhiveError) as caught:
        from_web(server, workspace)
    assert str(caught.value).startswith(f"http://{server.address}/set.zip is damaged (")
    assert str(caught.value).endswith(f"; all {len(cut):,} bytes that the server announced came")
    assert len(server.asked) == 2
    assert not list(workspace.glob("downloads/*"))


def test_a_download_that_is_refused_is_not_asked_for_again_and_not_kept(
    server: Server, zipped: Path, workspace: Path
) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("../evil", "x")
    server.answers["*"] = [says(200, zipped.read_bytes())]

    with pytest.raises(RunhiveError, match=r"set.zip is refused: ../evil leads out"):
        from_web(server, workspace)
    assert len(server.asked) == 1
    assert not list(workspace.glob("downloads/*"))


def test_a_download_that_is_no_archive_is_shown(server: Server, workspace: Path) -> None:
    server.answers["*"] = [says(200, BODY)]

    with pytest.raises(RunhiveError, match=r"neither a zip nor a tar archive, it begins with b.\\x00\\x01"):
        from_web(server, workspace)


# Evaluation sets.


@pytest.fixture
def night(tmp_path: Path, draw: Draw) -> Path:
    """Class folders alone, one image each."""
    for label in ("ants", "bees"):
        draw(tmp_path / "night" / label / "dark.png")
    return tmp_path / "night"


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_evaluation_set_of_its_own_is_a_split(data_set: Path, night: Path, workspace: Path, form: str) -> None:
    address = str(night) if form == "folder" else shutil.make_archive(str(night), "zip", night.parent, "night")

    found = gather("folder", str(data_set), workspace, evaluation_sets={"night": address})

    assert found.splits == ("train", "val", "night")
    assert sorted(files_in(found.folder / "night")) == ["ants/dark.png", "bees/dark.png"]
    assert not found.owned


def test_an_evaluation_set_may_lie_beside_the_other_splits(data_set: Path, night: Path, workspace: Path) -> None:
    shutil.move(night, data_set / "night")

    found = gather("folder", str(data_set), workspace, evaluation_sets={"night": None})

    assert found.splits == ("train", "val", "night")


def test_folders_beside_the_splits_that_nobody_named_are_no_splits(
    data_set: Path, night: Path, workspace: Path
) -> None:
    shutil.move(night, data_set / "night")

    assert gather("folder", str(data_set), workspace).splits == ("train", "val")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (None, "there is no folder night beside train"),
        ("nowhere", "nowhere is not a folder"),
        ("source", r"holds train, val: expected <class>/\*; set data.split to null"),
        ("source/train/ants", r"holds no folders: expected <class>/\*"),
    ],
)
def test_an_evaluation_set_that_is_none_is_one_line(
    data_set: Path, workspace: Path, address: str | None, words: str
) -> None:
    with pytest.raises(RunhiveError, match=words):
        gather("folder", str(data_set), workspace, data_set.parent, evaluation_sets={"night": address})


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
        (["evil\nname"], "nothing"),
    ],
)
def test_another_layout_is_shown_beside_the_expected_one(tmp_path: Path, folders: list[str], found: str) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)

    with pytest.raises(RunhiveError, match=rf"^the set holds .*{found}: expected train/<class>/\* and val/<class>/\*$"):
        find_splits(tmp_path, "the set")


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (["ants", "bees"], "ants, bees"),
        (["a/train/x", "b/val/x"], "a, b"),
        ([f"class{index}" for index in range(9)], "class4 and 4 more"),
        (["evil\nname", "b"], r"evil\\nname"),
    ],
)
def test_folders_that_may_be_classes_get_a_hint_at_data_split(tmp_path: Path, folders: list[str], found: str) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)

    with pytest.raises(RunhiveError, match=rf"^the set holds .*{found}: expected .*, or data.split set$"):
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
