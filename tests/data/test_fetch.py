"""The stage fetch, from a source to the outs."""

import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fetching import fetch
from misbehaving import body, serving

from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.data_report import DataReport
from runhive.formats.manifest import content_digest, read_manifest
from runhive.stages import paths

Draw = Callable[..., Path]


def outs() -> dict[str, bytes]:
    """Every file in `data`, to compare."""
    return {str(path): path.read_bytes() for path in sorted(Path("data").rglob("*")) if path.is_file()}


@pytest.mark.parametrize("source", ["folder", "archive"])
def test_images_manifest_and_report_agree(
    repository: Path, data_set: Path, zipped: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = {"folder": data_set, "archive": zipped}[source]

    report = fetch(source, str(url), "error")

    images = read_manifest(paths.MANIFEST)
    assert len(images) == 10
    for image in images:
        assert sha256_of(paths.IMAGES / image.path) == image.sha256
    assert len([path for path in paths.IMAGES.rglob("*") if path.is_file()]) == 10
    assert DataReport.read(paths.DATA_REPORT).digest == report.digest == content_digest(images)
    assert report.classes == ["ants", "bees"]
    assert report.counts == {"train": {"ants": 3, "bees": 3}, "val": {"ants": 2, "bees": 2}}
    assert report.bytes == sum((paths.IMAGES / image.path).stat().st_size for image in images)
    assert report.source == str(url)
    assert capsys.readouterr().out == "6 train + 4 val images of 2 classes, 0 left out\n"
    assert sorted(path.name for path in Path("data").iterdir()) == ["images", "manifest.csv", "report.json"]


def test_a_folder_and_an_archive_of_it_are_the_same_data(repository: Path, data_set: Path, zipped: Path) -> None:
    assert fetch("folder", str(data_set), "error").digest == fetch("archive", str(zipped), "error").digest


def test_the_source_folder_is_left_as_it_was(repository: Path, data_set: Path) -> None:
    before = sorted(data_set.rglob("*"))

    fetch("folder", str(data_set), "error")

    assert sorted(data_set.rglob("*")) == before
    assert not any(path.stat().st_nlink > 1 for path in data_set.rglob("*.png"))


def test_digits_are_fetched(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = fetch("digits", None, "error")

    assert report.source == "digits"
    assert capsys.readouterr().out == "1442 train + 355 val images of 10 classes, 0 left out\n"


def test_a_bad_file_stops_the_fetch_by_default_and_keeps_what_was_there(repository: Path, data_set: Path) -> None:
    fetch("folder", str(data_set), "error")
    before = outs()
    (data_set / "train" / "ants" / "b.png").write_bytes(b"")
    (data_set / "val" / "ants" / "c.png").write_bytes(b"")

    with pytest.raises(RunhiveError, match=r"^train/ants/b.png: empty file \(2 such in all\): .*data.on_bad to skip$"):
        fetch("folder", str(data_set), "error")

    assert outs() == before


def test_skipped_files_are_reported_and_at_most_ten_are_printed(
    repository: Path, data_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(12):
        (data_set / "train" / "ants" / f"bad{index:02d}.png").write_bytes(b"")

    report = fetch("folder", str(data_set), "skip")

    printed = capsys.readouterr()
    assert len(report.left_out) == 12
    assert printed.err.splitlines()[0] == "left out: train/ants/bad00.png: empty file"
    assert printed.err.splitlines()[10:] == ["… and 2 more: data/report.json"]
    assert printed.out.endswith("of 2 classes, 12 left out\n")
    assert not list(paths.IMAGES.rglob("bad*"))


def test_names_of_any_bytes_survive_the_report(repository: Path, data_set: Path) -> None:
    shutil.copy(data_set / "val" / "ants" / "0.png", os.fsencode(data_set / "val" / "ants") + b"/\xff\n.png")

    fetch("folder", str(data_set), "skip")

    assert DataReport.read(paths.DATA_REPORT).left_out[0].path == "val/ants/\\udcff\\n.png"


@pytest.mark.fault(
    "fetch",
    "the same picture in two splits or two classes",
    wanted="a warning, and all of them in the report",
    said="warning: … in more than one split, so scores will flatter (…):",
)
def test_a_picture_in_two_splits_or_two_classes_is_warned_about_and_reported(
    repository: Path, data_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(data_set / "train" / "ants" / "0.png", data_set / "val" / "ants" / "same.png")
    shutil.copy(data_set / "train" / "ants" / "1.png", data_set / "train" / "bees" / "other\u202e.png")

    report = fetch("folder", str(data_set), "error")

    assert capsys.readouterr().err.splitlines() == [
        "warning: 1 picture is in more than one split, so scores will flatter (data/report.json):",
        "  train/ants/0.png, val/ants/same.png (the same file)",
        "warning: 1 picture is in more than one class, so one label is wrong (data/report.json):",
        "  train/ants/1.png, train/bees/other\\u202e.png (the same file)",
    ]
    assert DataReport.read(paths.DATA_REPORT).duplicates == report.duplicates
    assert [one.images for one in report.duplicates] == [
        ["train/ants/0.png", "val/ants/same.png"],
        ["train/ants/1.png", "train/bees/other\u202e.png"],
    ]


def test_a_split_that_lacks_a_class_is_warned_about(
    repository: Path, data_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(data_set / "val" / "ants")

    report = fetch("folder", str(data_set), "error")

    assert capsys.readouterr().err == "warning: val has no image of ants: it says nothing about them\n"
    assert report.counts == {"train": {"ants": 3, "bees": 3}, "val": {"bees": 2}}


def test_the_report_counts_the_images_of_each_size(repository: Path, data_set: Path, draw: Draw) -> None:
    draw(data_set / "train" / "ants" / "large.bmp", size=(200, 100))

    sizes = fetch("folder", str(data_set), "error").sizes

    assert set(sizes) == {"shorter_side", "aspect_ratio", "file_bytes"}
    side = sizes["shorter_side"]
    assert (side.smallest, side.median, side.largest) == (10, 10, 100)
    assert side.edges == [12, 16, 24, 32, 48, 64, 96]
    assert side.counts == {"train": [6, 0, 0, 0, 0, 0, 0, 1], "val": [4, 0, 0, 0, 0, 0, 0, 0]}
    assert sizes["aspect_ratio"].counts == {"train": [6, 0, 0, 1], "val": [4, 0, 0, 0]}
    assert sum(map(sum, sizes["file_bytes"].counts.values())) == 11


def test_a_second_fetch_replaces_all_of_the_first(repository: Path, data_set: Path) -> None:
    fetch("folder", str(data_set), "error")
    (data_set / "train" / "ants" / "0.png").unlink()

    fetch("folder", str(data_set), "error")

    assert not (paths.IMAGES / "train" / "ants" / "0.png").exists()
    assert len(read_manifest(paths.MANIFEST)) == 9


def test_fetching_twice_gives_the_same_bytes(repository: Path, zipped: Path) -> None:
    fetch("archive", str(zipped), "error")
    first = outs()
    fetch("archive", str(zipped), "error")

    assert outs() == first


def test_a_relative_path_starts_at_the_repository_of_dvc(
    repository: Path, zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "set.zip").write_bytes(zipped.read_bytes())
    copy = repository / "copy"
    copy.mkdir()
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(repository))

    report = fetch("archive", "set.zip", "error")

    assert report.source == "set.zip"
    assert (copy / paths.MANIFEST).exists()


def test_leftovers_of_dead_processes_are_removed_and_those_of_living_ones_stay(
    repository: Path, data_set: Path
) -> None:
    for pid in ("1", "999999999", "odd"):
        (repository / "data" / f".fetch-{pid}" / "images").mkdir(parents=True)

    fetch("folder", str(data_set), "error")

    assert [path.name for path in Path("data").glob(".fetch-*")] == [".fetch-1"]


def test_downloads_of_dead_processes_are_taken_over_and_those_of_living_ones_are_not(
    repository: Path, data_set: Path
) -> None:
    for pid in ("1", "999999999", "999999999.5-ab"):
        (repository / "data" / f".fetch-{pid}" / "downloads" / f"of-{pid}").mkdir(parents=True)

    with pytest.raises(RunhiveError, match="is not a folder"):
        fetch("folder", "nowhere")

    left = sorted(str(path.relative_to("data")) for path in Path("data").glob(".fetch-*/downloads/*"))
    own = f".fetch-{os.getpid()}/downloads"
    assert left == sorted([".fetch-1/downloads/of-1", f"{own}/of-999999999", f"{own}/of-999999999.5-ab"])


def test_a_download_outlives_a_fetch_that_fails_and_not_one_that_ends_well(
    repository: Path, zipped: Path, data_set: Path
) -> None:
    with serving() as server:
        server.answers["*"] = [body(zipped.read_bytes())]
        url = f"http://{server.address}/set.zip"
        with pytest.raises(RunhiveError, match="there is no folder night"):
            fetch("archive", url, allow_http=True, evaluation_sets={"night": None})
        assert len(list(Path("data").glob(".fetch-*/downloads/*/body"))) == 1

        fetch("archive", url, allow_http=True)

        assert server.ranges() == [None, f"bytes={zipped.stat().st_size}-"]
        assert not list(Path("data").glob(".fetch-*"))


PIPELINE = "stages: {{fetch: {{cmd: python pipeline fetch, deps: [{}]}}}}"


@pytest.mark.parametrize(
    ("url", "deps", "told"),
    [
        ("source", "", True),
        ("source", "other", True),
        ("source", "source", False),
        ("source/", "./source", False),
        ("file://{}/source", "source", False),
    ],
)
def test_a_folder_that_dvc_does_not_watch_is_told(
    repository: Path, data_set: Path, url: str, deps: str, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(data_set, "source")
    Path("dvc.yaml").write_text(PIPELINE.format(deps))

    fetch("folder", url.format(repository))

    line = "DVC does not watch .*source/?: list it in stages.fetch.deps of dvc.yaml, or run `dvc repro -f -s fetch`"
    assert bool(re.search(line, capsys.readouterr().err)) == told


def test_what_dvc_watches_is_read_where_dvc_runs_the_stage(
    repository: Path, data_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DVC temp workspace holds its own copy of what is in deps."""
    copy = repository / "copy"
    shutil.copytree(data_set, copy / "source")
    (copy / "dvc.yaml").write_text(PIPELINE.format("source"))
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(repository))

    assert sum(fetch("folder", "source").counts["train"].values()) == 6


def test_a_hostile_archive_leaves_nothing(repository: Path, zipped: Path) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("../../evil", "x")

    with pytest.raises(RunhiveError, match="leads out"):
        fetch("archive", str(zipped), "skip")

    assert not list(Path("data").iterdir())
    assert not list(repository.parent.rglob("evil"))


@pytest.mark.fault(
    "fetch",
    "fetch fails after DVC removed the former images",
    wanted="the way back is told",
    said="DVC removed the former data before it began: `dvc checkout` brings them back",
)
@pytest.mark.parametrize(
    ("under_dvc", "locked", "there", "told"),
    [(True, True, False, True), (False, True, False, False), (True, False, False, False), (True, True, True, False)],
)
def test_a_fetch_that_fails_after_dvc_removed_the_data_says_how_to_have_them_back(
    repository: Path, data_set: Path, monkeypatch: pytest.MonkeyPatch,
    under_dvc: bool, locked: bool, there: bool, told: bool,
) -> None:  # fmt: skip
    if under_dvc:
        monkeypatch.setenv("DVC_STAGE", "fetch")
    else:
        monkeypatch.delenv("DVC_STAGE", raising=False)
    if locked:
        Path("dvc.lock").write_text("schema: '2.0'\nstages: {fetch: {cmd: python pipeline fetch}}\n")
    if there:
        fetch("folder", str(data_set))

    with pytest.raises(RunhiveError, match="nowhere is not a folder") as raised:
        fetch("folder", "nowhere")

    assert (
        "\nDVC removed the former data before it began: `dvc checkout` brings them back" in str(raised.value)
    ) == told
