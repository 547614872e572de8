"""Run stages again and again; the n-th call that changes the disk fails or kills, or the n-th read fails.

Run by test_stage_faults.py, under LD_PRELOAD of faults.c: `sweep.py POINTS WORK STAGES...`. Prints a line for each n.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from photos import make_photos

from faults import Plan, forget_locks
from runhive import cli
from runhive.errors import RunhiveError, told_of_disk
from runhive.files import sha256_of
from runhive.formats.manifest import read_manifest
from runhive.formats.model_card import ModelCard
from runhive.formats.parity import Parity
from runhive.stages import evaluate, export, fetch, paths, record, train
from runhive.stages.checkpoint import load_checkpoint, save_checkpoint
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.verify import verify
from runhive.vision.loop import State

IMPORTED = (evaluate, export, fetch, record, train)  # before the fork, so that no attempt reads their code
STAGES = ("fetch", "checkpoint", "train", "evaluate", "export", "record")
TOLD = ("cannot be written (", "the disk failed (", "cannot be read (")
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
        try:
            save_checkpoint(Path("kept"), state(4))
        except OSError as error:
            raise RunhiveError(told_of_disk(error)) from error
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


def prepare(root: Path, *changes: str) -> None:
    """A repository with a folder of images, of which nothing was fetched, and two checkpoints."""
    photos = make_photos(root, 16, 8, *CHANGES, *changes)
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
        case "fetch" if (root / paths.MANIFEST).exists():
            for image in read_manifest(root / paths.MANIFEST):
                if sha256_of(root / paths.IMAGES / image.path) != image.sha256:
                    return f"{image.path} is not what the manifest lists"
        case "train":
            card = root / paths.MODEL_CARD
            if card.exists() and ModelCard.read(card).weights_sha256 != sha256_of(root / paths.WEIGHTS):
                return "the card is of other weights"
            if len(open_ledger(root).runs()) > 1:
                return "there are two runs"
        case "export" if (root / paths.PARITY).exists():
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
    if status == 3 and stage != "checkpoint":
        *_, last = said.splitlines()
        assert last.startswith("runhive: "), said
        assert kind == "kill" or any(words in last for words in TOLD), said
    assert damage(stage, root) is None, f"{damage(stage, root)}: {said}"
    assert status != 0 or made(stage, root) == whole, "it ended well, yet what it made is not there"
    assert again() == 0, "it cannot be done again"
    assert made(stage, root) == whole, f"done again, it made something else: {made(stage, root)}"
    assert leftovers(stage, root) == [], f"left lying about: {leftovers(stage, root)}"


def sweep(stage: str, plan: Plan, points: int, root: Path, whole: Made) -> int:
    """Go through the calls of *stage* in copies of *root*, all or *points* of each kind, and count what went wrong."""
    totals = {"fail": plan.count, "kill": plan.count, "read": plan.reads}
    copy, faults = root.with_name("try"), 0
    for kind, total in totals.items():
        numbers = range(1, total + 1)
        for number in numbers if points == 0 else sorted(random.sample(numbers, min(points, total))):
            shutil.copytree(root, copy, symlinks=True)
            status, said = run(stage, plan, copy, at=number, kill=kind == "kill", read=kind == "read")
            try:
                check(stage, copy, status, kind, said, whole, lambda: run(stage, plan, copy)[0])
                print(stage, kind, number, status, said.splitlines()[-1:], flush=True)
            except AssertionError as error:
                faults += 1
                print(f"FAULT {stage}, call {number} of {total}, {kind}: {error}", flush=True)
            shutil.rmtree(copy)
    print("swept", stage, totals, flush=True)
    return faults


def run(stage: str, plan: Plan, root: Path, **fault: object) -> tuple[int, str]:
    """One attempt in *root*: its exit status, and what it said."""
    words = root.with_name("said")
    with words.open("wb") as said:
        status = plan.attempt(partial(act, stage, said.fileno()), root, **fault)
    return status, words.read_text(errors="replace")


def main(points: int, work: Path, stages: Sequence[str]) -> None:
    """Go the way of the data up to the last of *stages*, sweeping those, and say how it went by the exit code."""
    plan, root, done, faults = Plan(), work / "root", work / "done", 0
    prepare(root, *(["export.variants=[fp32]"] if points else []))  # or a few points would take as long as all
    for stage in STAGES[: 1 + max(map(STAGES.index, stages))]:
        shutil.copytree(root, done, symlinks=True)
        status, said = run(stage, plan, done)
        assert status == 0, said
        if stage in stages:
            faults += sweep(stage, plan, points, root, made(stage, done))
        shutil.rmtree(root)
        done.rename(root)
    sys.exit(f"{faults} faults" if faults else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
