"""Send what runs keep in DVC's cache to a DVC remote: `dvc push` knows the dvc.lock in the working tree alone."""

from dataclasses import dataclass
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.storage.retention import Retention, kept_runs


@dataclass(frozen=True)
class Uploaded:
    """How many objects went, and where to."""

    objects: int
    remote: str


def upload(root: Path, ledger: Ledger) -> Uploaded:
    """Send what the runs point at and the cache here has to the default remote; archived runs send nothing.

    Raises RunhiveError where there is no DVC or no default remote, and where something did not arrive.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo

    from runhive.tracking.storage.dvc_cache import ALGORITHM, pointed_at, within

    pointed = [pointed_at(ledger, run) for run in kept_runs(ledger, Retention())]
    wanted = {md5 for one in pointed for md5 in one.made | one.read}
    try:
        with Repo(str(root)) as repo:
            cache = repo.cache.local
            here = {md5 for md5 in wanted if cache.exists(md5)}
            listed = [within(md5, [cache], missing=False) for md5 in here if md5.endswith(".dir")]
            objects = [HashInfo(ALGORITHM, md5) for md5 in sorted(here.union(*listed))]
            target = repo.cloud.get_remote_odb(None, "push")  # fails where there is no default remote
            remote = str(repo.config["core"]["remote"])
            done = repo.cloud.push(objects, odb=target)
    except (DvcException, OSError) as error:
        raise RunhiveError(
            f"the files of the runs cannot be pushed ({one_line(str(error).splitlines()[0])}): "
            "see `dvc remote list`, `dvc remote add -d NAME URL` adds one"
        ) from error
    if done.failed:
        raise RunhiveError(f"{len(done.failed)} files did not reach the DVC remote {one_line(remote)}: push again")
    return Uploaded(len(done.transferred), remote)
