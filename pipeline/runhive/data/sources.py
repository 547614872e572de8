"""Where images come from: the bundled digits, a folder, an archive, or what DVC tracks, and in which splits."""

from dataclasses import dataclass, replace
from pathlib import Path

from runhive.data.addresses import Places, is_local, is_store, local_path, printed, without_secrets
from runhive.data.bring import Bringer
from runhive.data.deal import deal
from runhive.data.digits import write_digits
from runhive.data.download import Progress
from runhive.data.names import listed, shown
from runhive.data.rules import Rules
from runhive.data.stores import is_folder
from runhive.data.tracked import get_tracked
from runhive.errors import RunhiveError
from runhive.formats.data_report import LeftOut
from runhive.params import Data

SPLITS = ("train", "val", "test")
LAYOUT = "expected train/<class>/* and val/<class>/*"


@dataclass(frozen=True)
class Gathered:
    """A folder that holds `<split>/<class>/*` of *splits*, and what was left out; *owned* files may be moved."""

    folder: Path
    splits: tuple[str, ...]
    owned: bool
    left_out: list[LeftOut]


def gather(data: Data, places: Places, progress: Progress | None) -> Gathered:
    """Bring the images that *data* names. Raises RunhiveError where there are none, or not in the splits."""
    bringer = Bringer(places, places.workspace / "main", Rules(data.sha256, data.max_bytes, data.allow_http), progress)
    folder, left_out = main_folder(data, bringer), []
    if data.split:
        classes, folder = find_classes(folder, source_name(data)), places.workspace / "dealt"
        left_out = deal(classes, folder, data.split, owned=is_within(classes, places.workspace))
    else:
        folder = find_splits(folder, source_name(data))
    splits = {split: folder / split for split in SPLITS if (folder / split).is_dir()}
    for name, address in data.evaluation_sets.items():
        splits[name] = evaluation_set(name, address, folder, bringer)
    staged = places.workspace / "splits"
    staged.mkdir()
    for split, where in splits.items():
        (staged / split).symlink_to(where.absolute())
    owned = all(is_within(where, places.workspace) for where in splits.values())
    return Gathered(staged, tuple(splits), owned, left_out)


def main_folder(data: Data, bringer: Bringer) -> Path:
    """Return the folder with the images to learn from."""
    if data.source == "digits":
        digits = bringer.places.workspace / "digits"
        write_digits(digits)
        return digits
    if data.source == "dvc":
        return tracked_folder(data, bringer)
    assert data.url, "params asks for one"
    return bringer.folder(data.url) if data.source == "folder" else bringer.archive(data.url)


def tracked_folder(data: Data, bringer: Bringer) -> Path:
    """Return the folder or the unpacked archive that DVC tracks."""
    assert data.path, "params asks for one"
    places = bringer.places
    if data.url is None:
        repository = str(places.root) if data.rev else str(Path.cwd())
    else:
        repository = data.url
        if is_local(data.url) and local_path(data.url, places).is_dir():
            repository = str(local_path(data.url, places))
    got = places.workspace / "tracked"
    get_tracked(repository, data.path, data.rev, got)
    return got if got.is_dir() else bringer.local_archive(got, source_name(data))


def evaluation_set(name: str, address: str | None, folder: Path, bringer: Bringer) -> Path:
    """Return the folder with the classes of the evaluation set *name*: at *address*, or beside the other splits."""
    key = f"data.evaluation_sets.{name}"
    if address is None:
        if not (folder / name).is_dir():
            raise RunhiveError(f"{key}: there is no folder {name} beside train: give its path or address")
        return folder / name
    into = bringer.places.workspace / f"set-{name}"
    bringer = replace(bringer, into=into, rules=replace(bringer.rules, sha256=None))  # the sum is of data.url
    if is_store(address):
        as_folder = is_folder(address, printed(address))
    else:
        as_folder = is_local(address) and not local_path(address, bringer.places).is_file()
    return find_classes(bringer.folder(address) if as_folder else bringer.archive(address), printed(address))


def is_within(folder: Path, outer: Path) -> bool:
    return folder.resolve().is_relative_to(outer.resolve())


def source_name(data: Data) -> str:
    """Return the source in words that hold no secret."""
    if data.source == "digits":
        return "digits"
    if data.source == "dvc":
        return f"{without_secrets(data.url or '.')} {data.path}" + (f" at {data.rev}" if data.rev else "")
    return without_secrets(data.url or "")


def find_splits(folder: Path, named: str) -> Path:
    """Return the folder with `train` and `val`: *folder* or what single folders in it lead to.

    Hidden folders and `__MACOSX` do not count. Raises RunhiveError, calling *folder* *named*, for another layout.
    """
    while True:
        inside = visible_names(folder)
        folders = [name for name in inside if (folder / name).is_dir()]
        if {"train", "val"} <= set(folders):
            return folder
        if len(folders) != 1 or folders[0] in SPLITS:
            may_be_classes = len(folders) > 1 and not set(SPLITS) & set(folders)
            hint = f"{LAYOUT}, or data.split set" if may_be_classes else LAYOUT
            raise RunhiveError(f"{shown(named)} holds {listed(inside) or 'nothing'}: {hint}")
        folder /= folders[0]


def find_classes(folder: Path, named: str) -> Path:
    """Return the folder with the class folders: *folder* or what single folders in it lead to."""
    while True:
        folders = [name for name in visible_names(folder) if (folder / name).is_dir()]
        if {"train", "val"} & set(folders):
            raise RunhiveError(
                f"{shown(named)} holds {listed(folders)}: expected <class>/*; set data.split to null for splits"
            )
        if not folders:
            raise RunhiveError(f"{shown(named)} holds no folders: expected <class>/*")
        if len(folders) > 1 or not any(
            (folder / folders[0] / name).is_dir() for name in visible_names(folder / folders[0])
        ):
            return folder
        folder /= folders[0]


def visible_names(folder: Path) -> list[str]:
    """Return the names in *folder* that count, sorted."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except PermissionError as error:
        raise RunhiveError(f"{shown(str(folder))} cannot be read ({error.strerror}): mend its permissions") from None
    return [name for name in names if not name.startswith(".") and name != "__MACOSX"]
