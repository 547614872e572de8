"""The power is cut: what a disk holds at that moment, without what the kernel had yet to write, is mounted and read.

The disk is a file with an ext4 on it. What a program writes there reaches the file when the kernel flushes, as it
would reach a real disk, so a copy of the file is that disk after the power was cut.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from disks import make_disk, mounted

from runhive.files import sha256_of
from runhive.stages.checkpoint import load_checkpoint
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.verify import verify

CUTS = 4
RUN = "20261123-142233-7f3a9c"
SAVES = """
import sys
from pathlib import Path
import torch
from runhive.stages.checkpoint import save_checkpoint
from runhive.vision.loop import State
for number in range(1, 1000):
    network = {"layer": torch.full((300, 300), float(number))}
    save_checkpoint(Path("kept"), State(epoch=number, best_epoch=number, network=network, best=network))
    Path("unflushed").write_bytes(bytes(100_000))
    print(number, flush=True)
"""
APPENDS = """
import sys
from pathlib import Path
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
ledger = open_ledger()
for number in range(1, 1000):
    ledger.append("20261123-142233-7f3a9c", [Event("counted", {"number": number})], {f"{number}.bin": bytes(50_000)})
    Path("unflushed").write_bytes(bytes(100_000))
    print(number, flush=True)
"""

pytestmark = pytest.mark.slow


def what_the_disk_holds(image: Path, copy: Path) -> None:
    """Copy *image* to *copy* as it is at one moment: until two copies in a row are the same."""
    before = ""
    while (now := sha256_of(shutil.copyfile(image, copy))) != before:
        before = now


def saved(root: Path) -> int:
    """The newest checkpoint, which is whole."""
    state = load_checkpoint(root / "kept")
    assert state.epoch == 0 or bool((state.network["layer"] == state.epoch).all())
    return state.epoch


def appended(root: Path) -> int:
    """How many events the ledger has, all that they point at with them."""
    ledger = open_ledger(root)
    assert verify(ledger.repository).problems == ()
    count = len(ledger.run(RUN).events)
    assert sorted(ledger.files(RUN)) == sorted(f"{number}.bin" for number in range(1, count + 1))
    return count


@pytest.mark.fault(
    "checkpoint",
    "the power is cut",
    wanted="each checkpoint that was taken is on the disk, or a newer one, and it is whole",
)
@pytest.mark.fault(
    "ledger",
    "the power is cut",
    wanted="all that was acknowledged is on the disk, and the ledger is whole",
)
@pytest.mark.parametrize(("script", "reached"), [(SAVES, saved), (APPENDS, appended)], ids=["checkpoint", "ledger"])
def test_what_was_acknowledged_is_on_the_disk_when_the_power_is_cut(
    script: str, reached: Callable[[Path], int], tmp_path: Path
) -> None:
    image, lost = tmp_path / "image", 0
    make_disk(image)
    with mounted(image, tmp_path / "disk") as disk:
        subprocess.run(["git", "init", "-q", disk], check=True)
        subprocess.run(["sync", "-f", disk], check=True)
        writer = subprocess.Popen([sys.executable, "-c", script], cwd=disk, text=True, stdout=subprocess.PIPE)
        assert writer.stdout
        for cut in range(CUTS):
            acknowledged = int(writer.stdout.readline())
            time.sleep(0.003 * cut)  # into what it writes next
            writer.send_signal(signal.SIGSTOP)
            while psutil.Process(writer.pid).status() != psutil.STATUS_STOPPED:
                time.sleep(0.001)
            what_the_disk_holds(image, tmp_path / "copy")
            with mounted(tmp_path / "copy", tmp_path / f"after-{cut}") as after:
                assert reached(after) >= acknowledged
                lost += (after / "unflushed").stat().st_size == 0 if (after / "unflushed").exists() else 1
            writer.send_signal(signal.SIGCONT)
        writer.kill()
        writer.communicate()

    assert lost, "what nobody flushed is there too: no power was cut"
