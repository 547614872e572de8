"""Training in several processes on this machine: one result, however it is started and whatever is lost."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from photos import Photos, make_photos
from together import RECIPE, distributed, under_way, wait_until, workers

from runhive.formats.train_record import TrainRecord
from runhive.stages import paths
from runhive.tracking.ledger.ledger import open_ledger


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """Nothing was trained in it; not to be changed."""
    return make_photos(tmp_path_factory.mktemp("ready") / "photos", 48, 12, *RECIPE, distributed())


@pytest.fixture(scope="module")
def whole(ready: Photos, tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """Trained by two processes under torchrun, undisturbed."""
    photos = ready.copy_to(tmp_path_factory.mktemp("whole") / "photos")
    photos.train()
    return photos


def test_a_lost_worker_is_started_again_and_training_ends_with_the_same_bits(
    ready: Photos, whole: Photos, tmp_path: Path
) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    process = photos.start()
    wait_until(process, lambda: under_way(photos))
    workers(process)[-1].kill()
    said, _ = process.communicate()

    assert process.returncode == 0, said
    assert photos.made() == whole.made()
    assert len(open_ledger(photos.root).runs()) == 1


def test_training_that_is_stopped_keeps_its_step_and_goes_on_to_the_same_bits(
    ready: Photos, whole: Photos, tmp_path: Path
) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    process = photos.start()
    wait_until(process, lambda: under_way(photos))
    below = workers(process)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate()

    assert process.returncode == 128 + signal.SIGTERM, said
    assert not any(one.is_running() for one in below)
    (run,) = open_ledger(photos.root).runs()
    assert (run.state, run.cause) == ("canceled", "stopped by SIGTERM")
    photos.train()
    assert photos.made() == whole.made()
    assert TrainRecord.read(photos.root / paths.TRAIN_RECORD).attempt == 2


def test_mpirun_gives_the_weights_of_torchrun(ready: Photos, whole: Photos, tmp_path: Path) -> None:
    if not shutil.which("mpirun"):
        message = "mpirun is not here: apt install openmpi-bin"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    photos = ready.copy_to(tmp_path / "photos")
    photos.change(distributed("mpirun"))
    photos.train()

    assert photos.made() == whole.made()


def test_the_run_says_how_many_processes_trained_and_what_batch_norm_saw(whole: Photos) -> None:
    (run,) = open_ledger(whole.root).runs()

    assert run.environment["distributed"] == {
        "launcher": "torchrun", "nodes": 1, "processes_per_node": 2, "batch_norm": "each process's images",
    }  # fmt: skip
    assert run.environment["threads"] == 1


def test_a_loss_that_is_lost_is_one_line_and_nothing_is_started_again(ready: Photos, tmp_path: Path) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    photos.change("train.lr=100.0", "train.optimizer={name: sgd, momentum: 0.9, weight_decay: 10.0}")
    process = photos.start()
    said, _ = process.communicate()

    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("runhive: the ")
    assert "lower train.lr, now 100.0" in said.splitlines()[-1]
    (run,) = open_ledger(photos.root).runs()
    assert run.state == "failed" and "lower train.lr" in (run.cause or "")
