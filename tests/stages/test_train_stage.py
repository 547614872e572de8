"""The stage train as its own process, on images and a network that are small."""

import os
import subprocess
import sys
from pathlib import Path

from dvc.utils.serialize import parse_yaml

from runhive.formats.data_report import DataReport
from runhive.formats.history import read_history
from runhive.formats.manifest import Image, content_digest
from runhive.presets import presets, with_changes
from runhive.stages import paths
from runhive.stages.checkpoint import load_checkpoint
from runhive.tracking.ledger import open_ledger
from runhive.tracking.run import Run

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


def train() -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    return subprocess.run(
        [sys.executable, ROOT / "pipeline", "train"], capture_output=True, text=True, env=environment
    )  # fmt: skip


def the_run() -> Run:
    (run,) = open_ledger().runs()
    return run


def test_a_lost_loss_fails_the_run_with_its_cause_and_keeps_the_checkpoint_before(images: list[Image]) -> None:
    own_network(images, 3, "train.epochs=5")
    done = train()

    assert done.returncode == 1
    said = "the loss is nan in epoch 3, step 1 of 1: lower train.lr, now 0.01, and run `dvc repro`"
    assert done.stderr.splitlines()[-1].startswith(f"runhive: {said}")
    assert the_run().state == "failed" and said in the_run().cause
    (folder,) = (path for path in (paths.STATE / "checkpoints").iterdir() if path.is_dir())
    assert load_checkpoint(folder).epoch == 2
    assert not paths.WEIGHTS.exists()


def test_an_early_stop_is_said(images: list[Image]) -> None:
    own_network(images, 0, "train.epochs=40", "train.early_stop={patience: 2, watch: accuracy}")
    done = train()

    assert done.returncode == 0, done.stderr
    assert len(read_history(paths.HISTORY)) < 40
    assert done.stderr.splitlines()[-1] == "stopped early: no better check accuracy in 2 epochs"
