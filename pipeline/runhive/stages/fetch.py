"""fetch: a source of images to `data/images`, its manifest and a report of what was left out."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runhive.data.addresses import Places, is_local, is_watched, plain_path
from runhive.data.collect import collect
from runhive.data.duplicates import find_duplicates
from runhive.data.images import Found, find_images
from runhive.data.names import listed, shown
from runhive.data.progress import download_progress
from runhive.data.sizes import size_distributions
from runhive.data.sources import gather, source_name
from runhive.errors import RunhiveError
from runhive.files import sync_folder
from runhive.formats.data_report import DataReport, Duplicates
from runhive.formats.manifest import Image, class_names, content_digest, split_of, write_manifest
from runhive.params import Data
from runhive.stages import paths
from runhive.stages.inputs import locked_stages, stage_deps
from runhive.stages.workspace import workspace

MOST_LINES = 10
MOST_GROUPS = 5
SAME = {"bytes": "the same file", "pixels": "the same pixels", "near": "nearly the same"}


def fetch(data: Data) -> DataReport:
    """Bring the images that *data* names here and return the report on them.

    A fetch that fails or is killed leaves the images that were there, or none, never a part.
    """
    try:
        return fetch_anew(data)
    except RunhiveError as error:
        raise RunhiveError(f"{error}{way_back()}") from error


def way_back() -> str:
    """How to have the former data again, where DVC removed them before the stage and its lock file names them."""
    if "DVC_STAGE" not in os.environ or paths.IMAGES.exists() or "fetch" not in locked_stages():
        return ""
    return "\nDVC removed the former data before it began: `dvc checkout` brings them back"


def fetch_anew(data: Data) -> DataReport:
    """Gather, check, copy and describe the images."""
    watched = stage_deps("fetch") if paths.PIPELINE.exists() else []
    with workspace(paths.IMAGES.parent) as folder:
        with download_progress() as progress:
            found = gather(data, Places(folder, repository_root(), watched), progress)
        contents = find_images(found.folder, found.splits)
        left_out = sorted(found.left_out + contents.left_out, key=lambda one: one.path)
        contents = replace(contents, left_out=left_out)
        if left_out and data.on_bad == "error":
            raise RunhiveError(
                f"{left_out[0].path}: {left_out[0].reason} ({len(left_out)} such in all): "
                "mend the data or set data.on_bad to skip"
            )
        images = [one.image for one in contents.examined]
        collect(images, found.folder, folder / "images", owned=found.owned)
        report = describe(data, found.splits, contents, folder / "images")
        put_in_place(folder, images, report)
    tell(report)
    tell_unwatched(data, watched)
    return report


def repository_root() -> Path:
    """Return the folder that relative paths start at: DVC may run the stage in a copy elsewhere."""
    return Path(os.environ.get("DVC_ROOT", ".")).absolute()


def describe(data: Data, splits: Sequence[str], contents: Found, folder: Path) -> DataReport:
    """Return the report on *contents*, whose images lie in *folder* now, without what is secret in the address."""
    images = [one.image for one in contents.examined]
    counts = {split: Counter(image.label for image in split_of(images, split)) for split in splits}
    return DataReport(
        source=source_name(data),
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


def tell_unwatched(data: Data, watched: Sequence[Path]) -> None:
    """Print which places may change without DVC noticing, and what to do about it."""
    if not paths.PIPELINE.exists():
        return
    named: list[str | None] = list(data.evaluation_sets.values())
    if data.source != "dvc":
        named.append(data.url)
    elif data.rev is None and data.url is None:
        named.append(data.path)
    elif data.rev is None:
        print(
            f"DVC does not see when {shown(source_name(data))} changes: set data.rev to a commit or tag",
            file=sys.stderr,
        )
    local = [one for one in named if one and is_local(one) and not is_watched(plain_path(one), watched)]
    if local:
        them = "it" if len(local) == 1 else "them"
        print(
            f"DVC does not watch {listed(local)}: list {them} in stages.fetch.deps of {paths.PIPELINE}, "
            "or run `dvc repro -f -s fetch` after a change",
            file=sys.stderr,
        )
