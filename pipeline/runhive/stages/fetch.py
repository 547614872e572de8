"""fetch: a source of images to `data/images`, its manifest and a report of what was left out."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from runhive.data.addresses import Places, is_local, is_watched, plain_path
from runhive.data.collect import collect, in_several_splits
from runhive.data.images import find_images
from runhive.data.names import listed, shown
from runhive.data.progress import download_progress
from runhive.data.sources import gather, source_name
from runhive.errors import RunhiveError
from runhive.files import sync_folder
from runhive.formats.data_report import DataReport, LeftOut
from runhive.formats.manifest import Image, class_names, content_digest, split_of, write_manifest
from runhive.params import Data
from runhive.stages import paths
from runhive.stages.inputs import stage_deps
from runhive.stages.workspace import workspace

MOST_LINES = 10


def fetch(data: Data) -> DataReport:
    """Bring the images that *data* names here and return the report on them.

    A fetch that fails or is killed leaves the images that were there, or none, never a part.
    """
    watched = stage_deps("fetch") if paths.PIPELINE.exists() else []
    with workspace(paths.IMAGES.parent) as folder:
        with download_progress() as progress:
            found = gather(data, Places(folder, repository_root(), watched), progress)
        images, left_out = find_images(found.folder, found.splits)
        left_out = sorted(found.left_out + left_out, key=lambda one: one.path)
        if left_out and data.on_bad == "error":
            raise RunhiveError(
                f"{left_out[0].path}: {left_out[0].reason} ({len(left_out)} such in all): "
                "mend the data or set data.on_bad to skip"
            )
        size = collect(images, found.folder, folder / "images", owned=found.owned)
        report = describe(data, found.splits, images, left_out, size)
        put_in_place(folder, images, report)
    tell(report, images)
    tell_unwatched(data, watched)
    return report


def repository_root() -> Path:
    """Return the folder that relative paths start at: DVC may run the stage in a copy elsewhere."""
    return Path(os.environ.get("DVC_ROOT", ".")).absolute()


def describe(
    data: Data, splits: Sequence[str], images: Sequence[Image], left_out: list[LeftOut], size: int
) -> DataReport:
    """Return the report on *images*, without what is secret in the address."""
    counts = {split: Counter(image.label for image in split_of(images, split)) for split in splits}
    return DataReport(
        source=source_name(data),
        digest=content_digest(images),
        classes=class_names(images),
        counts={split: dict(sorted(labels.items())) for split, labels in counts.items() if labels},
        left_out=left_out,
        bytes=size,
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


def tell(report: DataReport, images: Sequence[Image]) -> None:
    """Print what was left out to stderr and what there is to stdout."""
    for one in report.left_out[:MOST_LINES]:
        print(f"left out: {one.path}: {one.reason}", file=sys.stderr)
    if len(report.left_out) > MOST_LINES:
        print(f"… and {len(report.left_out) - MOST_LINES} more: {paths.DATA_REPORT}", file=sys.stderr)
    if twice := in_several_splits(images):
        print(f"warning: {twice} images are in more than one split, so scores will flatter", file=sys.stderr)
    splits = " + ".join(f"{sum(labels.values())} {split}" for split, labels in report.counts.items())
    print(f"{splits} images of {len(report.classes)} classes, {len(report.left_out)} left out")


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
