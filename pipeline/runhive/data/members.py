"""The members of a zip or tar archive, one after the other, with all that is no file or folder refused."""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, Self

from runhive.data.names import shown

HEADER_BYTES = 2**20
OPENERS = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ\0": lzma.LZMAFile}
ENCRYPTED = 0x1


class NotSafe(Exception):
    """Why an archive is not unpacked, in words that follow its name."""


@dataclass(frozen=True)
class Member:
    """A file, or a folder where `content` is None. `content` is read before the next member is asked for."""

    name: str
    content: IO[bytes] | None


def open_members(archive: Path) -> Iterator[Member]:
    """Return the members of *archive*, which is a zip or a tar by its first bytes, whatever its name."""
    head = first_bytes(archive)
    if is_zip(head):
        return zip_members(archive)
    if is_tar(head):
        return tar_members(archive, head)
    raise NotSafe(f"it is neither a zip nor a tar archive, it begins with {head[:24]!r}")


def is_archive(path: Path) -> bool:
    """Whether *path* is a file that `open_members` takes for a zip or a tar."""
    if not path.is_file():
        return False
    head = first_bytes(path)
    return is_zip(head) or is_tar(head)


def first_bytes(path: Path) -> bytes:
    """As many as tell what *path* is."""
    with path.open("rb") as file:
        return file.read(tarfile.BLOCKSIZE)


def is_zip(head: bytes) -> bool:
    """Whether a file that begins with *head* is a zip."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def is_tar(head: bytes) -> bool:
    """Whether a file that begins with *head* is a tar, or something compressed that may be one."""
    return any(head.startswith(magic) for magic in OPENERS) or is_tar_header(head)


def zip_members(path: Path) -> Iterator[Member]:
    """Yield the members of the zip at *path*."""
    try:
        archive = zipfile.ZipFile(path)
    except UnicodeDecodeError:
        raise NotSafe("it holds a name that is not the UTF-8 that it says it is") from None
    with archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise NotSafe(f"{shown(info.filename)} is a link or a device")
            if info.flag_bits & ENCRYPTED:
                raise NotSafe("it is encrypted")
            if info.filename.endswith("/") or kind == stat.S_IFDIR:
                yield Member(info.orig_filename, None)
                continue
            with archive.open(info) as content:
                yield Member(info.orig_filename, content)


def tar_members(path: Path, head: bytes) -> Iterator[Member]:
    """Yield the members of the tar at *path*, whose first bytes *head* say how it is compressed."""
    openers = (opener for magic, opener in OPENERS.items() if head.startswith(magic))
    opener = next(openers, open)
    with opener(path, "rb") as stream:
        metered = Metered(stream)
        with tarfile.open(fileobj=metered, mode="r|", tarinfo=StrictTarInfo) as archive:  # type: ignore[call-overload]
            while info := archive.next():
                archive.members.clear()  # tarfile keeps every member: gigabytes at the cap on entries
                if not (info.isdir() or (info.isreg() and not info.issparse())):
                    raise NotSafe(f"{shown(info.name)} is a link, a device or a sparse file")
                metered.left = info.size + HEADER_BYTES
                yield Member(info.name, archive.extractfile(info))
                metered.left = HEADER_BYTES
        while metered.read(2**16):  # up to the checksum at the end of the compressed stream
            pass


def is_tar_header(head: bytes) -> bool:
    """Whether *head* is a tar header with a right checksum."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Metered:
    """A stream that gives `left` bytes and then fails, so that no header fills the memory."""

    def __init__(self, stream: Readable) -> None:
        self.stream = stream
        self.left = HEADER_BYTES

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise tarfile.ReadError(f"more than {HEADER_BYTES:,} bytes where a header is expected")
        return data


class StrictTarInfo(tarfile.TarInfo):
    """Raise ReadError at a damaged header, where tarfile takes it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from None
