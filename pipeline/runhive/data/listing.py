"""List one level of the data set's folders, and say of every entry that is not used why."""

import os
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from runhive.data.names import name_fault, shown
from runhive.errors import RunhiveError
from runhive.formats.data_report import LeftOut


def class_folders(folder: Path, split: str) -> tuple[list[str], list[LeftOut]]:
    """Return the names of the class folders of *split*, sorted, and what else lies there."""
    return sort_out(folder, split, wants_folders=True)


def image_files(folder: Path, class_folder: str) -> tuple[list[str], list[LeftOut]]:
    """Return the names of the files in `<split>/<class>`, sorted, and what else lies there."""
    return sort_out(folder, class_folder, wants_folders=False)


def sort_out(folder: Path, within: str, wants_folders: bool) -> tuple[list[str], list[LeftOut]]:
    """Return the sorted names in *within* that are of the wanted kind, and the others with their faults."""
    names, left_out = [], []
    try:
        entries = sorted(
            (entry.name, entry.stat(follow_symlinks=False).st_mode) for entry in os.scandir(folder / within)
        )
    except PermissionError as error:
        raise RunhiveError(f"{shown(within)} cannot be read ({error.strerror}): mend its permissions") from None
    for name, mode in entries:
        if reason := fault(name, mode, wants_folders):
            left_out.append(LeftOut(path=shown(f"{within}/{name}"), reason=reason))
        else:
            names.append(name)
    return names, left_out


def fault(name: str, mode: int, wants_folder: bool) -> str | None:
    """Say why an entry is not used, or None where it is."""
    if S_ISLNK(mode):
        return "a symbolic link"
    if name.startswith("."):
        return "hidden"
    if S_ISDIR(mode) and not wants_folder:
        return "a folder inside a class folder"
    if not S_ISDIR(mode) and not S_ISREG(mode):
        return "neither a file nor a folder"
    if S_ISREG(mode) and wants_folder:
        return "not in a class folder"
    return name_fault(name)
