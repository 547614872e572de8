"""The stage train as its own process, on images and a network that are small."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from dvc.utils.serialize import parse_yaml
from safetensors.torch import load_file

from runhive.formats.data_report import DataReport
from runhive.formats.history import read_history
from runhive.formats.manifest import Image, content_digest
from runhive.formats.train_record import TrainRecord
from runhive.presets import presets, with_changes
from runhive.stages import paths
from runhive.stages.checkpoint import load_checkpoint
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Run

ROOT = Path(__file__).parents[2]
SMALL = (
    "data.url=images",
    "model.arch=own:net",
    "model.weights=none",
    "model.image_size=32",
    "model.resize_size=32",
    "train.mode=finetune",
    "train.batch_size=4",
    "train.select=val",
)
OWN = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, num_classes))
        self.steps = 0

    def forward(self, images):
        self.steps += self.training
        return self.layers(images) * (float("nan") if self.steps == BROKEN else 1.0)

def net(num_classes):
    return Net(num_classes)
"""


def own_network(images: list[Image], broken: int, *changes: str) -> None:
    """Make the folder ready for `train`; the network gives NaN in its training step number *broken*."""
    Path("own.py").write_text(OWN.replace("BROKEN", str(broken)))
    Path("params.yaml").write_text(with_changes(presets()["folder"], [*SMALL, *changes]))
    listed = parse_yaml((ROOT / "dvc.yaml").read_text(), "dvc.yaml")["stages"]["train"]["deps"]
    deps = [one for one in listed if not one.startswith("pipeline")]
    Path("dvc.yaml").write_text(f"stages: {{train: {{cmd: python pipeline train, deps: {[*deps, 'own.py']}}}}}")
    DataReport(
        source="images", digest=content_digest(images), classes=["ants", "bees"], counts={}, left_out=[], bytes=1,
        duplicates=[], sizes={},
    ).write(paths.DATA_REPORT)  # fmt: skip


def start() -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    return subprocess.Popen(
        [sys.executable, ROOT / "pipeline", "train"], text=True, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def train() -> tuple[int, list[str]]:
    """The exit code, and what was said on stderr."""
    process = start()
    _, said = process.communicate()
    return process.returncode, said.splitlines()


def the_run() -> Run:
    (run,) = open_ledger().runs()
    return run


@pytest.mark.fault(
    "train",
    "the loss is no longer finite",
    wanted="training stops at that step; the checkpoint before stays; the run has failed",
    said="the loss is … in epoch …, step … of …: lower train.lr, now …, and run `dvc repro`; …",
)
def test_a_lost_loss_fails_the_run_with_its_cause_and_keeps_the_checkpoint_before(images: list[Image]) -> None:
    own_network(images, 3, "train.epochs=5")
    code, lines = train()

    assert code == 1
    said = "the loss is nan in epoch 3, step 1 of 1: lower train.lr, now 0.01, and run `dvc repro`"
    assert lines[-1].startswith(f"runhive: {said}")
    assert the_run().state == "failed" and said in the_run().cause
    (folder,) = (path for path in (paths.STATE / "checkpoints").iterdir() if path.is_dir())
    assert load_checkpoint(folder).epoch == 2
    assert not paths.WEIGHTS.exists()


def test_an_early_stop_is_said(images: list[Image]) -> None:
    own_network(images, 0, "train.epochs=40", "train.early_stop={patience: 2, watch: accuracy}")
    code, lines = train()

    assert code == 0, lines
    assert len(read_history(paths.HISTORY)) < 40
    assert lines[-1] == "stopped early: no better check accuracy in 2 epochs"


@pytest.mark.fault(
    "train",
    "the process is killed while torch compiles the network",
    wanted="the next start compiles anew; torch's half-written files are not met again",
)
@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_compiling_that_was_killed_begins_anew_and_learns_what_eager_torch_learns(images: list[Image]) -> None:
    own_network(images, 0, "train.epochs=2")
    assert train()[0] == 0
    eager = load_file(paths.WEIGHTS)
    own_network(images, 0, "train.epochs=2", "train.compile=true")
    process = start()
    while process.poll() is None and not list(paths.STATE.glob("checkpoints/*/compiled/**/*.cpp")):
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    code, lines = train()

    assert code == 0, lines
    trained = TrainRecord.read(paths.TRAIN_RECORD)
    assert (trained.attempt, trained.started["environment"]["compile"]) == (2, True)
    compiled = load_file(paths.WEIGHTS)
    assert eager.keys() == compiled.keys()
    for name, weight in eager.items():
        torch.testing.assert_close(compiled[name], weight, rtol=1e-4, atol=1e-5)


@pytest.mark.fault(
    "train", "memory runs out, of the processor or of the GPU",
    wanted="training stops and says what to lower; the checkpoint before stays",
    said="out of memory (…): lower train.batch_size, now …, or raise train.accumulate, now …",
)  # fmt: skip
@pytest.mark.parametrize("short", ["torch.empty(10**15)", "raised(torch.OutOfMemoryError('CUDA out of memory.'))"])
def test_memory_that_runs_out_is_one_line_with_what_to_lower(images: list[Image], short: str) -> None:
    own_network(images, 3, "train.epochs=5")
    Path("own.py").write_text(
        Path("own.py").read_text().replace('float("nan")', short)
        + "\ndef raised(error):\n    raise error\n"  # as torch raises it where a GPU is full
    )
    code, lines = train()

    assert code == 1
    assert lines[-1].startswith("runhive: out of memory (")
    assert "): lower train.batch_size, now 4, or raise train.accumulate, now 1, and run `dvc repro`" in lines[-1]
    assert the_run().state == "failed" and "lower train.batch_size" in (the_run().cause or "")
    assert not paths.WEIGHTS.exists()


@pytest.mark.fault(
    "train", "two trainings from the same inputs at the same time",
    wanted="the second is refused and the first goes on; the lock of a killed one is free",
    said="… is locked by process …: wait for it to end, or end it",
)  # fmt: skip
def test_a_second_training_from_the_same_inputs_is_refused_until_the_first_is_dead(images: list[Image]) -> None:
    own_network(images, 0, "train.epochs=100000")
    first = start()
    while first.poll() is None and not list(paths.STATE.glob("checkpoints/*/epoch-*.sha256")):
        time.sleep(0.002)
    code, lines = train()

    assert code == 1
    assert lines[-1].endswith(f".lock is locked by process {first.pid}: wait for it to end, or end it")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    third = start()
    assert third.stderr
    assert any(line.endswith("attempt 2\n") for line in third.stderr)
    os.killpg(third.pid, signal.SIGKILL)
    third.communicate()


@pytest.mark.fault(
    "train", "the disk can only be read",
    wanted="training stops before its first step", said="… cannot be written (Read-only file system): …",
)  # fmt: skip
def test_a_disk_that_can_only_be_read_is_told_before_the_first_step(images: list[Image]) -> None:
    own_network(images, 0, "train.epochs=1")
    if os.geteuid() != 0 or subprocess.run(["mount", "--bind", ".", "."], capture_output=True).returncode:
        pytest.skip("NOT TRIED: mounting a file system takes root's rights")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", Path.cwd()], check=True)
        process = subprocess.Popen(
            [sys.executable, ROOT / "pipeline", "train"], cwd=Path.cwd(), text=True, stderr=subprocess.PIPE
        )
        said = process.communicate()[1].splitlines()
    finally:
        subprocess.run(["umount", "--lazy", Path.cwd()], check=True)

    assert process.returncode == 1
    assert said[-1].startswith("runhive: ") and "cannot be written (Read-only file system)" in said[-1]
    assert open_ledger().runs() == []
