"""The word of a run that trains elsewhere, from the DVC remotes of this repository."""

from pathlib import Path

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.life.broadcast import MOST_BYTES, Broadcast, object_name, parse
from runhive.tracking.storage.remote_file import remote_folders


class Live:
    """Listens at every DVC remote, and stays with the one that answered."""

    def __init__(self, root: Path) -> None:
        self._remotes = list(remote_folders(root))
        self.fault: str | None = None if self._remotes else "this repository has no DVC remote"

    def hear(self, number: int) -> Broadcast | None:
        """Return what the training of the workflow run *number* tells; None where nothing that can be read is there.

        `fault` says why a remote cannot be read.
        """
        for remote in self._remotes:
            try:
                content = remote.read(object_name(number), MOST_BYTES)
            except FileNotFoundError:
                continue
            except Exception as error:  # botocore, google and azure have no class in common
                self.fault = f"the DVC remote {one_line(remote.name)} cannot be read ({one_line(str(error))[:200]})"
                continue
            if heard := parse(content):
                self._remotes, self.fault = [remote], None
                return heard
        return None


def live_of(root: Path) -> Live | str:
    """Return what listens for *root*, or why nothing can be heard."""
    try:
        live = Live(root)
    except ModuleNotFoundError:
        return "DVC is not installed"
    except RunhiveError as error:
        return str(error)
    return live.fault or live
