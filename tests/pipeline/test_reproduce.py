"""`runhive runs reproduce` on the real pipeline."""

import pytest
from workspace import Workspace

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
