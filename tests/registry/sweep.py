"""Register, promote, roll back or deprecate again and again; the n-th call that changes the disk fails or kills.

Run by test_registry_survives.py, under LD_PRELOAD of faults.c: `sweep.py ACTION KIND POINTS TEMPLATE WORK`, where
TEMPLATE holds a repository `root` and its Git remote `hub.git`. Prints a line for each n.
"""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pygit2

from faults import Plan, forget_locks
from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.registry import mark
from runhive.tracking.registry.catalog import Catalog, read_catalog
from runhive.tracking.registry.find import find_model, find_version
from runhive.tracking.registry.promote import promote, rollback
from runhive.tracking.registry.register import plan_version, register
from runhive.tracking.registry.writing import registry_of


def act(action: str, root: Path) -> None:
    """What the command does, without the gate: only what is written matters here."""
    with registry_of(root) as registry:
        catalog = registry.catalog()
        match action:
            case "register":
                register(registry, plan_version(registry, None, None, None), {})
            case "promote":
                found = find_version(catalog, "v1.0.0")
                promote(registry, find_model(catalog, ""), found, "prod", {}, False, "")
            case "rollback":
                rollback(registry, find_model(catalog, ""), "prod", "", "")
            case "deprecate":
                mark.deprecate(registry, find_version(catalog, "v1.0.0"), "old")
            case "note":
                mark.note(registry, find_version(catalog, "v1.0.0"), "for the paper")


def is_done(action: str, catalog: Catalog) -> bool:
    model = catalog.models.get("colours")
    if model is None:
        return False
    version = model.versions[0]
    done = {
        "register": True, "promote": version.aliases == ("prod",),
        "rollback": model.versions[-1].aliases == ("prod",), "deprecate": version.deprecated == "old",
        "note": version.notes == "for the paper",
    }  # fmt: skip
    return done[action]


def at_hub(hub: Path) -> Catalog:
    return read_catalog(Ledger(pygit2.Repository(str(hub))))


def doubts(catalog: Catalog) -> list[str]:
    """Tags that no record confirms."""
    models = catalog.models.values()
    return [one.doubt for model in models for one in (*model.versions, *model.assignments) if one.doubt]


def check(action: str, folder: Path, status: int, kill: bool) -> None:
    """Raise AssertionError unless it is done whole or not at all, here and at the hub, and can be done again."""
    root, hub = folder / "root", folder / "hub.git"
    forget_locks(folder)
    assert status in ((0, 3, -9) if kill else (0, 3)), f"ended with {status}"
    assert doubts(read_catalog(open_ledger(root))) == [], "a tag here without its record"
    seen = at_hub(hub)
    assert doubts(seen) == [], "a tag at the hub without its record"
    if status == 0:
        assert is_done(action, read_catalog(open_ledger(root))) and is_done(action, seen), "acknowledged, yet not there"
    try:
        act(action, root)
    except RunhiveError as error:
        assert "already" in str(error), f"it cannot be done again: {error}"
    assert is_done(action, read_catalog(open_ledger(root))), "it was done again, yet is not there"
    again = at_hub(hub)
    assert is_done(action, again), "it was done again, yet the hub lacks it"
    assert len(again.models["colours"].assignments) <= (4 if action == "rollback" else 1), "it was done twice"
    assert (
        "error"
        not in subprocess.run(
            ["git", "-C", root, "fsck", "--full", "--no-dangling"], check=True, capture_output=True, text=True
        ).stdout
    )


def main(action: str, kind: str, points: int, template: Path, work: Path) -> None:
    plan = Plan()

    def attempt(at: int) -> tuple[Path, int]:
        folder = Path(shutil.copytree(template, work / "try", symlinks=True))
        return folder, plan.attempt(lambda: act(action, folder / "root"), folder / "root", at, kind == "kill")

    assert attempt(0)[1] == 0
    total = plan.count
    shutil.rmtree(work / "try")
    for number in range(1, total + 1) if points == 0 else sorted(random.sample(range(1, total + 1), points)):
        folder, status = attempt(number)
        try:
            check(action, folder, status, kind == "kill")
        except AssertionError as error:
            sys.exit(f"{action}, call {number} of {total}, {kind}: {error}")
        shutil.rmtree(folder)
        print(number, status, flush=True)
    print("swept", total, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), Path(sys.argv[5]))
