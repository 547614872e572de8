"""Data that a repository tracks with DVC or Git, at one of its revisions."""

from pathlib import Path

from runhive.data.names import shown
from runhive.errors import RunhiveError


def get_tracked(repository: str, path: str, rev: str | None, into: Path) -> None:
    """Write *path* of *repository*, an address or a folder, as it is at *rev* to *into*, as `dvc get` does.

    Without *rev* it is the tip of another repository, or the working tree of one here. Raises RunhiveError where it
    cannot be had.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        Repo.get(repository, path, out=str(into), rev=rev)
    except (DvcException, SCMError, OSError) as error:
        at = f" at {shown(rev)}" if rev else ""
        reason = shown(" ".join(str(error).split()))[:300]
        raise RunhiveError(
            f"{shown(path)}{at} cannot be had from {shown(repository)} ({reason}): "
            "mend data.url, data.path or data.rev, or the DVC remote"
        ) from error
