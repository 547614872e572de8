"""kill -9 of the whole process group in every stage, then `dvc repro`: one run, complete."""

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from workspace import Workspace, kill_when

pytestmark = pytest.mark.slow


def kill_in(workspace: Workspace, stage: str, most_seconds: float) -> None:
    """Start `dvc repro`, and kill its process group at a random moment while *stage* runs."""
    process = workspace.start("dvc", "repro")
    running = wait_for(process, stage)
    with suppress(psutil.TimeoutExpired):
        running.wait(random.uniform(0, most_seconds))
        pytest.fail(f"{stage} was over before the kill:\n{process.communicate()[0]}")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_for(process: subprocess.Popen[str], stage: str) -> psutil.Process:
    """Wait until *stage* runs below *process*, the `dvc repro`."""
    dvc = psutil.Process(process.pid)
    while process.poll() is None:
        for child in dvc.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it ended between the listing and the look
                if child.cmdline()[1:3] == ["pipeline", stage]:
                    return child
        time.sleep(0.01)
    pytest.fail(f"{stage} did not run:\n{process.communicate()[0]}")


@pytest.mark.fault(
    "record",
    "`dvc repro` is killed in each stage in turn",
    wanted="one complete run in the ledger",
)
def test_a_repro_killed_in_every_stage_in_turn_ends_as_one_complete_run(unstarted: Workspace) -> None:
    for stage in ("fetch", "train", "evaluate", "export", "record", "report"):
        kill_in(unstarted, stage, most_seconds=0.3)
    unstarted.run("dvc", "repro")

    (run,) = unstarted.runs()
    assert run.state == "completed"
    assert run.metrics["val.accuracy"] == run.evaluation["accuracy"]
    assert (unstarted.root / f"site/runs/{run.run_id}.html").exists()


def test_training_killed_after_an_epoch_goes_on_as_attempt_2_to_the_same_weights(
    unstarted: Workspace, tmp_path: Path
) -> None:
    unstarted.change_params("train.epochs=30")
    undisturbed = unstarted.copy_to(tmp_path / "undisturbed")
    undisturbed.run("dvc", "repro", "train")
    epochs = unstarted.root / ".runhive/checkpoints"
    kill_when(unstarted, ("dvc", "repro", "train"), lambda: list(epochs.glob("*/epoch-*.sha256")))
    (lost,) = unstarted.runs()
    output = unstarted.run("dvc", "repro", "train")

    (run,) = unstarted.runs()
    assert (run.run_id, run.attempt) == (lost.run_id, 2)
    assert "epoch 1/30" not in output, "the first epoch was trained again"
    weights = "models/model.safetensors"
    assert (unstarted.root / weights).read_bytes() == (undisturbed.root / weights).read_bytes()


@pytest.mark.parametrize("launcher", ["none", "torchrun"])
def test_ctrl_c_keeps_the_step_at_hand_and_the_next_repro_goes_on_from_it(launcher: str, unstarted: Workspace) -> None:
    """A terminal sends it to dvc and to its stage at once."""
    processes = 1 if launcher == "none" else 2
    unstarted.change_params(
        "train.epochs=500", "train.checkpoint_steps=0", f"train.distributed.launcher={launcher}",
        f"train.distributed.processes_per_node={processes}",
    )  # fmt: skip
    checkpoints = unstarted.root / ".runhive/checkpoints"
    process = unstarted.start("dvc", "repro", "train")
    while process.poll() is None and not list(checkpoints.glob("*/epoch-*.sha256")):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    kept = max(path.stem for path in checkpoints.glob("*/epoch-*.sha256"))

    assert process.returncode != 0, output
    (run,) = unstarted.runs()
    assert (run.state, run.cause) == ("canceled", "stopped by SIGINT"), output
    process = unstarted.start("dvc", "repro", "train")
    while process.poll() is None and max(path.stem for path in checkpoints.glob("*/epoch-*.sha256")) <= kept:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate()
    assert "attempt 2" in output
    first = int(kept.split("-")[1]) + 1
    assert f"epoch {first}/500" in output and f"epoch {first - 1}/500" not in output


def test_training_killed_before_its_first_epoch_ends_is_the_same_run_too(unstarted: Workspace) -> None:
    unstarted.change_params("train.epochs=30")  # or a slow machine would be done before the kill
    kill_when(unstarted, ("dvc", "repro", "train"), unstarted.runs)
    (lost,) = unstarted.runs()
    unstarted.run("dvc", "repro", "train")

    (run,) = unstarted.runs()
    assert (run.run_id, run.attempt) == (lost.run_id, 2)
    assert [event.data.get("state") for event in run.events if event.type == "finished"] == ["lost"]


@pytest.mark.fault(
    "train",
    "`dvc` dies and leaves its stage behind",
    wanted="training keeps its step and ends; the run is canceled",
    said="stopped by SIGTERM",
)
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_end_of_dvc_alone_ends_training_and_cancels_the_run(
    shell: str, unstarted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed dvc leaves its child running (measured), and Debian's sh stays between the two, where bash does not."""
    monkeypatch.setenv("SHELL", shutil.which(shell) or pytest.fail(f"there is no {shell}"))
    unstarted.change_params("train.epochs=1000")
    process = unstarted.start("dvc", "repro")
    while process.poll() is None and not unstarted.runs():
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()[0]
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(children, timeout=30)
    output, _ = process.communicate()

    assert alive == []
    (run,) = unstarted.runs()
    assert (run.state, run.cause) == ("canceled", "stopped by SIGTERM"), output
    assert run.used["cpu_seconds"] > 0
