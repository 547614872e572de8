"""kill -9 of the whole process group in every stage, then `dvc repro`: one run, complete."""

import os
import random
import signal
import time

import psutil
import pytest
from workspace import Workspace

pytestmark = pytest.mark.slow


def kill_in(workspace: Workspace, stage: str, seconds: float) -> None:
    """Start `dvc repro`, and kill its process group *seconds* after *stage* began."""
    process = workspace.start("dvc", "repro")
    while process.poll() is None and not is_running(process.pid, stage):
        time.sleep(0.02)
    time.sleep(seconds)
    assert process.poll() is None, f"{stage} was over before the kill"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def is_running(dvc: int, stage: str) -> bool:
    commands = [child.cmdline() for child in psutil.Process(dvc).children(recursive=True)]
    return any(command[-2:] == ["pipeline", stage] for command in commands)


@pytest.mark.parametrize("stage", ["fetch", "evaluate", "export", "record", "report"])
def test_a_kill_in_a_stage_is_healed_by_the_next_repro(unstarted: Workspace, stage: str) -> None:
    kill_in(unstarted, stage, random.uniform(0.1, 1.0))
    unstarted.run("dvc", "repro")

    (run,) = unstarted.runs()
    assert run.state == "completed"
    assert (unstarted.root / f"site/runs/{run.run_id}.html").exists()


def test_a_kill_in_train_is_one_run_with_two_attempts_and_the_same_weights(
    unstarted: Workspace, finished: Workspace
) -> None:
    kill_after_an_epoch(unstarted)
    (lost,) = unstarted.runs()
    output = unstarted.run("dvc", "repro")

    (run,) = unstarted.runs()
    assert run.run_id == lost.run_id
    assert (run.state, run.attempt) == ("completed", 2)
    assert "epoch 1/3" not in output, "the first epoch was trained again"
    (uninterrupted,) = finished.runs()
    assert run.training["weights_sha256"] == uninterrupted.training["weights_sha256"]


def kill_after_an_epoch(workspace: Workspace) -> None:
    process = workspace.start("dvc", "repro")
    while process.poll() is None and not list(workspace.root.glob(".runhive/checkpoints/*/epoch-*.json")):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_kill_before_the_first_epoch_ends_is_the_same_run_too(unstarted: Workspace) -> None:
    process = unstarted.start("dvc", "repro")
    while process.poll() is None and not unstarted.runs():
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    unstarted.run("dvc", "repro")

    (run,) = unstarted.runs()
    assert (run.state, run.attempt) == ("completed", 2)


def test_the_end_of_dvc_alone_ends_training_and_cancels_the_run(unstarted: Workspace) -> None:
    """A killed dvc leaves its child running (measured); the kernel tells our child that its parent died."""
    process = unstarted.start("dvc", "repro")
    while process.poll() is None and not unstarted.runs():
        time.sleep(0.002)
    children = psutil.Process(process.pid).children(recursive=True)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=30)
    process.communicate()

    assert alive == []
    (run,) = unstarted.runs()
    assert run.state == "canceled"
