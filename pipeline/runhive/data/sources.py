"""Where images come from: the bundled digits, a folder, or an archive here or on the web."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from runhive.data.archive import extract
from runhive.data.digits import write_digits
from runhive.data.download import Progress, download
from runhive.data.names import listed, shown
from runhive.errors import RunhiveError

SPLITS = ("train", "val", "test")
LAYOUT = "expected train/<class>/* and val/<class>/*"


def gather(source: str, url: str | None, workspace: Path, root: Path, progress: Progress | None) -> Path:
    """Return the folder with the splits of *source*: "digits", or "folder" or "archive" at *url*.

    Whatever has to be made is made in *workspace*; a relative path in *url* starts at *root*. Raises
    RunhiveError where there is nothing to read or no `train` and `val` in it.
    """
    if source == "digits":
        write_digits(workspace / "digits")
        return workspace / "digits"
    if source not in ("folder", "archive"):
        raise RunhiveError(f"data.source is {shown(source)}: use digits, folder or archive")
    if not url:
        raise RunhiveError(f"data.url is missing: data.source: {source} needs the path of one")
    if source == "folder":
        folder = local_path(url, root)
        if not folder.is_dir():
            raise RunhiveError(f"{shown(str(folder))} is not a folder: set data.url to the one that holds the images")
    else:
        folder = workspace / "archive"
        extract(archive_file(url, workspace, root, progress), folder)
    return find_splits(folder, shown(without_secrets(url)))


def archive_file(url: str, workspace: Path, root: Path, progress: Progress | None) -> Path:
    """Return the archive at *url* as a file, downloading what is not here."""
    if "://" in url and not url.startswith("file://"):
        download(url, workspace / "downloaded-archive", progress)
        return workspace / "downloaded-archive"
    file = local_path(url, root)
    if not file.is_file():
        raise RunhiveError(f"{shown(str(file))} is not a file: set data.url to an archive here or to its https address")
    return file


def local_path(url: str, root: Path) -> Path:
    """Return the path that *url*, a `file://` address or a path from *root*, stands for."""
    if url.startswith("file://"):
        if urlsplit(url).netloc not in ("", "localhost"):
            raise RunhiveError(f"{shown(url)} names another host: write file:///path or a path")
        url = url2pathname(urlsplit(url).path)
    return root / url


def without_secrets(url: str) -> str:
    """Return *url* without user, password, query and fragment; a path as it is."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


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
            raise RunhiveError(f"{named} holds {listed(inside) or 'nothing'}: {LAYOUT}")
        folder /= folders[0]


def visible_names(folder: Path) -> list[str]:
    """Return the names in *folder* that count, sorted."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except PermissionError as error:
        raise RunhiveError(f"{shown(str(folder))} cannot be read ({error.strerror}): mend its permissions") from None
    return [name for name in names if not name.startswith(".") and name != "__MACOSX"]
