"""Bring a file or a folder from a store that fsspec knows: S3, Google Cloud, Azure and others."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from runhive.data.archive import LIMITS, safe_parts
from runhive.data.download import CHUNK, Progress
from runhive.data.members import NotSafe
from runhive.data.names import shown
from runhive.data.rules import too_large
from runhive.errors import RunhiveError

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
FILES_AT_ONCE = 200


def is_folder(url: str, named: str) -> bool:
    """Whether there is a folder at *url*."""
    with failures_told(url, named):
        store, path = fsspec.url_to_fs(url)
        return bool(store.isdir(path))


def fetch_file(url: str, into: Path, max_bytes: int, named: str, progress: Progress | None) -> None:
    """Write the file at *url* to *into*. Raises RunhiveError where it cannot be had or is larger than *max_bytes*."""
    with failures_told(url, named):
        store, path = fsspec.url_to_fs(url)
        if not store.isfile(path):
            raise FileNotFoundError
        total, done = store.size(path), 0
        with store.open(path, "rb") as source, into.open("wb") as file:
            while piece := source.read(CHUNK):
                done += len(piece)
                if max(total or 0, done) > max_bytes:
                    raise too_large(named, max_bytes)
                file.write(piece)
                if progress:
                    progress(done, total)
    if total is not None and done != total:
        raise RunhiveError(f"{named}: ended after {done:,} of {total:,} bytes: run fetch again")


def fetch_folder(url: str, into: Path, max_bytes: int, named: str, progress: Progress | None) -> None:
    """Write all files below *url* to the new folder *into*. Raises RunhiveError where one cannot be had or kept."""
    with failures_told(url, named):
        store, path = fsspec.url_to_fs(url)
        files = targets(store.find(path, detail=True), path, into, named)
        if not files:
            raise RunhiveError(f"{named} is not a folder, or it is empty: set data.url to the one with the images")
        total = sum(size for _, size in files.values())
        if total > max_bytes:
            raise too_large(named, max_bytes)
        for folder in {target.parent for target, _ in files.values()}:
            folder.mkdir(parents=True, exist_ok=True)
        done, names = 0, list(files)
        for first in range(0, len(names), FILES_AT_ONCE):
            some = names[first : first + FILES_AT_ONCE]
            store.get(some, [str(files[name][0]) for name in some])
            done += sum(files[name][1] for name in some)
            if progress:
                progress(done, total)


def targets(found: Mapping[str, Any], path: str, into: Path, named: str) -> dict[str, tuple[Path, int]]:
    """Return for each name in the store where its file goes and its bytes. A name may not lead out of *into*."""
    if len(found) > LIMITS.entries:
        raise RunhiveError(f"{named} holds more than {LIMITS.entries:,} files: name a smaller folder")
    files = {}
    for name, about in found.items():
        if name.endswith("/"):  # a marker that stands for an empty folder
            continue
        try:
            parts = safe_parts(name.removeprefix(path).lstrip("/"))
        except NotSafe as error:
            raise RunhiveError(f"{named} is refused: {error}") from None
        files[name] = (into.joinpath(*parts or (PurePosixPath(name).name,)), about["size"] or 0)
    if len({target for target, _ in files.values()}) < len(files):
        raise RunhiveError(f"{named} is refused: two of its names are one file here")
    return files


@contextmanager
def failures_told(url: str, named: str) -> Iterator[None]:
    """Turn what a store raises, which may be any class of its client library, into one line."""
    scheme = re.findall(r"(\w*)://", url)[-1].lower()
    try:
        yield
    except RunhiveError:
        raise
    except ImportError as error:
        hint = f"pip install 'runhive[{EXTRAS[scheme]}]'" if scheme in EXTRAS else shown(str(error))
        raise RunhiveError(f"{named}: {scheme}:// needs a package that is not installed: {hint}") from None
    except FileNotFoundError:
        raise RunhiveError(
            f"{named} is not there, or not what data.source says: set data.url to the one with the images"
        ) from None
    except Exception as error:  # botocore, google and azure have no class in common
        reason = shown(str(error) or type(error).__name__)[:300]
        raise RunhiveError(
            f"{named} cannot be read ({reason}): mend the address, the credentials or the disk"
        ) from error
