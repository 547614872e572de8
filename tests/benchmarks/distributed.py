"""One process against two at the same global batch, the time that a loss costs, and several GPUs on paper.

CPU seconds of an epoch are half of what three epochs cost more than one, so that starting is not in them.
"""

from pathlib import Path
from statistics import median

from harness import in_turn, ratios, say
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
GPUS = (2, 4, 8, 16, 32, 64)
GRADIENTS = {"resnet18": 44.7e6, "efficientnet_lite0": 13.5e6}  # bytes, fp32, of two classes
STEP_SECONDS = 0.020  # of one GPU's share of a batch, assumed
LINKS = {"NVLink, 300 GB/s": (300e9, 5e-6), "100 Gbit/s": (12.5e9, 20e-6), "10 Gbit/s": (1.25e9, 50e-6)}


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """The digits: 1,437 images to learn from."""
    repository = make_repository(scratch / "repository", "digits")
    found = in_turn(
        {name: lambda setting=setting: epoch_of(repository, *setting) for name, setting in VARIANTS.items()}, rounds
    )
    first = next(iter(found.values()))
    rows = [
        [name, f"{median(cpu for cpu, _ in costs):.1f}", ratios([cpu for cpu, _ in costs], [cpu for cpu, _ in first]),
         f"{median(wall for _, wall in costs):.0f}"]
        for name, costs in found.items()
    ]  # fmt: skip
    measured = table(("digits at 64 pixels, resnet18, batch 16", "CPU s an epoch", "times one process", "wall s"), rows)
    publish("distributed", "\n\n".join([measured, after_losses(scratch, rounds), on_paper()]))


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


def epoch_of(repository: Path, launcher: str, processes: int) -> tuple[float, float]:
    """CPU and wall seconds of one epoch more."""
    setting = (
        f"train.distributed={{launcher: {launcher}, nodes: 1, processes_per_node: {processes}, rendezvous: null, "
        "timeout_s: 600, max_restarts: 0}"
    )
    one, three = (train(repository, *PLAIN, setting, f"train.epochs={epochs}") for epochs in (1, 3))
    return (three.cpu - one.cpu) / 2, (three.wall - one.wall) / 2


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
