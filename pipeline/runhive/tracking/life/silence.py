"""What runs on runners told in a DVC remote goes when they have been silent for long: nobody follows them any more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.life.broadcast import FOLDER, MOST_BYTES, parse
from runhive.tracking.storage.remote_file import RemoteFolder, remote_folders

SILENCE = timedelta(days=1)  # a run that trains tells every minute that it lives


def forget_silent(root: Path, remote: str, really: bool) -> int:
    """Remove from the DVC remote of that name the words of runs that are silent, and return how many there are.

    They are only counted unless *really*. Raises RunhiveError where the remote cannot be used.
    """
    store = next((one for one in remote_folders(root) if one.name == remote), None)
    if store is None:
        raise RunhiveError(f"there is no DVC remote {one_line(remote)}: see `dvc remote list`")
    try:
        silent = [name for name in store.names(FOLDER) if _is_silent(store, name)]
        for name in silent if really else ():
            store.remove(name)
    except Exception as error:  # botocore, google and azure have no class in common
        told = one_line(str(error) or type(error).__name__)[:200]
        raise RunhiveError(
            f"the DVC remote {one_line(remote)} cannot be read ({told}): see `dvc remote list`"
        ) from error
    return len(silent)


def _is_silent(store: RemoteFolder, name: str) -> bool:
    """So is what cannot be read: nobody can follow it."""
    try:
        heard = parse(store.read(name, MOST_BYTES))
    except FileNotFoundError:  # another removes them too
        return False
    return heard is None or heard.time < datetime.now(UTC) - SILENCE
