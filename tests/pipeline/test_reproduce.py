"""`runhive runs reproduce` on the real pipeline."""

import pytest
from workspace import Workspace, kill_when

pytestmark = pytest.mark.slow


def test_a_run_is_reproduced_bit_for_bit_and_nothing_is_left_behind(workspace: Workspace) -> None:
    workspace.change_params("train.epochs=1")  # not the run's own: it brings its parameters
    before = workspace.git("status", "--porcelain")
    (first,) = workspace.runs()

    said = workspace.run("runhive", "runs", "reproduce", first.run_id)

    again, first = workspace.runs()
    assert "reproduced bit for bit" in said
    assert (again.parent, again.state, again.params) == (first.run_id, "completed", first.params)
    assert again.training["weights_sha256"] == first.training["weights_sha256"]
    assert (first.reproduction["verdict"], first.reproduction["run_id"]) == ("bit for bit", again.run_id)
    assert workspace.git("status", "--porcelain") == before, "the working tree is as it was"
    assert len(workspace.git("worktree", "list").splitlines()) == 1
    assert not (workspace.root / ".runhive/reproduce" / first.run_id).exists()


def test_a_run_that_was_killed_is_made_again_from_its_start_and_is_left_as_it_was(unstarted: Workspace) -> None:
    kill_when(unstarted, ("dvc", "repro"), lambda: list(unstarted.root.glob(".runhive/checkpoints/*/*.sha256")))
    (unfinished,) = unstarted.root.glob(".runhive/checkpoints/*/")
    before = {path.name: path.read_bytes() for path in unfinished.iterdir()}
    unstarted.change_params("train.epochs=1")  # not the run's own: it brings its parameters

    said = unstarted.run("runhive", "runs", "reproduce", "latest")

    again, killed = unstarted.runs()
    assert "no verdict: the first is lost" in said
    assert (killed.state, killed.attempt, killed.reproduction) == ("lost", 1, {})
    assert (again.state, again.attempt, again.parent) == ("completed", 1, killed.run_id)
    assert again.params == killed.params
    assert {path.name: path.read_bytes() for path in unfinished.iterdir()} == before
    assert list(unstarted.root.glob(".runhive/checkpoints/*/")) == [unfinished]
