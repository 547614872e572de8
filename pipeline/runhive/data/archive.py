"""Unpack an archive that a stranger may have made: all of it, or nothing and one line that says why."""

import lzma
import shutil
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from runhive.data.members import Member, Refused, open_members
from runhive.data.names import shown
from runhive.errors import RunhiveError

CHUNK = 2**20
# What the standard library raises on damaged bytes; NotImplementedError is an unknown compression.
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    NotImplementedError,
)


@dataclass(frozen=True)
class Limits:
    """What an archive may hold. `ratio` is unpacked bytes over the archive's own, and is for zips."""

    entries: int = 2_000_000
    bytes: int = 50 * 10**9
    ratio: int = 200


LIMITS = Limits()


def extract(archive: Path, into: Path, limits: Limits = LIMITS) -> None:
    """Unpack the zip or tar *archive* into the new folder *into*, beside which it is built.

    Raises RunhiveError, with nothing left on the disk, where the archive is damaged, encrypted or over
    *limits*, or holds a link, a device, a name twice or a name that leads out of the folder.
    """
    try:
        with private_folder(into) as private:
            kind, members = open_members(archive)
            packed = archive.stat().st_size if kind == "zip" else None
            unpack(members, private, limits, packed)
            private.rename(into)
    except Refused as error:
        raise RunhiveError(f"{archive} is refused: {error}") from None
    except DAMAGE as error:
        raise damaged(archive, error) from error
    except OSError as error:
        if error.errno is None:  # gzip and bz2 say damage with it
            raise damaged(archive, error) from error
        raise RunhiveError(f"{archive} cannot be unpacked into {into.parent}: {error.strerror}") from error


@contextmanager
def private_folder(beside: Path) -> Iterator[Path]:
    """Make a folder that is gone at the end, unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", dir=beside.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def damaged(archive: Path, error: Exception) -> RunhiveError:
    """Return the error for *archive*, whose bytes made *error*."""
    return RunhiveError(f"{archive} is damaged ({shown(str(error))}): get it again")


def unpack(members: Iterator[Member], folder: Path, limits: Limits, packed: int | None) -> None:
    """Write *members* into *folder*, counting bytes as they are read, not as they are declared."""
    total = 0
    for count, member in enumerate(members, start=1):
        if count > limits.entries:
            raise Refused(f"it holds more than {limits.entries:,} entries")
        target = folder.joinpath(*safe_parts(member.name))
        try:
            if member.content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise Refused(f"it holds {shown(member.name)} twice") from None
        with file:
            while chunk := member.content.read(CHUNK):
                total += len(chunk)
                check_size(total, limits, packed)
                file.write(chunk)


def check_size(total: int, limits: Limits, packed: int | None) -> None:
    """Refuse *total* unpacked bytes where they are over the cap, or too many for *packed* bytes."""
    if total > limits.bytes:
        raise Refused(f"it unpacks to more than {limits.bytes:,} bytes")
    if packed is not None and total > limits.ratio * packed:
        raise Refused(f"it unpacks to more than {limits.ratio} times its own size")


def safe_parts(name: str) -> tuple[str, ...]:
    """Return the parts of a member's *name*. Raises Refused where it may lead out of the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or PureWindowsPath(name).drive:
        raise Refused(f"{shown(name)} is an absolute name")
    if "\\" in name or "\0" in name:
        raise Refused(f"{shown(name)} holds a backslash or a zero byte")
    if ".." in path.parts:
        raise Refused(f"{shown(name)} leads out of its folder")
    return path.parts
