"""Accuracy over five seeds: ants and bees, EfficientNet-Lite0, both modes, through the real `train` stage."""

from pathlib import Path
from statistics import mean, stdev

from harness import say
from page import publish, table
from repository import accuracies, make_repository, train

SEEDS = range(5)
MODES = {
    "frozen, 25 epochs": ("train.mode=frozen", "train.epochs=25"),
    "finetune, 4 epochs, batch 16": (
        "train.mode=finetune", "train.epochs=4", "train.batch_size=16", "train.lr=0.01",
        "train.schedule={name: cosine}",
    ),
}  # fmt: skip


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """The accuracy on val of the last epoch, which nothing was selected by, and of the best."""
    repository = make_repository(
        scratch / "seeds", "hymenoptera", "model.arch=efficientnet_lite0", *([f"data.url={data}"] if data else [])
    )
    rows = []
    for name, changes in MODES.items():
        found = []
        for seed in SEEDS:
            say(f"{name}, seed {seed}")
            found.append(accuracies(train(repository, *changes, f"train.seed={seed}")))
        rows.append([name, spread([one[-1] for one in found]), spread([max(one) for one in found])])
    publish("seeds", table(("EfficientNet-Lite0, seeds 0 to 4", "last epoch", "best epoch, selected on val"), rows))


def spread(values: list[float]) -> str:
    """Mean and sample standard deviation, then each value."""
    return f"**{mean(values):.3f} ± {stdev(values):.3f}** ({', '.join(f'{value:.3f}' for value in values)})"
