"""What the machine does to the process that trains: its memory ends, its clock jumps, it or its disk stands still."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from disks import make_disk, mounted
from photos import Photos, make_photos

from runhive.formats.train_record import TrainRecord
from runhive.stages import paths
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.life.liveness import close_lost

GROUPS = Path("/sys/fs/cgroup")
LIMIT = 3 << 30  # bytes; training needs a third of it
CLOCK = str(Path(__file__).parent / "clock")
NET = """
from pathlib import Path

import torch
from torch import nn

class Net(nn.Sequential):
    def forward(self, images):
        if Path("hungry").exists() and len(list(Path(".runhive").glob("checkpoints/*/epoch-*.sha256"))) > 1:
            self.kept = torch.ones(2**32)  # 16 GiB
        return super().forward(images)

def net(num_classes):
    return Net(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, num_classes))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """Nothing was trained in it; not to be changed."""
    photos = make_photos(
        tmp_path_factory.mktemp("ready") / "photos", 16, 8, "model.arch=own:net", "train.mode=finetune",
        "train.epochs=40", "train.checkpoint_steps=2",
    )  # fmt: skip
    (photos.root / "own.py").write_text(NET)
    pipeline = photos.root / paths.PIPELINE
    pipeline.write_text(pipeline.read_text().replace("deps: [", "deps: ['own.py', "))
    return photos


@pytest.fixture(scope="module")
def whole(ready: Photos, tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """Trained undisturbed."""
    photos = ready.copy_to(tmp_path_factory.mktemp("whole") / "photos")
    photos.train()
    return photos


@contextmanager
def memory_limit() -> Iterator[Path]:
    """Yield the file to which a process writes its id, after which it and its children have LIMIT of memory."""
    version_1 = (GROUPS / "memory").is_dir()
    group = (GROUPS / "memory" if version_1 else GROUPS) / f"runhive-{os.getpid()}"
    processes = group / "cgroup.procs"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"NOT TRIED: a limit of memory takes a control group and root's rights ({error})")
    try:
        limit = group / ("memory.limit_in_bytes" if version_1 else "memory.max")
        if not limit.exists():
            pytest.skip("NOT TRIED: the control groups of this machine do not limit memory")
        limit.write_text(str(LIMIT))
        yield processes
    finally:
        while processes.read_text():  # what tells the ledger ends with the process that trained
            time.sleep(0.01)
        group.rmdir()


def wait_for_steps(process: "subprocess.Popen[str]", photos: Photos) -> None:
    while len(photos.kept()) < 2:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.002)


def the_run(photos: Photos) -> Run:
    (run,) = open_ledger(photos.root).runs()
    return run


@pytest.mark.fault(
    "train",
    "memory is full and the kernel kills the process",
    wanted="the run is lost; `dvc repro` goes on from the last checkpoint to the same bits",
    said="its process died without a word, last heartbeat …: kill -9, full memory or a power cut",
)
def test_training_that_the_kernel_killed_for_its_memory_goes_on_to_the_same_bits(
    ready: Photos, whole: Photos, tmp_path: Path
) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    (photos.root / "hungry").touch()
    with memory_limit() as group:
        process = photos.start(before=["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group)])
        said, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL, said
    close_lost(open_ledger(photos.root), photos.root)
    lost = the_run(photos)
    (photos.root / "hungry").unlink()
    photos.train()

    assert lost.state == "lost"
    assert lost.cause and lost.cause.endswith(": kill -9, full memory or a power cut")
    assert photos.made() == whole.made()
    assert (the_run(photos).run_id, the_run(photos).attempt) == (lost.run_id, 2)


@pytest.mark.fault(
    "train",
    "the clock goes back a day between a kill and the next start",
    wanted="training goes on from the newest checkpoint to the same bits; no duration is negative",
)
def test_training_after_the_clock_went_back_a_day_goes_on_to_the_same_bits(
    ready: Photos, whole: Photos, tmp_path: Path
) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    process = photos.start()
    wait_for_steps(process, photos)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    reached = photos.kept()[-1]
    process = photos.start(environment={"PYTHONPATH": CLOCK, "CLOCK_OFF": "-86400"})
    said, _ = process.communicate()

    assert process.returncode == 0, said
    assert reached > "epoch-000000" and f"going on with run {the_run(photos).run_id}, attempt 2" in said
    assert photos.made() == whole.made()
    first, *_, last = the_run(photos).events
    assert (first.type, last.time < first.time) == ("started", True)
    assert TrainRecord.read(photos.root / paths.TRAIN_RECORD).seconds > 0


@pytest.mark.fault(
    "train",
    "the machine stands still for a while",
    wanted="training goes on where it stood; its run is not called lost",
)
def test_training_that_stood_still_goes_on_and_is_not_called_lost(ready: Photos, whole: Photos, tmp_path: Path) -> None:
    photos = ready.copy_to(tmp_path / "photos")
    process = photos.start()
    wait_for_steps(process, photos)
    os.killpg(process.pid, signal.SIGSTOP)
    assert close_lost(open_ledger(photos.root), photos.root) == []
    os.killpg(process.pid, signal.SIGCONT)
    said, _ = process.communicate()

    assert process.returncode == 0, said
    assert photos.made() == whole.made()
    assert the_run(photos).attempt == 1


@pytest.mark.fault(
    "train",
    "the disk hangs for a while",
    wanted="training waits for it and goes on where it stood",
)
def test_training_whose_disk_hangs_waits_for_it(ready: Photos, whole: Photos, tmp_path: Path) -> None:
    make_disk(tmp_path / "image")
    with mounted(tmp_path / "image", tmp_path / "disk") as disk:
        photos = ready.copy_to(disk / "photos")
        process = photos.start()
        wait_for_steps(process, photos)
        subprocess.run(["fsfreeze", "--freeze", disk], check=True)
        try:
            while psutil.Process(process.pid).status() != psutil.STATUS_DISK_SLEEP:
                assert process.poll() is None
                time.sleep(0.002)
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", disk], check=True)
        said, _ = process.communicate()

        assert process.returncode == 0, said
        assert photos.made() == whole.made()
        assert the_run(photos).attempt == 1
