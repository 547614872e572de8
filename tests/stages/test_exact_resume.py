"""Training that is killed or stopped at any step ends with the bits of training that was not.

RUNHIVE_KILLS=30 kills each recipe that often; RUNHIVE_SEED repeats the moments, which are printed.
"""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from photos import Photos, make_photos

from runhive.formats.train_record import TrainRecord
from runhive.stages import paths
from runhive.stages.opened import RUN, OpenRun
from runhive.tracking.ledger.ledger import open_ledger

KILLS = int(os.environ.get("RUNHIVE_KILLS", "1"))
SEED = int(os.environ.get("RUNHIVE_SEED", "0")) or random.randrange(1, 2**32)
STEPS, EPOCHS = 6, 4
RECIPES = {
    "resnet18": ("model.arch=resnet18", "train.mode=finetune", "train.ema=0.9"),
    "lite0": (
        "model.arch=efficientnet_lite0", "train.mode=finetune", "train.optimizer={name: adamw, weight_decay: 0.01}",
        "train.augment={min_scale: 0.3, flip: true, policy: trivialaugment, mixup: 0.2}",
    ),
    "frozen": ("model.arch=efficientnet_lite0", "train.mode=frozen", "train.views=2", "train.epochs=400"),
}  # fmt: skip
COMMON = (f"train.epochs={EPOCHS}", "train.select=val", "train.checkpoint_steps=2", "train.early_stop.patience=300")


def attempts(photos: Photos) -> int:
    """How often training was begun or taken up."""
    return max((OpenRun.read(path).attempt for path in photos.root.glob(f".runhive/checkpoints/*/{RUN}")), default=0)


def wait_for_attempt(photos: Photos, process: "subprocess.Popen[str]", after: int) -> None:
    """Wait until *process* has opened the run: a signal before that meets Python's start, not training."""
    while process.poll() is None and attempts(photos) == after:
        time.sleep(0.001)


def wait_for_checkpoint(photos: Photos, process: "subprocess.Popen[str]", newer_than: list[str], more: int) -> None:
    """Wait until *more* checkpoints were seen that are not among *newer_than*, or training ended."""
    seen = set(newer_than)
    while process.poll() is None and len(seen) < len(newer_than) + more:
        seen.update(photos.kept())
        time.sleep(0.001)


def disturbed(photos: Photos, chance: random.Random) -> int:
    """Train, killing or stopping it KILLS times, each time with another number of decoding threads; count them."""
    processors = sorted(os.sched_getaffinity(0))
    done = 0
    for _ in range(KILLS):
        number = chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        begun, kept = attempts(photos), photos.kept()
        process = photos.start(set(processors[: 1 + done % 2]))
        wait_for_attempt(photos, process, begun)
        wait_for_checkpoint(photos, process, kept, chance.randrange(4))
        time.sleep(chance.uniform(0, 0.05))
        if process.poll() is None:
            os.killpg(process.pid, number)
            done += 1
        said, _ = process.communicate()
        assert process.returncode in (0, -number, 128 + number), said
    return done


@pytest.mark.fault(
    "train",
    "the process is killed or stopped, at any step",
    wanted="`dvc repro` goes on from the last checkpoint to the same bits",
    said="going on with run …, attempt …",
)
@pytest.mark.parametrize("name", RECIPES)
def test_training_killed_at_random_steps_ends_with_the_same_weights_and_history(name: str, tmp_path: Path) -> None:
    print(f"RUNHIVE_SEED={SEED}")
    whole = make_photos(tmp_path / "whole", 4 * STEPS, 8, *COMMON, *RECIPES[name])
    killed = whole.copy_to(tmp_path / "killed")
    whole.train()
    kills = disturbed(killed, random.Random(f"{SEED} {name}"))
    said = killed.train(set(os.sched_getaffinity(0)))

    assert kills > 0
    assert "going on with run" in said
    assert killed.made() == whole.made()
    assert TrainRecord.read(killed.root / paths.TRAIN_RECORD).attempt >= kills
    kept = [path.stat().st_size for path in killed.root.glob(".runhive/checkpoints/*/epoch-*.safetensors")]
    assert kept and (name != "frozen" or max(kept) < 1_000_000)


@pytest.mark.fault(
    "train",
    "Ctrl-C, or a job that is canceled",
    wanted="the step at hand is finished and kept; the run is canceled",
    said="stopped by SIGINT",
)
def test_a_signal_to_stop_keeps_the_step_at_hand_and_other_checkpoint_steps_are_the_same_run(tmp_path: Path) -> None:
    """It takes no checkpoints within epochs, so that what is there was written because of the signal."""
    photos = make_photos(tmp_path / "one", 200, 8, "model.arch=resnet18", "train.mode=finetune", "train.epochs=500")
    process = photos.start()
    wait_for_checkpoint(photos, process, [], 1)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate()

    assert process.returncode == 128 + signal.SIGINT, said
    assert 0 < int(photos.kept()[-1].rpartition("-")[2]) <= 50
    (run,) = open_ledger(photos.root).runs()
    assert (run.state, run.cause) == ("canceled", "stopped by SIGINT")

    photos.change("train.checkpoint_steps=1")
    process, before = photos.start(), photos.kept()
    wait_for_checkpoint(photos, process, before, 1)
    os.killpg(process.pid, signal.SIGTERM)
    said, _ = process.communicate()

    assert "attempt 2" in said
    assert photos.kept()[-1] > before[-1]
