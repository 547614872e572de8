"""gc: what a kept run or a commit points at stays in DVC's storage, whatever else goes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from runhive.cli import commands
from runhive.commands.ledger import age
from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.life import liveness
from runhive.tracking.life.outbox import outbox
from runhive.tracking.life.process import this_process
from runhive.tracking.storage import artifacts, dvc_cache, turns
from runhive.tracking.storage.retention import Retention
from runhive.tracking.storage.upload import Uploaded, upload

Git = Callable[..., str]

OLD, NEW = "20240101-080000-000001", "20261123-142233-7f3a9c"


def dvc(root: Path, *words: str) -> None:
    subprocess.run(["dvc", *words], cwd=root, check=True, capture_output=True)


def gc(*words: str) -> Result:
    return CliRunner().invoke(commands, ["runs", "gc", *words])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder; what the first test is given is copied there, as DVC takes seconds to make it."""
    return tmp_path_factory.mktemp("template")


@pytest.fixture
def project(template: Path, repository: Path, git: Git, tmp_path: Path) -> Path:
    """Two runs, each with a model and a folder; what the newer one made is committed, the older one's is not."""
    if any(template.iterdir()):
        shutil.rmtree(repository)
        shutil.copytree(template, tmp_path, dirs_exist_ok=True)
        os.chdir(repository)
    else:
        make_runs(repository, git)
        shutil.copytree(tmp_path, template, dirs_exist_ok=True)
    return repository


