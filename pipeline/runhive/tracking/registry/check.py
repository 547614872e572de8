"""Does every version still hold: its record, its lineage, and the bytes of its files?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pygit2

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.registry.catalog import Catalog, Version
from runhive.tracking.registry.clean import faults
from runhive.tracking.registry.objects import fault_of


@dataclass(frozen=True)
class Checked:
    """What was found wrong with a version, a line each; none where all holds."""

    title: str
    problems: tuple[str, ...]


def check(ledger: Ledger, root: Path, catalog: Catalog) -> list[Checked]:
    """Check every version of *catalog*, whatever happens with the ones before."""
    versions = [one for model in catalog.models.values() for one in model.versions]
    return [Checked(one.title, tuple(_problems(ledger, root, one))) for one in versions] + [
        Checked(f"{model.name}#{given.alias}", (given.doubt or "it stands for no version",))
        for model in catalog.models.values()
        for given in model.aliases.values()
        if given.doubt or given.version is None
    ]


def _problems(ledger: Ledger, root: Path, version: Version) -> Iterator[str]:
    if version.event is None:
        yield f"unverified: {version.doubt}"
        return
    run = ledger.run(version.tag.run_id)
    record = version.record
    if version.tag.commit not in ledger.repository:
        yield f"commit {version.tag.commit[:8]} is not in this clone: run `git fetch`"
    elif isinstance(ledger.repository[version.tag.commit], pygit2.Commit):
        yield from faults(ledger.repository, version.tag.commit, run)
    if run.data.get("digest") != record["data_digest"]:
        yield "the digest of its data is not the one of its run"
    for path, told in sorted(record["files"].items()):
        if (run.files.get(path) or {}).get("sha256") != told["sha256"]:
            yield f"{path} of run {run.run_id} was filed again with other bytes since"
        try:
            if fault := fault_of(root, path, told):
                yield fault
        except RunhiveError as error:
            yield str(error)
