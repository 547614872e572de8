"""A frozen EfficientNet-Lite0 for 25 epochs on ants and bees: the real `train` stage beside the tutorial's loop."""

from pathlib import Path

from harness import Cost, in_turn, ratios, run, script
from page import publish, table
from repository import accuracies, make_repository, train

EPOCHS = 25
RECIPE = ("model.arch=efficientnet_lite0", "train.mode=frozen", f"train.epochs={EPOCHS}")


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Whole processes, from their start to their end."""
    repository = make_repository(scratch / "frozen", "hymenoptera", *RECIPE, *([f"data.url={data}"] if data else []))
    images = repository / "data/images"
    loop = script("tutorial", images, "efficientnet_lite0", "--mode", "frozen", "--epochs", EPOCHS)
    found = in_turn(
        {"tutorial": lambda: run(loop, scratch), "runhive": lambda: train(repository)},
        rounds,
    )
    rows = [row("the tutorial's loop", found["tutorial"]), row("`python pipeline train`", found["runhive"])]
    ratio = ratios([one.cpu for one in found["tutorial"]], [one.cpu for one in found["runhive"]])
    publish(
        "frozen",
        table(("", "CPU seconds", "wall seconds", "best accuracy on val", "last accuracy on val"), rows)
        + f"\n\nCPU time of the loop / of the stage: **{ratio}**, over {rounds} round(s).",
    )


def row(name: str, costs: list[Cost]) -> list[str]:
    """Each round's figures."""
    return [
        name,
        ", ".join(f"{one.cpu:.1f}" for one in costs),
        ", ".join(f"{one.wall:.1f}" for one in costs),
        ", ".join(f"{max(accuracies(one)):.3f}" for one in costs),
        ", ".join(f"{accuracies(one)[-1]:.3f}" for one in costs),
    ]
