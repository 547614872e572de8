"""Run each stage again and again; the n-th call that changes the disk fails or kills, or the n-th read fails.

Run by test_faults.py, under LD_PRELOAD of faults.c: `sweep.py POINTS WORK STAGES...`. Prints a line for each n.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from faults import Plan, forget_locks
from photos import make_photos

from runhive import cli
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.manifest import read_manifest
from runhive.formats.model_card import ModelCard
from runhive.formats.parity import Parity
from runhive.formats.train_record import TrainRecord
from runhive.stages import evaluate, export, fetch, paths, record, train
from runhive.stages.checkpoint import load_checkpoint, save_checkpoint
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.verify import verify
from runhive.vision.loop import State

IMPORTED = (evaluate, export, fetch, record, train)  # before the fork, so that no attempt reads their code
STAGES = ("fetch", "checkpoint", "train", "evaluate", "export", "record")
KINDS = ("fail", "kill", "read")
Made = dict[str, object]
NET = """
from torch import nn

def small(num_classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 4), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(32, num_classes),
    )
"""
CHANGES = (
    "model.arch=net:small", "train.mode=finetune", "train.epochs=2", "train.batch_size=8", "train.checkpoint_steps=2",
    "train.lr=0.05", "train.ema=0.9", "export.calibration_images=4", "train.device=cpu",
)  # fmt: skip
DEPS = {
    "fetch": ["images"],
    "train": [paths.IMAGES, paths.MANIFEST, "net.py"],
    "evaluate": [paths.WEIGHTS, paths.MODEL_CARD, "net.py"],
    "export": [paths.WEIGHTS, paths.MODEL_CARD, "net.py"],
}


def act(stage: str, said: int) -> None:
    """What the command does; its words go to the file *said*. Raises RunhiveError where it ends with a message."""
    if stage == "checkpoint":
        save_checkpoint(Path("kept"), state(4))
        return
    for stream in (1, 2):
        os.dup2(said, stream)
    sys.argv = ["runhive", stage]
    try:
        cli.main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        sys.stderr.flush()
        sys.stdout.flush()
        if end.code:
            raise RunhiveError("told") from None


def state(epoch: int) -> State:
    """The state after *epoch*; its tensors are a function of it."""
    import torch

    network = {name: torch.full((40, 40), float(epoch)) for name in ("first", "second")}
    return State(epoch=epoch, best_epoch=1, network=network, best={"first": torch.ones(3)}, history=[])


def prepare(root: Path) -> None:
    """A repository with a folder of images, of which nothing was fetched, and two checkpoints."""
    photos = make_photos(root, 16, 8, *CHANGES)
    shutil.move(root / paths.IMAGES, root / "images")
    shutil.rmtree(root / "data")
    (root / "net.py").write_text(NET)
    stages = {name: {"cmd": f"runhive {name}", "deps": list(map(str, deps))} for name, deps in DEPS.items()}
    (root / paths.PIPELINE).write_text(f"stages: {stages}")
    photos.change("data.on_bad=skip")
    for epoch in (2, 3):
        save_checkpoint(root / "kept", state(epoch))


def made(stage: str, root: Path) -> Made:
    """What *stage* makes, all of it a function of its inputs; {} where something of it is missing."""
    files: dict[str, Sequence[Path]] = {
        "fetch": [paths.MANIFEST, paths.DATA_REPORT],
        "train": [paths.WEIGHTS, paths.MODEL_CARD],
        "evaluate": [paths.PREDICTIONS],
        "export": [paths.ONNX],
        "record": [paths.METRICS],
    }
    if stage == "checkpoint":
        return {"epoch": load_checkpoint(root / "kept").epoch}
    found: Made = {path.name: sha256_of(root / path) for path in files[stage] if (root / path).exists()}
    if len(found) < len(files[stage]):
        return {}
    if stage == "record":
        found["runs"] = [(run.state, run.attempt, sorted(run.files)) for run in open_ledger(root).runs()]
    return found


def damage(stage: str, root: Path) -> str | None:
    """What is half done or lost, wherever *stage* stopped."""
    match stage:
        case "checkpoint":
            newest = load_checkpoint(root / "kept")
            if newest.epoch not in (3, 4) or newest.network["first"][0, 0] != newest.epoch:
                return f"the newest checkpoint is of epoch {newest.epoch}"
        case "fetch":
            if (root / paths.MANIFEST).exists():
                for image in read_manifest(root / paths.MANIFEST):
                    if sha256_of(root / paths.IMAGES / image.path) != image.sha256:
                        return f"{image.path} is not what the manifest lists"
        case "train":
            if (root / paths.MODEL_CARD).exists():
                if ModelCard.read(root / paths.MODEL_CARD).weights_sha256 != sha256_of(root / paths.WEIGHTS):
                    return "the card is of other weights"
            if len(open_ledger(root).runs()) > 1:
                return "there are two runs"
        case "export":
            if (root / paths.PARITY).exists():
                if Parity.read(root / paths.PARITY).onnx_sha256 != sha256_of(root / paths.ONNX):
                    return "the parity is of another model"
        case "record":
            if problems := verify(open_ledger(root).repository).problems:
                return f"the ledger: {problems}"
    return None


def leftovers(stage: str, root: Path) -> list[str]:
    """Files that a stage which ended well leaves lying about."""
    folders = {"fetch": "data", "checkpoint": "kept", "train": "models", "export": "models", "record": "results"}
    return sorted(str(path.relative_to(root)) for path in (root / folders.get(stage, "results")).rglob(".*"))


def check(stage: str, root: Path, status: int, kind: str, said: str, whole: Made, again: Callable[[], int]) -> None:
    """Raise AssertionError unless nothing is lost or half done, a person was told, and the next run makes all of it."""
    forget_locks(root)
    assert status in ((0, 3, -9) if kind == "kill" else (0, 3)), f"ended with {status}: {said}"
    assert "Traceback" not in said, said
    assert status != 3 or stage == "checkpoint" or said.splitlines()[-1].startswith("runhive: "), said
    assert damage(stage, root) is None, f"{damage(stage, root)}: {said}"
    assert status != 0 or made(stage, root) == whole, "it ended well, yet what it made is not there"
    assert again() == 0, "it cannot be done again"
    if stage == "record":
        whole = {**whole, "runs": [(state, attempt, files) for state, attempt, files in made(stage, root)["runs"]]}
    assert made(stage, root) == whole, f"done again, it made something else: {made(stage, root)}"
    assert leftovers(stage, root) == []


def sweep(stage: str, plan: Plan, points: int, work: Path) -> Path:
    """Go through the calls of *stage* and return the repository in which it ended well."""

    def attempt(name: str, **fault: object) -> tuple[Path, int, str]:
        root = Path(shutil.copytree(work / "root", work / name, symlinks=True))
        return root, *run(stage, plan, root, **fault)

    done, status, said = attempt(f"after-{stage}")
    assert status == 0, said
    totals, whole = {"fail": plan.count, "kill": plan.count, "read": plan.reads}, made(stage, done)
    for kind in KINDS:
        numbers = range(1, totals[kind] + 1)
        for number in numbers if points == 0 else sorted(random.sample(numbers, min(points, len(numbers)))):
            root, status, said = attempt("try", at=number, kill=kind == "kill", read=kind == "read")
            try:
                check(stage, root, status, kind, said, whole, lambda root=root: run(stage, plan, root)[0])
            except AssertionError as error:
                print(f"FAULT {stage}, call {number} of {totals[kind]}, {kind}: {error}", flush=True)
            shutil.rmtree(root)
            print(stage, kind, number, status, said.splitlines()[-1:], flush=True)
    print("swept", stage, totals, flush=True)
    return done


def run(stage: str, plan: Plan, root: Path, **fault: object) -> tuple[int, str]:
    """One attempt in *root*: its exit status, and what it said."""
    words = root.with_name("said")
    with words.open("wb") as said:
        status = plan.attempt(partial(act, stage, said.fileno()), root, **fault)
    return status, words.read_text(errors="replace")


def main(points: int, work: Path, stages: Sequence[str]) -> None:
    plan = Plan()
    prepare(work / "root")
    for stage in STAGES:
        done = sweep(stage, plan, points, work) if stage in stages else work / "root"
        if stage not in stages:
            status, said = run(stage, plan, done)
            assert status == 0, said
            continue
        shutil.rmtree(work / "root")
        done.rename(work / "root")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
