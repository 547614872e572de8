"""Two people at once, and a kill at any call that changes the disk: tag and record, or neither counts.

`RUNHIVE_LONG=1 pytest tests/registry` kills at each call; else at a few at random.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from shop import Shop, git, worse

from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.registry.catalog import read_catalog

LONG = bool(os.environ.get("RUNHIVE_LONG"))
FAULTS = Path(__file__).parents[1] / "tracking/faults.c"
# Registers or promotes as the command does, without the gate: only what is written matters here.
WRITER = """
import os, sys, mmap, struct
from pathlib import Path
from runhive.errors import RunhiveError
from runhive.tracking.registry.find import find_model, find_version
from runhive.tracking.registry.promote import promote
from runhive.tracking.registry.register import plan_version, register
from runhive.tracking.registry.writing import registry_of
action, at = sys.argv[1], int(sys.argv[2])
plan = None
if "FAULT_FILE" in os.environ:
    with open(os.environ["FAULT_FILE"], "r+b") as file:
        plan = mmap.mmap(file.fileno(), 24)
try:
    with registry_of(Path.cwd()) as registry:
        if plan: plan[:24] = struct.pack("qqq", 0, at, 1)
        if action == "register":
            register(registry, plan_version(registry, None, None, None), {})
        else:
            catalog = registry.catalog()
            promote(registry, find_model(catalog, ""), find_version(catalog, "latest"), "prod", {}, False, "")
except RunhiveError as error:
    sys.exit(f"told: {error}")
finally:
    if plan: print(struct.unpack("q", plan[:8])[0]); plan[:24] = struct.pack("qqq", 0, -1, 0)
"""


def write(shop: Shop, action: str, at: int = -1, faults: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, action, str(at)], cwd=shop.root, env=os.environ | (faults or {}), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]") -> int:
    process.communicate(timeout=300)
    return process.returncode


def clone(shop: Shop, hub: Path, folder: Path, name: str) -> Shop:
    """Another person's clone, with the ledger and the data."""
    push_runs(None, False, shop.root)
    git(shop.root, "push", "--quiet", "origin", "main")
    git(shop.root, "clone", "--quiet", str(hub), str(folder))
    git(folder, "config", "user.name", name)
    git(folder, "config", "user.email", f"{name}@hive.example".lower())
    pull_runs(None, False, folder)
    for part in (".dvc/cache", "data", "models"):
        shutil.copytree(shop.root / part, folder / part)
    return Shop(folder)


def test_of_two_who_register_at_once_one_wins_and_the_other_is_told(shop: Shop, hub: Path, tmp_path: Path) -> None:
    """Both see no version; the second tag is refused by the remote, and leaves nothing in the clone of its maker."""
    other = clone(shop, hub, tmp_path / "other", "Ant")
    other.train(2, worse(0.5))
    both = [write(one, "register") for one in (shop, other)]
    said = [one.communicate(timeout=300)[0] for one in both]

    if [one.returncode for one in both] != [0, 0]:  # they met: the loser was told, and tries again
        assert sorted(one.returncode for one in both) == [0, 1]
        told = said[0 if both[0].returncode else 1]
        assert "somebody else made colours@v1.0.0 at origin meanwhile, and yours was not made" in told
        assert ended(write(shop if both[0].returncode else other, "register")) == 0
    tags = sorted(line.partition("refs/tags/")[2] for line in git(hub, "show-ref", "--tags").splitlines())
    assert tags == ["colours@v1.0.0", "colours@v1.1.0"]
    for one in (shop, other):
        pull_runs(None, False, one.root)
        git(one.root, "fetch", "--quiet", "--tags")
        versions = read_catalog(one.ledger).models["colours"].versions
        assert [(found.doubt, found.number) for found in versions] == [("", 1), ("", 2)]


def test_a_tag_that_came_first_at_the_remote_is_never_replaced(shop: Shop, hub: Path) -> None:
    """The loser's tag is not made here either, also where the winner came after the look at the remote."""
    from runhive.errors import RunhiveError
    from runhive.tracking.registry.register import plan_version, register
    from runhive.tracking.registry.writing import registry_of

    with registry_of(shop.root) as registry:
        plan = plan_version(registry, None, None, None)
        git(hub, "-c", "user.name=x", "-c", "user.email=x@x", "tag", "-a", "-m", "first", "colours@v1.0.0", "main")
        first = git(hub, "rev-parse", "colours@v1.0.0")
        with pytest.raises(RunhiveError, match="somebody else made colours@v1"):
            register(registry, plan, {})

    assert git(hub, "rev-parse", "colours@v1.0.0") == first
    assert git(shop.root, "tag") == ""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("NO KILL SWEEP: it needs Linux and a C compiler")
    made = tmp_path_factory.mktemp("shim") / "faults.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, FAULTS, "-ldl"], check=True)
    return made


@pytest.mark.parametrize("action", ["register", "promote"])
def test_a_kill_leaves_a_version_whole_or_none_and_doing_it_again_makes_it(
    shop: Shop, shim: Path, tmp_path: Path, action: str
) -> None:
    if action == "promote":
        assert ended(write(shop, "register")) == 0
    plan = tmp_path / "plan"
    plan.write_bytes(bytes(24))
    faults = {"LD_PRELOAD": str(shim), "FAULT_FILE": str(plan)}
    counted = Shop(Path(shutil.copytree(shop.root, tmp_path / "counted", symlinks=True)))
    total = int(write(counted, action, 0, faults).communicate(timeout=300)[0].split()[-1])
    assert total > 5
    for at in range(1, total + 1) if LONG else sorted(random.sample(range(1, total + 1), 4)):
        one = Shop(Path(shutil.copytree(shop.root, tmp_path / f"kill-{at}", symlinks=True)))
        killed = write(one, action, at, faults)
        killed.communicate(timeout=300)
        assert killed.returncode == -signal.SIGKILL, f"call {at} of {total}"
        for lock in (one.root / ".git").rglob("*.lock"):
            if "refs" in lock.parts:
                os.utime(lock, (0, 0))  # as if it were older than a few seconds
        found = read_catalog(one.ledger).models
        here = found["colours"].versions if found else ()
        assert all(not version.doubt for version in here), f"call {at} of {total}: a tag without its record"
        again = write(one, action)
        told, _ = again.communicate(timeout=300)
        assert again.returncode == 0 or "already" in told, f"call {at} of {total}: {told}"
        model = read_catalog(one.ledger).models["colours"]
        assert [version.title for version in model.versions] == ["colours@v1.0.0"]
        assert (model.at("prod") is not None) == (action == "promote")
        assert "error" not in git(one.root, "fsck", "--full", "--no-dangling")
        shutil.rmtree(one.root)
