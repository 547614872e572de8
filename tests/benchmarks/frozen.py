"""A frozen EfficientNet-Lite0 for 25 epochs on ants and bees: the real `train` stage beside the tutorial's loop."""

from pathlib import Path

from harness import Cost, in_turn, ratios, run, script
from page import publish, table
from repository import accuracies, make_repository, train

EPOCHS = 25
STAGE = "`python pipeline train`"
RECIPE = ("model.arch=efficientnet_lite0", "train.mode=frozen", f"train.epochs={EPOCHS}")


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Whole processes, from their start to their end."""
    repository = make_repository(scratch / "frozen", "hymenoptera", *RECIPE, *([f"data.url={data}"] if data else []))
    images = repository / "data/images"
    loop = script("tutorial", images, "efficientnet_lite0", "--mode", "frozen", "--epochs", EPOCHS)
    variants = {
        STAGE: lambda: train(repository),
        "the tutorial's loop": lambda: run(loop, scratch),
        "the same without loader workers": lambda: run([*loop, "--workers", "0"], scratch),
        f"{STAGE} again": lambda: train(repository),
    }
    found = in_turn(variants, rounds)
    ours = [one.cpu for one in found[STAGE]]
    rows = [row(name, costs, ours) for name, costs in found.items()]
    columns = ("CPU s", "times the stage's", "wall s", "best accuracy on val", "last accuracy on val")
    publish("frozen", table((f"EfficientNet-Lite0, frozen, {EPOCHS} epochs", *columns), rows))


def row(name: str, costs: list[Cost], ours: list[float]) -> list[str]:
    """Each round's figures."""
    return [
        name,
        ", ".join(f"{one.cpu:.1f}" for one in costs),
        ratios([one.cpu for one in costs], ours),
        ", ".join(f"{one.wall:.0f}" for one in costs),
        ", ".join(f"{max(accuracies(one)):.3f}" for one in costs),
        ", ".join(f"{accuracies(one)[-1]:.3f}" for one in costs),
    ]
