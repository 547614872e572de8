"""The images that paths name: files, folders, globs and archives, one after the other in an order that repeats."""

import glob
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from runhive.data.archive import DAMAGE
from runhive.data.members import NotSafe, is_archive, open_members
from runhive.data.names import shown
from runhive.errors import RunhiveError

SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".gif",
))  # fmt: skip
MOST_BYTES = 2**28  # of one image in an archive, which is held in memory
UNPACKING = (*DAMAGE, OSError, NotImplementedError)  # a compression that zipfile does not know
SEPARATOR = "::"  # between an archive and what is in it


@dataclass(frozen=True)
class Item:
    """An image by the name that its row has: a file, or the bytes out of an archive; *fault* says why it is neither."""

    name: str
    file: Path | None = None
    content: bytes = b""
    fault: str = ""

    def open(self) -> IO[bytes]:
        """Raises OSError."""
        return self.file.open("rb") if self.file else io.BytesIO(self.content)


def find_images(words: Sequence[str]) -> Iterator[Item]:
    """Yield the images of *words* in their order, folders sorted by name, archives as they are packed.

    In folders and archives, what is hidden and what has no image's name is left out. A file that is named is taken.
    Raises RunhiveError for a word that names nothing.
    """
    for word in words:
        for path in _matches(word) if _is_pattern(word) else [Path(word)]:
            yield from _of_path(path)


def check_paths(words: Sequence[str]) -> None:
    """Raise RunhiveError for a word that names nothing, before any work."""
    for word in words:
        if _is_pattern(word):
            _matches(word)
        elif not os.path.lexists(word):
            raise RunhiveError(f"there is no {shown(word)}: name images, folders or archives")


def count_images(words: Sequence[str]) -> int | None:
    """How many images *words* name; None where an archive, which would have to be unpacked, is among them."""
    paths = [path for word in words for path in (_matches(word) if _is_pattern(word) else [Path(word)])]
    if any(is_archive(path) for path in paths):
        return None
    return sum(1 for _ in find_images(words))


def _is_pattern(word: str) -> bool:
    return glob.has_magic(word) and not os.path.lexists(word)


def _matches(pattern: str) -> list[Path]:
    """Sorted; without the folders that `**` matches, because their content matches too."""
    found = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    if not found:
        raise RunhiveError(f"{shown(pattern)} matches no file: name images, folders or archives")
    return [path for path in found if not ("**" in pattern and path.is_dir())]


def _of_path(path: Path) -> Iterator[Item]:
    if path.is_dir():
        yield from _of_folder(path)
    elif is_archive(path):
        yield from _of_archive(path)
    else:
        yield Item(_printable(str(path)), path)


def _of_folder(folder: Path) -> Iterator[Item]:
    """The names in one folder at a time are what is held; links to folders are not followed."""
    names: list[str] = []
    folders: set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                if entry.name[0] != "." and (is_folder or _suffix(entry.name) in SUFFIXES):
                    names.append(entry.name)
                    folders |= {entry.name} if is_folder else set()
    except OSError as error:
        yield Item(_printable(str(folder)), fault=f"cannot be read ({error.strerror})")
        return
    names.sort()
    for name in names:
        if name in folders:
            yield from _of_folder(folder / name)
        else:
            yield Item(_printable(str(folder / name)), folder / name)


def _of_archive(archive: Path) -> Iterator[Item]:
    """A damaged or refused archive is a row of its own after what came out of it before."""
    where = _printable(str(archive))
    try:
        for member in open_members(archive):
            path = PurePosixPath(member.name)
            if member.content is None or _suffix(path.name) not in SUFFIXES or _is_hidden(path):
                continue
            yield _of_member(f"{where}{SEPARATOR}{_printable(member.name)}", member.content)
    except NotSafe as error:
        yield Item(where, fault=f"refused: {error}")
    except UNPACKING as error:
        yield Item(where, fault=f"damaged: {shown(str(error))[:100]}")


def _of_member(name: str, packed: IO[bytes]) -> Item:
    try:
        content = packed.read(MOST_BYTES + 1)
    except UNPACKING as error:
        return Item(name, fault=f"damaged: {shown(str(error))[:100]}")
    return (
        Item(name, fault=f"more than {MOST_BYTES:,} bytes") if len(content) > MOST_BYTES else Item(name, None, content)
    )


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _printable(name: str) -> str:
    """*name* in UTF-8, with bytes that are none as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
