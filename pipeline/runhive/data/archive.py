"""Unpack an archive that a stranger may have made: all of it, or nothing and one line that says why."""

import errno
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

from runhive.data.members import Member, NotSafe, open_members
from runhive.data.names import shown
from runhive.errors import RunhiveError

CHUNK = 2**20
# What the standard library raises on damaged bytes.
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
)


@dataclass(frozen=True)
class Limits:
    """What an archive may hold. `ratio` is unpacked bytes over the archive's own; names in it are `deep` at most."""

    entries: int = 2_000_000
    bytes: int = 50 * 10**9
    ratio: int = 200
    deep: int = 100


LIMITS = Limits()
OTHERWISE = "get another archive, or unpack it yourself and set data.source to folder"


class Damaged(RunhiveError):
    """An archive whose bytes are not those that were packed."""


class Refused(RunhiveError):
    """An archive that is whole, and is not unpacked for what it holds."""


def extract(archive: Path, into: Path, limits: Limits = LIMITS, named: str | None = None) -> None:
    """Unpack the zip or tar *archive*, called *named* in errors, into the new folder *into*, beside which it is built.

    With nothing left on the disk, raises Damaged, or Refused where the archive is encrypted or over *limits*, or
    holds a link, a device, a name twice, a name too long or one that leads out of the folder.
    """
    named = named or shown(str(archive))
    try:
        with private_folder(into) as private:
            unpack(open_members(archive), private, limits, archive.stat().st_size)
            private.rename(into)
    except NotSafe as error:
        raise Refused(f"{named} is refused: {error}: {OTHERWISE}") from None
    except NotImplementedError as error:  # a compression that zipfile does not know
        raise Refused(f"{named} is refused: {shown(str(error))}: pack it with deflate") from None
    except DAMAGE as error:
        raise damaged(named, error) from error
    except OSError as error:
        if error.errno is None:  # gzip and bz2 say damage with it
            raise damaged(named, error) from error
        raise RunhiveError(
            f"{named} cannot be unpacked into {into.parent} ({error.strerror}): free the disk or mend its permissions"
        ) from error


@contextmanager
def private_folder(beside: Path) -> Iterator[Path]:
    """Make a folder that is gone at the end, unless it was renamed."""
    folder = Path(tempfile.mkdtemp(prefix=f".{beside.name}.", dir=beside.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def damaged(named: str, error: Exception) -> Damaged:
    """Return the error for the archive *named*, whose bytes made *error*."""
    return Damaged(f"{named} is damaged ({shown(str(error))}): get it again")


def unpack(members: Iterator[Member], folder: Path, limits: Limits, packed: int) -> None:
    """Write *members* into *folder*, counting bytes as they are read, not as they are declared."""
    total = 0
    for count, member in enumerate(members, start=1):
        if count > limits.entries:
            raise NotSafe(f"it holds more than {limits.entries:,} entries")
        target = folder.joinpath(*safe_parts(member.name, limits.deep))
        try:
            if member.content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            file = target.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise NotSafe(f"it holds {shown(member.name)} twice") from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise NotSafe(f"{shown(member.name)[:60]}… is too long a name") from None
        with file:
            while chunk := member.content.read(CHUNK):
                total += len(chunk)
                check_size(total, limits, packed)
                file.write(chunk)


def check_size(total: int, limits: Limits, packed: int) -> None:
    """Refuse *total* unpacked bytes where they are over the cap, or too many for *packed* bytes."""
    if total > limits.bytes:
        raise NotSafe(f"it unpacks to more than {limits.bytes:,} bytes")
    if total > limits.ratio * packed:
        raise NotSafe(f"it unpacks to more than {limits.ratio} times its own size")


def safe_parts(name: str, deep: int = LIMITS.deep) -> tuple[str, ...]:
    """Return the parts of a member's *name*. Raises NotSafe where it may lead out of the folder or too far into it."""
    path = PurePosixPath(name)
    if path.is_absolute() or PureWindowsPath(name).drive:
        raise NotSafe(f"{shown(name)} is an absolute name")
    if "\\" in name or "\0" in name:
        raise NotSafe(f"{shown(name)} holds a backslash or a zero byte")
    if ".." in path.parts:
        raise NotSafe(f"{shown(name)} leads out of its folder")
    if len(path.parts) > deep:
        raise NotSafe(f"{shown(name)[:60]}… is nested more than {deep} folders deep")
    return path.parts
