"""gc: what a kept run or a commit points at stays in DVC's storage, whatever else goes."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runhive.cli import commands
from runhive.commands.ledger import age
from runhive.errors import RunhiveError
from runhive.tracking.ledger import Ledger
from runhive.tracking.retention import Retention
from runhive.tracking.run import Event, Run

Git = Callable[..., str]

OLD, NEW = "20240101-080000-000001", "20261123-142233-7f3a9c"


def dvc(root: Path, *words: str) -> None:
    subprocess.run(["dvc", *words], cwd=root, check=True, capture_output=True)


def gc(*words: str) -> Result:
    return CliRunner().invoke(commands, ["runs", "gc", *words])


@pytest.fixture
def project(repository: Path, ledger: Ledger, git: Git, tmp_path: Path) -> Path:
    """Two runs, each with a model and a folder; what the newer one made is committed, the older one's is not."""
    dvc(repository, "init", "--quiet")
    dvc(repository, "remote", "add", "--default", "--quiet", "store", str(tmp_path / "store"))
    (repository / "dvc.yaml").write_text(
        "stages:\n  train:\n    cmd: mkdir folder; cp in model; cp in folder/a; echo b >> folder/a; cp in folder/c\n"
        "    deps: [in]\n    outs: [model, folder]\n"
    )
    for run_id, state, content in ((OLD, "failed", "old\n"), (NEW, "completed", "new\n")):
        (repository / "in").write_text(content)
        dvc(repository, "repro", "--quiet")
        dvc(repository, "push", "--quiet")
        ledger.append(
            run_id,
            [Event("started", {"experiment": "ants"}, time=f"{run_id[:4]}-01-01T00:00:00.000+00:00"),
             Event("finished", {"state": state, "attempt": 1})],
            {"dvc.lock": (repository / "dvc.lock").read_bytes()},
        )  # fmt: skip
    (repository / ".gitignore").write_text("model\nfolder\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=results")
    return repository


def contents(root: Path) -> set[bytes]:
    folder = root / "files" / "md5"
    return {file.read_bytes() for file in folder.rglob("*") if file.is_file() and not file.name.endswith(".dir")}


def test_a_run_that_was_never_committed_keeps_its_model_and_its_folder(project: Path, tmp_path: Path) -> None:
    """Plain `dvc gc` takes them away."""
    result = gc("--cache", "--remote", "store", "--yes")

    assert result.exit_code == 0, result.output
    assert "the cache: freed 0 objects, 0 bytes; 2 runs keep theirs" in result.output
    for store in (project / ".dvc" / "cache", tmp_path / "store"):
        assert contents(store) == {b"old\n", b"old\nb\n", b"new\n", b"new\nb\n"}
    dvc(project, "gc", "--workspace", "--force", "--quiet")
    assert contents(project / ".dvc" / "cache") == {b"new\n", b"new\nb\n"}


def test_an_archived_run_is_let_go_but_only_of_what_no_other_needs(
    project: Path, ledger: Ledger, tmp_path: Path
) -> None:
    for run_id in (OLD, NEW):
        ledger.append(run_id, [Event("archived", {"archived": True})])

    dry = gc("--cache", "--remote", "store")
    assert "the cache: would free 3 objects" in dry.output
    assert "add --yes" in dry.output
    assert len(contents(project / ".dvc" / "cache")) == 4

    assert "the remote store: freed 3 objects" in gc("--cache", "--remote", "store", "--yes").output
    for store in (project / ".dvc" / "cache", tmp_path / "store"):
        assert contents(store) == {b"new\n", b"new\nb\n"}


def test_age_state_and_tag_say_who_is_let_go(project: Path, ledger: Ledger) -> None:
    ledger.append(OLD, [Event("tagged", {"add": ["paper"]})])
    freed = {
        "--older-than 52w": 3,
        "--older-than 52w --state failed": 3,
        "--older-than 52w --state canceled": 0,
        "--state failed": 3,
        "--older-than 90000d": 0,
        "--state failed --keep-tag paper": 0,
    }

    for words, objects in freed.items():
        assert f"the cache: would free {objects} objects" in gc("--cache", *words.split()).output


def test_a_listing_that_is_nowhere_stops_it_unless_it_may_be_missing(project: Path, tmp_path: Path) -> None:
    for store in (project / ".dvc" / "cache", tmp_path / "store"):
        for listing in (store / "files" / "md5").rglob("*.dir"):
            if listing.parent.name + listing.name not in (project / "dvc.lock").read_text():
                listing.unlink()

    result = gc("--cache", "--yes")

    assert result.exit_code == 1
    assert "--allow-missing" in str(result.exception)
    assert len(contents(project / ".dvc" / "cache")) == 4
    assert gc("--cache", "--allow-missing").exit_code == 0


@pytest.mark.parametrize("text", ["90", "d", "-1d", "1m", "0d", ""])
def test_an_age_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(RunhiveError, match="write days or weeks, such as 90d"):
        age(text)


def test_a_running_run_is_never_let_go() -> None:
    run = Run(OLD, "running", 1, "2020-01-01T00:00:00+00:00", archived=True)

    assert not Retention(timedelta(days=1), ("running",)).lets_go(run, datetime.now(UTC))


def test_packing_drops_nothing_and_says_what_a_run_takes(ledger: Ledger, repository: Path, git: Git) -> None:
    for number in range(20):
        ledger.append(f"20261123-142233-{number:06x}", [Event("started", {})], {"log.txt": b"%d" % number})
    before, dangling = ledger.runs(), ledger.repository.create_blob(b"about to be reached")

    result = gc()

    assert "the ledger: 20 runs" in result.output
    assert ledger.runs() == before
    assert git(repository, "count-objects").startswith("1 objects")
    assert git(repository, "cat-file", "blob", str(dangling)) == "about to be reached"
