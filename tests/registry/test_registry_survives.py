"""Two people at once, and a kill or a fault at any call that changes the disk: tag and record, or neither counts.

`RUNHIVE_LONG=1 pytest -n 5 tests/registry/test_registry_survives.py` goes through each call; else through a few at
random. It mostly waits, so it takes several processes well.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shop import Shop, git, worse

from faults import environment
from runhive.errors import RunhiveError
from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.registry.catalog import read_catalog
from runhive.tracking.registry.promote import promote
from runhive.tracking.registry.register import plan_version, register
from runhive.tracking.registry.writing import registry_of

LONG = bool(os.environ.get("RUNHIVE_LONG"))
# Registers as the command does, without the gate and DVC: only what is written to Git matters here.
WRITER = """
import sys
from pathlib import Path
from runhive.errors import RunhiveError
from runhive.tracking.registry.register import plan_version, register
from runhive.tracking.registry.writing import registry_of
try:
    with registry_of(Path.cwd()) as registry:
        register(registry, plan_version(registry, None, None, None), {})
except RunhiveError as error:
    sys.exit(f"told: {error}")
"""


def write(shop: Shop) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER], cwd=shop.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


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
    both = [write(one) for one in (shop, other)]
    said = [one.communicate(timeout=300)[0] for one in both]

    if [one.returncode for one in both] != [0, 0]:  # they met: the loser was told, and tries again
        assert sorted(one.returncode for one in both) == [0, 1]
        told = said[0 if both[0].returncode else 1]
        assert "somebody else made colours@v1.0.0 at origin meanwhile, and yours was not made" in told
        assert ended(write(shop if both[0].returncode else other)) == 0
    tags = sorted(line.partition("refs/tags/")[2] for line in git(hub, "show-ref", "--tags").splitlines())
    assert tags == ["colours@v1.0.0", "colours@v1.1.0"]
    for one in (shop, other):
        pull_runs(None, False, one.root)
        git(one.root, "fetch", "--quiet", "--tags")
        versions = read_catalog(one.ledger).models["colours"].versions
        assert [(found.doubt, found.number) for found in versions] == [("", 1), ("", 2)]


def test_a_tag_that_came_first_at_the_remote_is_never_replaced(shop: Shop, hub: Path) -> None:
    """The loser's tag is not made here either, also where the winner came after the look at the remote."""
    with registry_of(shop.root) as registry:
        plan = plan_version(registry, None, None, None)
        git(hub, "-c", "user.name=x", "-c", "user.email=x@x", "tag", "-a", "-m", "first", "colours@v1.0.0", "main")
        first = git(hub, "rev-parse", "colours@v1.0.0")
        with pytest.raises(RunhiveError, match="somebody else made colours@v1"):
            register(registry, plan, {})

    assert git(hub, "rev-parse", "colours@v1.0.0") == first
    assert git(shop.root, "tag") == ""


@pytest.fixture(scope="module")
def template(trained: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a run, and its hub."""
    folder = tmp_path_factory.mktemp("template")
    root = Path(shutil.copytree(trained.root, folder / "root", symlinks=True))
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "hub.git")
    git(root, "remote", "add", "origin", "../hub.git")
    git(root, "push", "--quiet", "origin", "main")
    push_runs(None, False, root)
    return folder


@pytest.fixture(scope="module")
def registered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a version."""
    folder = Path(shutil.copytree(template, tmp_path_factory.mktemp("registered") / "template", symlinks=True))
    with registry_of(folder / "root") as registry:
        register(registry, plan_version(registry, None, None, None), {})
    return folder


@pytest.fixture(scope="module")
def promoted(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a second version, and prod given to the first, the second, and the first again."""
    folder = Path(shutil.copytree(registered, tmp_path_factory.mktemp("promoted") / "template", symlinks=True))
    Shop(folder / "root").train(2, worse(0.5))
    with registry_of(folder / "root") as registry:
        register(registry, plan_version(registry, None, None, None), {})
        for number in (0, 1, 0):
            model = registry.catalog().models["colours"]
            promote(registry, model, model.versions[number], "prod", {}, False, "")
    return folder


@pytest.mark.parametrize("kind", ["kill", "fail"])
@pytest.mark.parametrize("action", ["register", "promote", "rollback", "deprecate", "note"])
def test_wherever_it_stops_it_is_whole_or_not_there_also_at_the_hub_and_can_be_done_again(
    action: str, kind: str, shim: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    start = request.getfixturevalue({"register": "template", "rollback": "promoted"}.get(action, "registered"))
    points = 0 if LONG else 2
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("sweep.py"), action, kind, str(points), start, tmp_path],
        env=environment(shim, tmp_path / "plan"), capture_output=True, text=True, timeout=3600,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    *lines, last = done.stdout.splitlines()
    assert int(last.removeprefix("swept ")) > 5
    assert len(lines) == (int(last.removeprefix("swept ")) if LONG else points)
