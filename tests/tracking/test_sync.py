"""Push and pull: between real clones and a real bare remote, whatever the remote does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger import remote
from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.objects import REF
from runhive.tracking.ledger.run import Event, new_run_id

Git = Callable[..., str]
Clone = Callable[[str], Ledger]

RUN = "20261123-142233-7f3a9c"
OTHER = "20261122-080000-000001"
STARTED = Event("started", {"experiment": "ants"})
COMPLETED = Event("finished", {"state": "completed", "attempt": 1})
SEEN = "refs/runhive/remotes/origin/main"

PUSHER = """
import sys
from pathlib import Path
from runhive.tracking.ledger.exchange import push_runs
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
root, name, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
for number in range(count):
    open_ledger(root).append(f"20261123-{name:06d}-{number:06x}", [Event("started", {"experiment": "ants"})])
    push_runs("origin", False, root)
"""


@pytest.fixture
def hub(tmp_path: Path, git: Git) -> Path:
    git(tmp_path, "init", "--quiet", "--bare", "hub.git")
    return tmp_path / "hub.git"


@pytest.fixture
def clone(hub: Path, tmp_path: Path, git: Git) -> Clone:
    def make(name: str) -> Ledger:
        subprocess.run(["git", "clone", "--quiet", hub.as_uri(), tmp_path / name], check=True, capture_output=True)
        return open_ledger(tmp_path / name)

    return make


def root(ledger: Ledger) -> Path:
    return Path(ledger.repository.workdir)


def push(ledger: Ledger, restore: bool = False) -> str:
    return push_runs(None, restore, root(ledger))


def pull(ledger: Ledger, restore: bool = False) -> str:
    return pull_runs(None, restore, root(ledger))


def ids(ledger: Ledger) -> list[str]:
    return [run.run_id for run in ledger.runs()]


def test_two_clones_exchange_runs(clone: Clone) -> None:
    ann, bob = clone("ann"), clone("bob")
    ann.append(RUN, [STARTED])
    bob.append(OTHER, [STARTED])

    assert push(ann) == "to origin: 1 new; from it: nothing new"
    assert push(bob) == "to origin: 1 new; from it: 1 new"
    assert pull(ann) == "from origin: 1 new"
    assert pull(ann) == "from origin: nothing new"
    assert push(ann) == "to origin: nothing new; from it: nothing new"
    assert ids(ann) == ids(bob) == [RUN, OTHER]
    assert ann.tip() == bob.tip()


def test_both_add_to_one_run_and_nothing_of_either_is_lost(clone: Clone) -> None:
    ann, bob = clone("ann"), clone("bob")
    ann.append(RUN, [STARTED], {"log.txt": b"begun"})
    push(ann)
    pull(bob)
    ann.append(RUN, [COMPLETED], {"log.txt": b"by ann"})
    bob.append(RUN, [Event("noted", {"text": "mine"})], {"log.txt": b"by bob"})

    push(ann)
    push(bob)
    pull(ann)

    assert ann.run(RUN).events == bob.run(RUN).events
    assert len(ann.run(RUN).events) == 3
    assert ann.file(RUN, "log.txt") == bob.file(RUN, "log.txt")
    held = {blob for _, blob in _blobs(ann)}
    assert {b"begun", b"by ann", b"by bob"} <= held


def _blobs(ledger: Ledger) -> list[tuple[str, bytes]]:
    lines = subprocess.run(
        ["git", "-C", root(ledger), "ls-tree", "-r", REF], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    return [(line.split("\t")[1], ledger.repository[line.split()[2]].read_raw()) for line in lines]


def test_a_fresh_clone_shows_all_runs_after_one_pull(clone: Clone) -> None:
    ann = clone("ann")
    ann.append(RUN, [STARTED, COMPLETED], {"params.yaml": b"lr: 1"})
    push(ann)
    fresh = clone("fresh")
    assert fresh.runs() == []

    pull(fresh)

    assert fresh.runs() == ann.runs()
    assert fresh.file(RUN, "params.yaml") == b"lr: 1"


def test_shallow_and_partial_clones_get_the_whole_ledger(
    clone: Clone, repository: Path, hub: Path, tmp_path: Path, git: Git
) -> None:
    git(repository, "commit", "--quiet", "--allow-empty", "--message=second")
    git(repository, "push", "--quiet", str(hub), "main")
    git(hub, "config", "uploadpack.allowFilter", "true")
    ann = clone("ann")
    for number in range(3):
        ann.append(RUN, [Event("counted", {"number": number})], {"log.txt": b"%d" % number})
    push(ann)
    for name, option in (("shallow", "--depth=1"), ("partial", "--filter=blob:none"), ("bare", "--filter=tree:0")):
        git(tmp_path, "clone", "--quiet", "--branch=main", option, hub.as_uri(), name)

        pull_runs(None, False, tmp_path / name)

        assert open_ledger(tmp_path / name).run(RUN).events[:3] == ann.run(RUN).events
        assert open_ledger(tmp_path / name).file(RUN, "log.txt") == b"2"
        open_ledger(tmp_path / name).append(RUN, [COMPLETED])
        assert push_runs(None, False, tmp_path / name).startswith("to origin")


@pytest.mark.fault(
    "ledger",
    "several clones push at once",
    wanted="each joins what the others pushed and tries again; nothing is forced",
)
@pytest.mark.parametrize("clones", [2, 4])
def test_clones_that_push_at_once_lose_nothing_and_double_nothing(clone: Clone, clones: int, tmp_path: Path) -> None:
    count = 4
    ledgers = [clone(f"clone{number}") for number in range(clones)]
    running = [
        subprocess.Popen([sys.executable, "-c", PUSHER, root(ledger), str(number), str(count)])
        for number, ledger in enumerate(ledgers)
    ]
    assert [process.wait() for process in running] == [0] * clones
    fresh = clone("fresh")
    pull(fresh)

    expected = {f"20261123-{name:06d}-{number:06x}" for name in range(clones) for number in range(count)}
    assert {*ids(fresh)} == expected
    assert len(fresh.runs()) == len(expected)
    assert all(len(run.events) == 1 for run in fresh.runs())


@pytest.mark.fault(
    "ledger",
    "the remote's ledger was overwritten by force",
    wanted="refused; nothing here is changed",
    said="… lost runs that it had: …",
)
def test_a_remote_that_lost_runs_is_refused_and_can_be_mended(clone: Clone, hub: Path, git: Git) -> None:
    ann, bob = clone("ann"), clone("bob")
    ann.append(RUN, [STARTED])
    push(ann)
    pull(bob)
    bob.append(OTHER, [STARTED])
    tip = bob.tip()
    ann.append(RUN, [COMPLETED])
    push(ann)
    pull(bob)
    git(hub, "update-ref", REF, str(tip_of(hub, git, f"{REF}~1")))
    joined = bob.tip()

    for act in (pull, push):
        with pytest.raises(RunhiveError, match=r"origin lost runs that it had: .*by force.*--restore") as caught:
            act(bob)
        assert "\n" not in str(caught.value)
    assert bob.tip() == joined != tip

    push(bob, restore=True)

    assert pull(clone("fresh")) == "from origin: 2 new"
    assert git(hub, "rev-parse", REF) == bob.tip()


def tip_of(hub: Path, git: Git, ref: str) -> str:
    return git(hub, "rev-parse", ref)


def test_a_remote_whose_ledger_was_replaced_by_another_is_refused(clone: Clone, hub: Path, git: Git) -> None:
    ann, stranger = clone("ann"), clone("stranger")
    ann.append(RUN, [STARTED])
    push(ann)
    stranger.append(OTHER, [STARTED])
    git(root(stranger), "push", "--quiet", "--force", "origin", f"{REF}:{REF}")

    with pytest.raises(RunhiveError, match="lost runs"):
        pull(ann)

    assert ids(ann) == [RUN]
    push(ann, restore=True)
    assert ids(ann) == [RUN, OTHER]


def test_a_remote_whose_ledger_was_deleted_is_refused(clone: Clone, hub: Path, git: Git) -> None:
    ann = clone("ann")
    ann.append(RUN, [STARTED])
    push(ann)
    git(hub, "update-ref", "-d", REF)

    with pytest.raises(RunhiveError, match="is gone"):
        push(ann)

    assert push(ann, restore=True) == "to origin: 1 new; from it: nothing new"


def test_what_cannot_be_done_is_one_line(clone: Clone, hub: Path, tmp_path: Path, git: Git) -> None:
    ann = clone("ann")
    with pytest.raises(RunhiveError, match="holds no run yet"):
        push(ann)
    assert pull(ann) == "origin has no ledger yet: `runhive runs push` makes one"
    with pytest.raises(RunhiveError, match=r"no Git remote 'upstream' \(there are origin\)"):
        pull_runs("upstream", False, root(ann))
    ann.append(RUN, [STARTED])
    git(root(ann), "remote", "add", "gone", str(tmp_path / "nowhere"))
    git(root(ann), "remote", "add", "closed", "http://127.0.0.1:9/x.git")
    git(root(ann), "remote", "add", "ssh", "ssh://nobody@127.0.0.1:9/x.git")
    for name in ("gone", "closed", "ssh"):
        with pytest.raises(RunhiveError, match=f"{name}: git says: .*see `git ls-remote {name}`") as caught:
            push_runs(name, False, root(ann))
        assert "\n" not in str(caught.value)


def test_a_remote_that_asks_for_a_password_is_one_line_and_asks_nobody(clone: Clone, git: Git) -> None:
    server = subprocess.Popen([sys.executable, "-c", ASKING], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        ann = clone("ann")
        ann.append(RUN, [STARTED])
        git(root(ann), "remote", "add", "asking", f"http://127.0.0.1:{port}/x.git")

        with pytest.raises(RunhiveError, match=r"asking: git says: .*terminal prompts disabled"):
            push_runs("asking", False, root(ann))
    finally:
        server.kill()
        server.communicate()


ASKING = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401); self.send_header("WWW-Authenticate", "Basic"); self.end_headers()
    def log_message(self, *args): pass
server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize("section", ["transfer", "receive", "uploadpack"])
def test_a_remote_that_hides_the_ref_is_one_line(clone: Clone, hub: Path, git: Git, section: str) -> None:
    ann, bob = clone("ann"), clone("bob")
    bob.append(OTHER, [STARTED])
    push(bob)
    git(hub, "config", f"{section}.hideRefs", "refs/runs")
    ann.append(RUN, [STARTED])

    with pytest.raises(RunhiveError, match=r"origin: git says: .*(hidden|stale info)"):
        push(ann)

    assert RUN in ids(ann)


@pytest.mark.fault(
    "ledger",
    "the remote dies in the middle of a push",
    wanted="the remote has the old ledger or the new one; a second push goes through",
    said="origin: git says …",
)
def test_a_remote_that_dies_in_mid_push_has_the_old_ledger_or_the_new_one(clone: Clone, hub: Path, git: Git) -> None:
    ann = clone("ann")
    ann.append(OTHER, [STARTED])
    push(ann)
    before = git(hub, "rev-parse", REF)
    hook = hub / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    ann.append(RUN, [STARTED])

    with pytest.raises(RunhiveError, match="origin: git says"):
        push(ann)
    assert git(hub, "rev-parse", REF) == before

    hook.unlink()
    push(ann)
    assert git(hub, "rev-parse", REF) == ann.tip()


@pytest.mark.parametrize("bare", [True, False])
def test_the_lock_that_a_killed_push_left_in_a_remote_folder_is_removed(
    clone: Clone, hub: Path, git: Git, monkeypatch: pytest.MonkeyPatch, bare: bool
) -> None:
    monkeypatch.setattr(remote, "STALE_SECONDS", 0.1)
    ann = clone("ann")
    folder = hub
    if not bare:
        folder = root(clone("bob")) / ".git"
        git(root(ann), "remote", "set-url", "origin", "../bob")
    lock = folder / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    ann.append(RUN, [STARTED])

    push(ann)

    assert git(folder, "rev-parse", REF) == ann.tip()
    assert not lock.exists()


def test_a_race_that_is_lost_on_the_last_metre_is_run_again(clone: Clone, hub: Path, git: Git) -> None:
    """The hook lets another clone's commit in between, after ours was fetched and joined."""
    ann, bob = clone("ann"), clone("bob")
    ann.append(OTHER, [STARTED])
    push(ann)
    pull(bob)
    bob.append(RUN, [STARTED])
    git(root(bob), "push", "--quiet", "origin", f"{REF}:refs/heads/bob")
    hook = root(ann) / ".git" / "slow-push"
    hook.write_text(
        f"#!/bin/sh\n[ -e {hook}.done ] || git --git-dir={hub} update-ref {REF} refs/heads/bob\n"
        f'touch {hook}.done\nexec git-receive-pack "$@"\n'
    )
    hook.chmod(0o755)
    git(root(ann), "config", "remote.origin.receivepack", str(hook))
    ann.append("20261124-000000-000000", [STARTED])

    assert push(ann).startswith("to origin: 1 new")

    assert ids(ann) == ["20261124-000000-000000", RUN, OTHER]
    assert git(hub, "rev-parse", REF) == ann.tip()


