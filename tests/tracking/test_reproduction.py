"""The verdict on a run that was made again, and when a run is not made again at all."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.changes import uncommitted
from runhive.tracking.checkout import checked_out
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.repository import code_state
from runhive.tracking.reproduction import judge, reproduce

ID = "20261123-142233-7f3a9c"
FIRST = Run(
    ID, "completed", 1, "2026-11-23T14:22:33.000+00:00", metrics={"val.accuracy": 0.9, "export.onnx_bytes": 10.0},
    training={"weights_sha256": "w"}, data={"digest": "d"}, environment={"cpu": "x", "packages": {"torch": "2.11"}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("again", "verdict"),
    [
        ({}, "bit for bit"),
        ({"metrics": {"val.accuracy": 0.9, "export.onnx_bytes": 11.0}}, "bit for bit"),
        ({"training": {"weights_sha256": "other"}}, "within tolerance"),
        ({"metrics": {"val.accuracy": 0.905}}, "within tolerance"),
        ({"metrics": {"val.accuracy": 0.92}}, "not"),
        ({"metrics": {}}, "not"),
        ({"metrics": {"val.accuracy": 0.9, "val.f1": 0.5}}, "not"),
        ({"data": {"digest": "other"}}, "not"),
    ],
)
def test_the_verdict_is_of_weights_metrics_and_data(again: dict[str, object], verdict: str) -> None:
    assert judge(FIRST, replace(FIRST, **again), 0.01).verdict == verdict  # type: ignore[arg-type]


def test_what_differs_is_told_with_both_values() -> None:
    again = replace(
        FIRST, metrics={"val.accuracy": 0.92}, environment={"cpu": "y", "packages": {"torch": "2.12"}}
    )  # fmt: skip
    found = judge(FIRST, again, 0.01)

    assert found.differences == {"val.accuracy": [0.9, 0.92]}
    assert found.surroundings == {"cpu": ["x", "y"], "torch": ["2.11", "2.12"]}


def add_run(ledger: Ledger, repository: Path, state: str = "completed", **files: bytes) -> Run:
    started = {"code": code_state(repository), "input_digest": "a" * 64}
    events = [Event("started", started), Event("trained", {"weights_sha256": "w"})]
    kept = {name.replace("_", "."): content for name, content in files.items()}
    ledger.append(ID, [*events, Event("finished", {"state": state})], kept)
    return ledger.run(ID)


def test_a_run_that_goes_on_is_refused(ledger: Ledger, repository: Path) -> None:
    ledger.append(ID, [Event("started", {"code": code_state(repository)})])
    with pytest.raises(RunhiveError, match="is running: wait for it to end"):
        reproduce(ledger, repository, ledger.run(ID), 0.01)


def test_a_run_without_parameters_is_refused(ledger: Ledger, repository: Path) -> None:
    with pytest.raises(RunhiveError, match=r"keeps no params\.yaml: only runs of the pipeline can be reproduced"):
        reproduce(ledger, repository, add_run(ledger, repository), 0.01)


def test_a_second_one_at_the_same_time_is_refused(ledger: Ledger, repository: Path) -> None:
    run = add_run(ledger, repository, params_yaml=b"lr: 1\n", dvc_lock=b"stages: {}\n")
    with (
        file_lock(repository / f".runhive/reproduce/{ID}.lock", wait=0),
        pytest.raises(RunhiveError, match=r"reproduce.*lock"),
        checked_out(ledger, repository, run, keep=False),
    ):
        pass


@pytest.mark.parametrize("lock", [b"[]", b"a: [", b"stages: 3"])
def test_a_damaged_lock_is_one_line_and_leaves_no_folder(lock: bytes, ledger: Ledger, repository: Path) -> None:
    run = add_run(ledger, repository, params_yaml=b"lr: 1\n", dvc_lock=lock)
    with (
        pytest.raises(RunhiveError, match=r"the dvc\.lock that run .* keeps is damaged"),
        checked_out(ledger, repository, run, keep=False),
    ):
        pass

    assert not (repository / ".runhive/reproduce" / ID).exists()


def test_code_with_uncommitted_changes_and_parameters_are_checked_out_and_go(
    ledger: Ledger, repository: Path, git: Callable[..., str]
) -> None:
    subprocess.run(["dvc", "init", "--quiet"], cwd=repository, check=True)
    git(repository, "commit", "-qam", "dvc")
    (repository / "model.py").write_text("layers = 34\n")
    patch, _ = uncommitted(repository)
    lock = b"stages:\n  fetch: {cmd: a}\n  train: {cmd: b}\n"
    run = add_run(ledger, repository, params_yaml=b"lr: 1\n", dvc_lock=lock, changes_patch=patch)
    git(repository, "checkout", "-q", "model.py")
    abandoned = repository / ".runhive/reproduce/20200101-000000-000000"
    abandoned.mkdir(parents=True)

    with checked_out(ledger, repository, run, keep=False) as folder:
        assert (folder / "model.py").read_text() == "layers = 34\n"
        assert (folder / "params.yaml").read_text() == "lr: 1\n"
        assert "train" not in (folder / "dvc.lock").read_text(), "what a lock names is restored, not run"
        assert str(repository / ".dvc/cache") in (folder / ".dvc/config.local").read_text()
        assert not abandoned.exists()
    assert not folder.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert (repository / "model.py").read_text() == "layers = 18\n"
