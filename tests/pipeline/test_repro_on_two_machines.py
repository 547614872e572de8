"""`dvc repro` on two machines at once, each in a network namespace of its own: `RUNHIVE_LONG=1` runs it."""

import os
import subprocess
from pathlib import Path

import pytest
from namespaces import PORT, Machine, two_machines, why_not
from together import distributed
from workspace import Workspace

from runhive.stages import paths

pytestmark = pytest.mark.skipif(not os.environ.get("RUNHIVE_LONG"), reason="takes minutes: RUNHIVE_LONG=1 runs it")


def repro(machine: Machine, workspace: Workspace) -> "subprocess.Popen[str]":
    """Start `dvc repro train` on *machine*."""
    variables = (f"RUNHIVE_NODE_RANK={machine.rank}", f"RUNHIVE_RENDEZVOUS=10.77.0.1:{PORT}", "OMP_NUM_THREADS=1")
    return workspace.start("ip", "netns", "exec", machine.namespace, "env", *variables, "dvc", "repro", "train")


def test_dvc_repro_on_both_makes_the_same_outs_and_one_run_which_the_first_keeps(
    unstarted: Workspace, tmp_path: Path
) -> None:
    if reason := why_not():
        pytest.skip(reason)
    unstarted.change_params(distributed(nodes=2, processes=1, timeout=120))
    second = unstarted.copy_to(tmp_path / "second")
    with two_machines() as machines:
        helper, keeper = repro(machines[1], second), repro(machines[0], unstarted)
        said = [process.communicate()[0] for process in (keeper, helper)]

    assert (keeper.returncode, helper.returncode) == (0, 0), said
    for out in (paths.WEIGHTS, paths.MODEL_CARD):
        assert (unstarted.root / out).read_bytes() == (second.root / out).read_bytes()
    (run,) = unstarted.runs()
    assert run.state == "running"  # until record
    assert second.runs() == []
    for workspace in (unstarted, second):
        assert "models/model.safetensors" in (workspace.root / "dvc.lock").read_text()