def test_an_unpushed_run_survives_any_pull(clone: Clone) -> None:
    ann, bob = clone("ann"), clone("bob")
    bob.append(OTHER, [STARTED])
    push(bob)
    ann.append(RUN, [STARTED])

    pull(ann)
    pull(ann)

    assert ids(ann) == [RUN, OTHER]


def test_a_ledger_of_a_newer_layout_is_refused_for_all_that_reads_or_writes(
    ledger: Ledger, plant: Callable[[str, bytes], None]
) -> None:
    ledger.append(RUN, [STARTED])
    plant("format", b"2\n")
    acts: list[Callable[[], object]] = [ledger.runs, ledger.rows, lambda: ledger.append(RUN, [COMPLETED])]

    for act in acts:
        with pytest.raises(RunhiveError, match=r"has format '2', this Runhive reads 1: upgrade Runhive"):
            act()


def test_pulling_takes_no_newer_layout_over_an_old_one(clone: Clone, git: Git) -> None:
    ann, bob = clone("ann"), clone("bob")
    ann.append(RUN, [STARTED])
    push(ann)
    pull(bob)
    tip = bob.tip()
    stream = f"commit {REF}\ncommitter x <x@x> 0 +0000\ndata 0\nfrom {REF}^0\nM 100644 inline format\ndata 1\n2\n"
    subprocess.run(["git", "-C", root(ann), "fast-import", "--quiet"], input=stream.encode(), check=True)
    git(root(ann), "push", "--quiet", "origin", f"{REF}:{REF}")

    with pytest.raises(RunhiveError, match="upgrade Runhive"):
        pull(bob)

    assert bob.tip() == tip


def test_ids_made_at_once_differ() -> None:
    assert len({new_run_id() for _ in range(200)}) == 200


def test_git_that_is_not_there_is_one_line(clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ann = clone("ann")
    ann.append(RUN, [STARTED])
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep)

    with pytest.raises(RunhiveError, match="git is not installed"):
        push(ann)
