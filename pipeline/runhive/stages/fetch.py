"""fetch: a source of images to `data/images`, its manifest and a report of what was left out."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from runhive.data.collect import collect
from runhive.data.duplicates import find_duplicates
from runhive.data.images import Found, find_images
from runhive.data.names import listed, shown
from runhive.data.progress import download_progress
from runhive.data.sizes import size_distributions
from runhive.data.sources import SPLITS, gather, without_secrets
from runhive.errors import RunhiveError
from runhive.files import sync_folder
from runhive.formats.data_report import DataReport, Duplicates
from runhive.formats.manifest import Image, class_names, content_digest, split_of, write_manifest
from runhive.stages import paths

WORKSPACE = ".fetch-"
MOST_LINES = 10
MOST_GROUPS = 5
SAME = {"bytes": "the same file", "pixels": "the same pixels", "near": "nearly the same"}


def fetch(source: str, url: str | None, on_bad: str) -> DataReport:
    """Bring the images of *source* here and return the report on them.

    *on_bad* is what a file that is no image does: "error" stops, "skip" reports it and goes on. A fetch that
    fails or is killed leaves the images that were there, or none, never a part.
    """
    with workspace() as folder:
        with download_progress() as progress:
            found = gather(source, url, folder, repository_root(), progress)
        contents = find_images(found)
        if contents.left_out and on_bad == "error":
            first = contents.left_out[0]
            raise RunhiveError(
                f"{first.path}: {first.reason} ({len(contents.left_out)} such in all): "
                "mend the data or set data.on_bad to skip"
            )
        images = [one.image for one in contents.examined]
        collect(images, found, folder / "images", owned=found.is_relative_to(folder))
        report = describe(source, url, contents, folder / "images")
        put_in_place(folder, images, report)
    tell(report)
    return report


@contextmanager
def workspace() -> Iterator[Path]:
    """Make a temporary folder beside the outs; those of processes that died are removed."""
    parent = paths.IMAGES.parent
    parent.mkdir(parents=True, exist_ok=True)
    for old in sorted(parent.glob(f"{WORKSPACE}*")):
        pid = old.name.removeprefix(WORKSPACE)
        if pid == str(os.getpid()) or not (pid.isdecimal() and psutil.pid_exists(int(pid))):
            shutil.rmtree(old, ignore_errors=True)
    folder = parent / f"{WORKSPACE}{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def repository_root() -> Path:
    """Return the folder that relative paths start at: DVC may run the stage in a copy elsewhere."""
    return Path(os.environ.get("DVC_ROOT", ".")).absolute()


def describe(source: str, url: str | None, contents: Found, folder: Path) -> DataReport:
    """Return the report on *contents*, whose images lie in *folder* now, without what is secret in *url*."""
    images = [one.image for one in contents.examined]
    counts = {split: Counter(image.label for image in split_of(images, split)) for split in SPLITS}
    return DataReport(
        source=without_secrets(url) if url and source != "digits" else source,
        digest=content_digest(images),
        classes=class_names(images),
        counts={split: dict(sorted(labels.items())) for split, labels in counts.items() if labels},
        left_out=contents.left_out,
        bytes=sum(one.file_bytes for one in contents.examined),
        duplicates=find_duplicates(contents.examined, folder),
        sizes=size_distributions(contents.examined),
    )


def put_in_place(folder: Path, images: Sequence[Image], report: DataReport) -> None:
    """Replace the outs; a manifest is only ever beside the images that it lists."""
    paths.DATA_REPORT.unlink(missing_ok=True)
    paths.MANIFEST.unlink(missing_ok=True)
    if paths.IMAGES.exists():
        paths.IMAGES.rename(folder / "replaced")
    (folder / "images").rename(paths.IMAGES)
    sync_folder(paths.IMAGES.parent)
    write_manifest(paths.MANIFEST, images)
    report.write(paths.DATA_REPORT)


def tell(report: DataReport) -> None:
    """Print what was left out and what looks wrong to stderr, and what there is to stdout."""
    for one in report.left_out[:MOST_LINES]:
        print(f"left out: {one.path}: {one.reason}", file=sys.stderr)
    if len(report.left_out) > MOST_LINES:
        print(f"… and {len(report.left_out) - MOST_LINES} more: {paths.DATA_REPORT}", file=sys.stderr)
    for split, labels in report.counts.items():
        if missing := [label for label in report.classes if label not in labels]:
            print(f"warning: {split} has no image of {listed(missing)}: it says nothing about them", file=sys.stderr)
    warn("more than one split, so scores will flatter", [one for one in report.duplicates if len(one.splits) > 1])
    warn("more than one class, so one label is wrong", [one for one in report.duplicates if len(one.labels) > 1])
    splits = " + ".join(f"{sum(labels.values())} {split}" for split, labels in report.counts.items())
    print(f"{splits} images of {len(report.classes)} classes, {len(report.left_out)} left out")


def warn(where: str, groups: Sequence[Duplicates]) -> None:
    """Print the first of the pictures that lie in *where*, and where the others are listed."""
    if groups:
        there = "picture is" if len(groups) == 1 else "pictures are"
        print(f"warning: {len(groups)} {there} in {where} ({paths.DATA_REPORT}):", file=sys.stderr)
    for group in groups[:MOST_GROUPS]:
        print(f"  {', '.join(map(shown, group.images[:MOST_LINES]))} ({SAME[group.kind]})", file=sys.stderr)
