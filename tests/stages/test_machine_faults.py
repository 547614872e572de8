"""Two machines, each in a network namespace of its own, train one model through all that can befall them.

RUNHIVE_LONG=1 goes through the whole list, which takes minutes.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from namespaces import Machine
from photos import ROOT, Photos
from together import distributed, photos_for_each, switch_off, wait_for_steps, wait_until, workers

from runhive.files import sha256_of
from runhive.stages import paths
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.verify import verify

TIMEOUT = 20
LOST = ("train.distributed.max_restarts", f"did not come back within train.distributed.timeout_s, {TIMEOUT} s")
OUTS = (paths.WEIGHTS, paths.MODEL_CARD, paths.HISTORY, paths.TRAIN_RECORD)

pytestmark = pytest.mark.slow


@dataclass
class Pair:
    """Two machines with a repository each; the first keeps the run."""

    machines: tuple[Machine, Machine]
    photos: tuple[Photos, Photos]
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, **of_second: str) -> None:
        """Start training on both, with the environment *of_second* on the second."""
        (first, second), (photos, copy) = self.machines, self.photos
        self.processes = [first.start(photos), second.start(copy, environment=of_second)]

    def go_on(self) -> None:
        """Start training on both, and wait until it takes steps."""
        self.start()
        wait_for_steps(self.processes[0], self.photos[0], world=2)

    def last_words(self, number: int) -> str:
        """How training on machine *number* ended, which it has to have done with a message."""
        said = self.processes[number].communicate(timeout=600)[0]
        assert self.processes[number].returncode == 1, said
        *_, last = said.splitlines()
        assert last.startswith("runhive: "), said
        print(f"machine {number}: {last}", flush=True)
        return str(last)

    def is_lost(self, number: int) -> None:
        """Machine *number* ended as the other one was gone."""
        last = self.last_words(number)
        assert any(words in last for words in LOST), last


def everything(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    root = psutil.Process(process.pid)
    return [root, *root.children(recursive=True)]


def kill_worker(pair: Pair, process: "subprocess.Popen[str]") -> None:
    """Kill a worker below *process*, and wait until those of the first machine are others and take steps."""
    before = {one.pid for one in workers(pair.processes[0])}
    workers(process)[-1].kill()
    wait_until(process, lambda: not before & {one.pid for one in workers(pair.processes[0])})
    wait_for_steps(pair.processes[0], pair.photos[0], world=2)


def a_worker_is_killed_on_each(pair: Pair) -> None:
    pair.go_on()
    for process in pair.processes:
        kill_worker(pair, process)
    for process in pair.processes:
        switch_off(process)


def the_second_machine_is_lost(pair: Pair) -> None:
    pair.go_on()
    switch_off(pair.processes[1])
    pair.is_lost(0)


def the_first_machine_is_lost(pair: Pair) -> None:
    pair.go_on()
    switch_off(pair.processes[0])
    pair.is_lost(1)


def the_second_machine_stands_still(pair: Pair) -> None:
    pair.go_on()
    stopped = everything(pair.processes[1])
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    pair.is_lost(0)
    for one in stopped:
        one.send_signal(signal.SIGCONT)
    pair.is_lost(1)


def the_link_is_cut(pair: Pair) -> None:
    pair.go_on()
    pair.machines[1].link("down")
    for number in (0, 1):
        pair.is_lost(number)
    pair.machines[1].link("up")


def the_link_loses_one_direction(pair: Pair) -> None:
    pair.go_on()
    pair.machines[0].route("add", pair.machines[1])
    for number in (0, 1):
        pair.is_lost(number)
    pair.machines[0].route("del", pair.machines[1])


def the_link_is_slow(pair: Pair) -> None:
    pair.go_on()
    for machine in pair.machines:
        machine.slow_down("add")
    wait_for_steps(pair.processes[0], pair.photos[0], world=2)
    for process in pair.processes:
        switch_off(process)
    for machine in pair.machines:
        machine.slow_down("del")


def the_disk_of_the_first_machine_is_full(pair: Pair) -> None:
    pair.go_on()
    filling = pair.photos[0].root / "filling"
    with filling.open("wb") as file:
        while pair.processes[0].poll() is None:
            free = os.statvfs(file.fileno())
            if room := free.f_bavail * free.f_frsize:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, room)
    filling.unlink()
    assert "cannot be written (No space left on device): free the disk" in pair.last_words(0)
    pair.is_lost(1)


def the_inputs_differ(pair: Pair) -> None:
    params, manifest = (pair.photos[1].root / path for path in (paths.PARAMS, paths.MANIFEST))
    for file, change in (
        (params, lambda: pair.photos[1].change("train.lr=0.5")),
        (manifest, lambda: manifest.write_text("".join(manifest.read_text().splitlines(keepends=True)[:-2]))),
    ):
        before = file.read_text()
        change()
        pair.start()
        last = pair.last_words(0)
        assert last == pair.last_words(1)
        assert "which keeps the run, in " in last and file.name in last
        file.write_text(before)


def the_clocks_differ(pair: Pair) -> None:
    """Ahead they meet and are told; behind, torchrun drops the second machine as soon as it joins."""
    pair.start(CLOCK_OFF="86400", PYTHONPATH=str(Path(__file__).parent / "clock"))
    last = pair.last_words(0)
    assert last == pair.last_words(1)
    assert " s ahead of that of process 0 on " in last and "set the clocks of all machines by NTP" in last
    pair.start(CLOCK_OFF="-86400", PYTHONPATH=str(Path(__file__).parent / "clock"))
    for number in (0, 1):
        last = pair.last_words(number)
        assert "clock" in last and "by NTP" in last, last


FAULTS: tuple[Callable[[Pair], None], ...] = (
    a_worker_is_killed_on_each,
    the_second_machine_is_lost,
    the_first_machine_is_lost,
    the_second_machine_stands_still,
    the_link_is_cut,
    the_link_loses_one_direction,
    the_link_is_slow,
    the_disk_of_the_first_machine_is_full,
    the_inputs_differ,
    the_clocks_differ,
)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def under_dvc(photos: Photos) -> None:
    """Let `dvc repro train` train in the repository *photos*."""
    command = f"{sys.executable} {ROOT / 'pipeline'} train"
    deps, outs = ([str(path) for path in found] for found in ((paths.IMAGES, paths.MANIFEST), OUTS))
    (photos.root / paths.PIPELINE).write_text(f"stages: {{train: {{cmd: {command}, deps: {deps}, outs: {outs}}}}}")
    for words in (["init", "--quiet"], ["config", "core.analytics", "false"]):
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=photos.root, check=True)


@pytest.mark.fault(
    "distributed",
    "a machine stands still for longer than the time-out, or the link loses one direction",
    wanted="each machine ends after one or two time-outs, and the next start goes on from the last checkpoint",
    said="the other machines did not come back within train.distributed.timeout_s, … s: mend them or the network, and "
    "run `dvc repro` on each to go on from the last checkpoint",
)
@pytest.mark.fault("distributed", "the link is slow", wanted="training goes on, as slowly")
@pytest.mark.fault(
    "distributed",
    "the disk of the first machine is full",
    wanted="training stops on both; the checkpoint before stays, and the next start goes on from it",
    said="… cannot be written (No space left on device): free the disk or mend its permissions",
)
@pytest.mark.fault(
    "distributed",
    "the machines have other parameters, images, code or versions",
    wanted="refused on each before the first step",
    said="process … differs from process …, which keeps the run, in …: bring all machines to one commit, params.yaml "
    "and set of images, and start training on each again",
)
@pytest.mark.fault(
    "distributed",
    "the clocks of the machines are a day apart",
    wanted="refused on each before the first step: torchrun would drop one of them",
    said="the clock of … is … s ahead of that of process …: set the clocks of all machines by NTP, and start "
    "training on each again",
)
@pytest.mark.fault(
    "distributed",
    "all of these, one after the other, while one model is trained",
    wanted="`dvc repro` on both machines ends with the bits of an undisturbed run, and both have them",
)
@pytest.mark.skipif(not os.environ.get("RUNHIVE_LONG"), reason="takes minutes: RUNHIVE_LONG=1 runs it")
def test_one_model_trained_through_every_fault_ends_with_the_bits_of_the_undisturbed_one(
    machines: tuple[Machine, Machine], tmp_path: Path
) -> None:
    with small_disk(tmp_path / "first"):
        changes = (distributed(nodes=2, processes=1, timeout=TIMEOUT), "model.arch=shufflenet_v2_x0_5")
        photos = photos_for_each(tmp_path, *changes, "train.epochs=40")
        first, second = photos
        for one in photos:
            under_dvc(one)
        alone = first.copy_to(tmp_path / "alone")
        alone.change(distributed())
        alone.train()
        pair = Pair(machines, photos)
        for fault in FAULTS:
            print(f"{fault.__name__}: from {first.kept()[-1:]}", flush=True)
            fault(pair)
        repro = [sys.executable, "-m", "dvc", "repro", "train"]
        both = [machine.start(one, by=repro) for machine, one in zip(machines, photos, strict=True)]
        said = [process.communicate()[0] for process in both]

        assert [process.returncode for process in both] == [0, 0], said
        assert first.made() == alone.made()
        assert sha256_of(second.root / paths.WEIGHTS) == sha256_of(first.root / paths.WEIGHTS)
        ledger = open_ledger(first.root)
        assert len(ledger.runs()) == 1 and verify(ledger.repository).problems == ()
        assert open_ledger(second.root).runs() == []
