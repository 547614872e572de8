"""One process against two at the same global batch, the time that a loss costs, and several GPUs on paper.

The processes of a training are told apart while they run: those that learn, and those that only wait for them.
"""

from contextlib import suppress
from pathlib import Path
from statistics import median
from time import monotonic
from typing import NamedTuple

import psutil
from harness import in_turn, ratios, run, say, script
from lost import after_a_machine, after_a_worker
from page import publish, table
from repository import make_repository, train

VARIANTS = {
    "one process, no launcher": ("none", 1),
    "one process under torchrun": ("torchrun", 1),
    "two processes under torchrun": ("torchrun", 2),
}
PLAIN = (
    "model.arch=resnet18", "model.weights=none", "model.image_size=64", "model.resize_size=64", "train.precision=fp32",
    "train.mode=finetune", "train.batch_size=16", "train.warmup_epochs=0",
)  # fmt: skip
EPOCHS = 5
WORKER = "runhive.stages.worker"
SIZES = (64, 224)  # pixels
GPUS = (2, 4, 8, 16, 32, 64)
GRADIENTS = {"resnet18": 44.7e6, "efficientnet_lite0": 13.5e6}  # bytes, fp32, of two classes
STEP_SECONDS = 0.020  # of one GPU's share of a batch, assumed
LINKS = {"NVLink, 300 GB/s": (300e9, 5e-6), "100 Gbit/s": (12.5e9, 20e-6), "10 Gbit/s": (1.25e9, 50e-6)}


class Spent(NamedTuple):
    """CPU seconds of all processes, those of them that only wait, and wall seconds."""

    cpu: float
    waiting: float
    wall: float


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """The digits: 1,437 images to learn from."""
    repository = make_repository(scratch / "repository", "digits")
    found = in_turn(
        {name: lambda setting=setting: epoch_of(repository, *setting) for name, setting in VARIANTS.items()}, rounds
    )
    publish(
        "distributed",
        "\n\n".join([of_processes(found), wrapped(scratch, rounds), after_losses(scratch, rounds), on_paper()]),
    )


def of_processes(found: dict[str, list[Spent]]) -> str:
    first = [cost.cpu for cost in next(iter(found.values()))]
    rows = [
        [name, f"{median(cost.cpu for cost in costs):.1f}", ratios([cost.cpu for cost in costs], first),
         f"{median(cost.waiting / cost.cpu for cost in costs):.2%}", f"{median(cost.wall for cost in costs):.1f}"]
        for name, costs in found.items()
    ]  # fmt: skip
    header = (
        "digits at 64 pixels, resnet18, batch 16", "CPU s an epoch", "times one process",
        "of it in processes that wait", "wall s an epoch",
    )  # fmt: skip
    return table(header, rows)


def wrapped(scratch: Path, rounds: int) -> str:
    """What a wrapper around one process's network would cost, which is why there is none."""
    say("DistributedDataParallel around one process's network")
    told: dict[str, list[tuple[float, float]]] = {}
    for mark in run(script("wrapped", 2 * rounds, *SIZES), scratch).marks:
        size, *seconds = mark.line.split()
        told.setdefault(size, []).append((float(seconds[0]), float(seconds[1])))
    rows = [
        [f"{size} pixels", f"{1000 * median(plain for plain, _ in steps):.0f}",
         ratios([wrapped for _, wrapped in steps], [plain for plain, _ in steps])]
        for size, steps in told.items()
    ]  # fmt: skip
    header = ("resnet18, batch 16, one process", "CPU ms a step", "times that with DistributedDataParallel around it")
    return table(header, rows)


def after_losses(scratch: Path, rounds: int) -> str:
    """How long training stands still where something is lost."""
    rows = []
    for name, lose in (("a worker, `kill -9`", after_a_worker), ('a machine, `nodes: "1:2"`', after_a_machine)):
        say(f"the loss of {name}")
        found = [lose(scratch / f"{lose.__name__}-{number}") for number in range(rounds)]
        seconds = sorted(one for one in found if one is not None)
        told = (f"{median(seconds):.0f}", f"{seconds[-1]:.0f}") if seconds else ("not measured: it takes root", "")
        rows.append([name, *told])
    return table(("lost", "seconds to the next step, median", "most"), rows)


def epoch_of(repository: Path, launcher: str, processes: int) -> Spent:
    """What an epoch costs after the first, in whose time the processes start."""
    setting = (
        f"train.distributed={{launcher: {launcher}, nodes: 1, processes_per_node: {processes}, rendezvous: null, "
        "timeout_s: 600, max_restarts: 0}"
    )
    seen: list[Spent] = []

    def watch(pid: int, line: str) -> None:
        if line.startswith("epoch "):
            seen.append(spent_by(pid, alone=launcher == "none"))

    train(repository, *PLAIN, setting, f"train.epochs={EPOCHS}", watch=watch)
    first, last = seen[0], seen[-1]
    return Spent(*((there - here) / (len(seen) - 1) for there, here in zip(last, first, strict=True)))


def spent_by(pid: int, alone: bool) -> Spent:
    """What process *pid* and those below it have used so far; *alone*, it trains itself."""
    learning = waiting = 0.0
    for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it ended in between
            times, learns = one.cpu_times(), alone or WORKER in one.cmdline()[:4]
            learning += learns * (times.user + times.system)
            waiting += (not learns) * (times.user + times.system)
    return Spent(learning + waiting, waiting, monotonic())


def on_paper() -> str:
    """Share of the time in which GPUs compute, where nothing of the all-reduce hides behind the backward pass."""
    rows = [
        [f"{arch}, {link}", *(f"{STEP_SECONDS / (STEP_SECONDS + ring(size, gpus, *LINKS[link])):.0%}" for gpus in GPUS)]
        for arch, size in GRADIENTS.items()
        for link in LINKS
    ]
    return table(("GPUs", *map(str, GPUS)), rows)


def ring(size: float, gpus: int, bandwidth: float, latency: float) -> float:
    """Seconds of a ring all-reduce of *size* bytes: each sends and gets 2 (n - 1) / n of them in 2 (n - 1) messages."""
    return 2 * (gpus - 1) / gpus * size / bandwidth + 2 * (gpus - 1) * latency
