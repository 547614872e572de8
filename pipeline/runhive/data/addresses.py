"""What `data.url` may be: a path or file:// here, http(s):// on the web, or an address of a store."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from runhive.data.names import shown
from runhive.errors import RunhiveError


@dataclass(frozen=True)
class Places:
    """Where fetch makes what has to be made, where relative paths start, and the paths here that DVC watches."""

    workspace: Path
    root: Path
    watched: Sequence[Path] = ()


def is_web(url: str) -> bool:
    return re.match(r"https?://", url, re.I) is not None


def is_local(url: str) -> bool:
    return "://" not in url or url.startswith("file://")


def is_store(url: str) -> bool:
    return not is_web(url) and not is_local(url)


def local_path(url: str, places: Places) -> Path:
    """Return the path that *url*, a `file://` address or a path, stands for.

    DVC may run the stage in a copy of the repository. What it watches is there too, and is taken from there.
    """
    path = plain_path(url)
    return path.absolute() if is_watched(path, places.watched) else places.root / path


def plain_path(url: str) -> Path:
    """Return *url*, a `file://` address or a path, as a path."""
    if not url.startswith("file://"):
        return Path(url)
    if urlsplit(url).netloc not in ("", "localhost"):
        raise RunhiveError(f"{shown(url)} names another host: write file:///path or a path")
    return Path(url2pathname(urlsplit(url).path))


def is_watched(path: Path, watched: Sequence[Path]) -> bool:
    """Whether *path* is one of those that DVC looks for changes at, or in one."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100  # `a/../b` is `b`, which Path.absolute leaves
    return any(absolute.is_relative_to(os.path.abspath(one)) for one in watched)  # noqa: PTH100


def without_secrets(url: str) -> str:
    """Return *url* without user, password, query and fragment; a path as it is."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def printed(url: str) -> str:
    """Return *url* for a message."""
    return shown(without_secrets(url))