def make_runs(repository: Path, git: Git) -> None:
    """Their stage reads a folder of code too, of which DVC notes the hash and stores nothing."""
    ledger = open_ledger(repository)
    (repository / "code").mkdir()
    (repository / "code" / "train.py").write_text("learn()\n")
    dvc(repository, "init", "--quiet")
    dvc(repository, "remote", "add", "--default", "--quiet", "store", "../store")
    (repository / "dvc.yaml").write_text(
        "stages:\n  train:\n    cmd: mkdir folder; cp in model; cp in folder/a; echo b >> folder/a; cp in folder/c\n"
        "    deps: [in, code]\n    outs: [model, folder]\n"
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


def test_nothing_is_freed_while_a_run_of_this_machine_goes_on(project: Path, ledger: Ledger) -> None:
    """What it made so far is in the cache, and nothing points at it yet."""
    made = artifacts.keep(project, b"half a run")
    liveness.watch(project, "20261124-090000-00000a", this_process())

    for store in (["--cache"], ["--remote", "store"]):
        result = gc(*store, "--yes")
        assert result.exit_code == 1
        assert "run 20261124-090000-00000a is running here: wait for it to end" in str(result.exception)
    assert artifacts.kept(project, made["md5"]) == b"half a run"
    assert gc().exit_code == 0
    liveness.forget(project, "20261124-090000-00000a")
    assert "the cache: freed 1 objects" in gc("--cache", "--yes").output


def test_a_run_that_begins_when_all_is_checked_waits_and_keeps_what_it_puts_into_the_cache(
    project: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps the very content that is about to be deleted, which is in the cache already when it looks."""
    made = artifacts.keep(project, b"x" * 300_000)
    (project / "any.py").write_text(
        "import pathlib; pathlib.Path('outputs').mkdir(); pathlib.Path('outputs/x').write_text('x' * 300_000)"
    )
    begun: list[subprocess.Popen[str]] = []
    delete = dvc_cache.gc

    def meanwhile(*words: Any) -> None:
        command = [sys.executable, "-m", "runhive", "run", "--", sys.executable, "any.py"]
        begun.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        assert begun[0].stderr is not None
        said = iter(begun[0].stderr.readline, "")
        assert any("waiting for `runhive runs gc`" in line for line in said)
        delete(*words)

    monkeypatch.setattr(dvc_cache, "gc", meanwhile)
    result = gc("--cache", "--yes")

    assert "freed 1 objects" in result.output, result.exception
    with begun[0] as run:
        run.communicate()
    assert run.returncode == 0
    (new,) = (run for run in ledger.runs() if run.run_id not in (OLD, NEW))
    assert (new.state, new.files["outputs/x"]["md5"]) == ("completed", made["md5"])
    assert artifacts.kept(project, made["md5"]) == b"x" * 300_000
    assert "freed 0 objects" in gc("--cache", "--yes").output


def test_nothing_is_freed_while_a_stage_or_an_experiment_runs(
    project: Path, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before train has opened a run, what fetch made is in the cache."""
    made = artifacts.keep(project, b"fetched")
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.0)
    with turns.filling(project):
        result = gc("--cache", "--yes")
        assert "a stage is running here: wait for it to end" in str(result.exception)
    (tmp_path / "dvc").write_text("input()")
    told = project / ".dvc" / "tmp" / "exps" / "run" / "task" / "task.json"
    told.parent.mkdir(parents=True)
    with subprocess.Popen([sys.executable, tmp_path / "dvc"], stdin=subprocess.PIPE) as experiment:
        told.write_text(json.dumps({"pid": experiment.pid, "returncode": None}))
        result = gc("--cache", "--yes")
        assert f"an experiment of DVC is running here (process {experiment.pid})" in str(result.exception)
        experiment.kill()

    assert artifacts.kept(project, made["md5"]) == b"fetched"
    assert "freed 1 objects" in gc("--cache", "--yes").output


def test_what_a_run_left_that_died_just_now_is_kept(
    project: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = "20261124-090000-00000a"
    ledger.append(run_id, [Event("started", {})])
    told = artifacts.keep(project, b"half a run")
    outbox(project, run_id).post(Event("filed", {"files": {"outputs/half": told}}))
    monkeypatch.setattr(liveness, "close_lost", lambda *_: [])

    assert "freed 0 objects" in gc("--cache", "--yes").output


def test_a_run_whose_process_died_holds_nothing_up(project: Path, ledger: Ledger) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        owner = liveness.Owner(**{**vars(this_process()), "pid": process.pid})
        process.kill()
    liveness.watch(project, "20261124-090000-00000a", owner)

    assert gc("--cache").exit_code == 0


def test_an_archived_run_is_let_go_but_only_of_what_no_other_needs(
    project: Path, ledger: Ledger, tmp_path: Path
) -> None:
    for run_id in (OLD, NEW):
        ledger.append(run_id, [Event("archived", {"archived": True})])

    live = tmp_path / "store/runhive/live/4711.json"
    live.parent.mkdir(parents=True)
    live.write_text("of a job long ago")

    dry = gc("--cache", "--remote", "store")
    assert "would free the live lines of 1 job silent for a day" in dry.output and live.exists()
    assert "the cache: would free 3 objects" in dry.output
    assert "add --yes" in dry.output
    assert len(contents(project / ".dvc" / "cache")) == 4

    assert "the remote store: freed 3 objects" in gc("--cache", "--remote", "store", "--yes").output
    assert not live.exists()
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


def test_what_a_run_keeps_outside_of_dvc_yaml_stays_until_the_run_is_archived(
    project: Path, ledger: Ledger, tmp_path: Path
) -> None:
    """Logs and outputs of `runhive run` are in no dvc.lock."""
    told = artifacts.keep(project, b"weights\n")
    ledger.append(NEW, [Event("filed", {"files": {"outputs/weights.bin": told}})])
    gone = artifacts.describe(b"never copied\n") | {"kept": False}
    ledger.append(NEW, [Event("filed", {"files": {"artifact": gone}})])

    assert upload(project, ledger) == Uploaded(1, "store")
    assert upload(project, ledger) == Uploaded(0, "store")
    assert gc("--cache", "--remote", "store", "--yes").exit_code == 0
    for store in (project / ".dvc" / "cache", tmp_path / "store"):
        assert b"weights\n" in contents(store)
    ledger.append(NEW, [Event("archived", {"archived": True})])
    assert gc("--cache", "--yes").exit_code == 0
    assert b"weights\n" not in contents(project / ".dvc" / "cache")


def test_a_folder_of_a_run_that_was_never_committed_is_sent_with_all_its_files(project: Path, tmp_path: Path) -> None:
    """DVC itself sends of a hash that names a folder the listing alone."""
    shutil.rmtree(tmp_path / "store")

    sent = upload(project, open_ledger(project))

    assert contents(tmp_path / "store") == {b"old\n", b"old\nb\n", b"new\n", b"new\nb\n"}
    assert sent == Uploaded(6, "store")
    assert upload(project, open_ledger(project)) == Uploaded(0, "store")


@pytest.mark.fault(
    "ledger",
    "the DVC remote is down",
    wanted="the files stay in the cache here, and the next push sends them",
    said="the files of the runs cannot be pushed (…): see `dvc remote list`, `dvc remote add -d NAME URL` adds one",
)
def test_files_that_did_not_reach_the_remote_go_with_the_next_push(
    project: Path, ledger: Ledger, tmp_path: Path
) -> None:
    ledger.append(NEW, [Event("filed", {"files": {"outputs/weights.bin": artifacts.keep(project, b"weights\n")}})])
    shutil.rmtree(tmp_path / "store", ignore_errors=True)
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(RunhiveError, match="the files of the runs cannot be pushed") as caught:
        upload(project, ledger)
    assert "\n" not in str(caught.value)
    (tmp_path / "store").unlink()

    assert upload(project, ledger).objects > 0
    assert b"weights\n" in contents(tmp_path / "store")
    assert upload(project, ledger) == Uploaded(0, "store")


def test_without_a_remote_for_files_the_push_of_files_says_how_to_add_one(repository: Path, ledger: Ledger) -> None:
    with pytest.raises(RunhiveError, match="dvc remote add -d NAME URL"):
        upload(repository, ledger)
    dvc(repository, "init", "--quiet")
    with pytest.raises(RunhiveError, match="dvc remote add -d NAME URL"):
        upload(repository, ledger)
