"""Deal the images of class folders to train, val and test by what is in them."""

import shutil
from pathlib import Path

from runhive.data.listing import class_folders, image_files
from runhive.data.names import shown
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.data_report import LeftOut
from runhive.params import Split


def deal(folder: Path, into: Path, split: Split, owned: bool) -> list[LeftOut]:
    """Bring every `<class>/<file>` of *folder* to `{train,val,test}/<class>/<file>` in *into*; return what stays.

    Files move where *folder* is *owned*, else they are copied. The split is a function of the file's bytes alone: no
    image moves when others come or go, and equal ones are never on both sides. Raises RunhiveError where a class is
    empty or a split gets none of it, and where the disk is full.
    """
    labels, left_out = class_folders(folder.parent, folder.name)
    left_out = [one for one in left_out if one.reason != "hidden"]
    try:
        for label in labels:
            if label != "__MACOSX":
                names, others = image_files(folder, label)
                left_out += others + deal_class(folder / label, names, into, split, owned)
    except OSError as error:
        raise RunhiveError(f"{into} cannot be written ({error.strerror}): free the disk") from error
    return left_out


def deal_class(folder: Path, names: list[str], into: Path, split: Split, owned: bool) -> list[LeftOut]:
    """Deal the files *names* of one class folder."""
    if not names:
        raise RunhiveError(f"{shown(folder.name)} is empty: put images there or remove the class")
    counts = {"train": 0, "val": 0} | ({"test": 0} if split.test else {})
    left_out = []
    for where in counts:
        (into / where / folder.name).mkdir(parents=True)
    for name in names:
        source = folder / name
        try:
            if not owned:
                source = Path(shutil.copyfile(source, into / "copied"))
            where = place_of(sha256_of(source), split)
        except PermissionError as error:
            left_out.append(LeftOut(path=shown(f"{folder.name}/{name}"), reason=f"cannot be read ({error.strerror})"))
            continue
        source.rename(into / where / folder.name / name)
        counts[where] += 1
    if without := [where for where, count in counts.items() if not count]:
        raise RunhiveError(
            f"data.split: none of the {len(names)} files of {shown(folder.name)} falls to {' and '.join(without)}: "
            "add images, or raise its share"
        )
    return left_out


def place_of(sha256: str, split: Split) -> str:
    """Return the split of the bytes with the hex digest *sha256*: test from the lower end, val from the upper one."""
    share = int(sha256[:16], 16) / 2**64
    if share < split.test:
        return "test"
    return "val" if share >= 1 - split.val else "train"
