"""What a checkpoint costs: its bytes, and the processor and wall time of taking it, beside those of an epoch."""

from pathlib import Path
from statistics import median

from harness import say, script
from page import publish, table
from repository import make_repository, train

EPOCHS = 2  # the first also starts up
RECIPES = {
    "resnet18, finetune, SGD with momentum": ("train.mode=finetune",),
    "the same with AdamW and moving average": (
        "train.mode=finetune", "train.optimizer={name: adamw, weight_decay: 0.01}", "train.ema=0.99",
    ),
    "efficientnet_lite0, finetune, SGD with momentum": ("model.arch=efficientnet_lite0", "train.mode=finetune"),
    "efficientnet_lite0, frozen": ("model.arch=efficientnet_lite0", "train.mode=frozen"),
}  # fmt: skip
PLAIN = (
    "model.arch=resnet18", "model.weights=none", "train.batch_size=4", f"train.epochs={EPOCHS}", "train.ema=0.0",
    "train.optimizer={name: sgd, momentum: 0.9, weight_decay: 0.0}",
)  # fmt: skip


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """The epochs of ants and bees as the preset has them; the first epoch is left out."""
    repository = make_repository(scratch / "repository", "hymenoptera", *([f"data.url={data}"] if data else []))
    rows = []
    for name, changes in RECIPES.items():
        say(name)
        costs = [costs_of(repository, *PLAIN, *changes) for _ in range(rounds)]
        epoch_cpu, epoch_wall, cpu, wall, size = (
            median(values) for values in zip(*(row for cost in costs for row in cost), strict=True)
        )
        shares = f"{cpu / epoch_cpu:.2%}", f"{wall / epoch_wall:.2%}"
        rows.append([name, f"{size / 1e6:,.2f}", f"{cpu:.3f}", f"{wall:.3f}", *shares])
    header = ("ants and bees, batch 4", "MB", "CPU s", "wall s", "of an epoch's CPU time", "of its wall time")
    publish("checkpoint", table(header, rows))


def costs_of(repository: Path, *changes: str) -> list[list[float]]:
    """CPU and wall seconds of each epoch and of its checkpoint, and the checkpoint's bytes."""
    cost = train(repository, *changes, command=script("timed_checkpoints", "train"))
    lines = [mark.line.split()[1:] for mark in cost.marks if mark.line.startswith("checkpoint ")]
    return [list(map(float, line)) for line in lines[1:]]
