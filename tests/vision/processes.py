"""Train the same in one, two and three processes; run by test_world, so that they are forked before torch has threads.

`python processes.py FOLDER`: writes what process RANK of SIZE found to FOLDER/SIZE-RANK.pt.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from small import params
from torch import Tensor, distributed, nn

from runhive.vision.augment import Labelled
from runhive.vision.device import Numerics
from runhive.vision.lesson import Lesson
from runhive.vision.loop import Feed, State, Watch, fit
from runhive.vision.train import learn, make_classifier
from runhive.vision.world import World

SIZES = (1, 2, 3)
PLAIN = """
from torch import nn

def net(num_classes):
    return nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, num_classes))
"""


def gradients(world: World, dtype: torch.dtype, accumulate: int) -> list[Tensor]:
    """Those of the first step over 12 images, which the processes share."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(32, 5),
    ).to(dtype)  # fmt: skip
    x, y = torch.randn(12, 3, 12, 12, dtype=dtype), torch.randint(5, (12,))
    share = slice(world.rank, None, world.size)
    feed = Feed(lambda epoch, first: [(x[share], y[share])], lambda: [(x, y)], [12], checks=1)
    recipe = ("train.mode=finetune", "train.epochs=1", "train.batch_size=12", f"train.accumulate={accumulate}")
    numerics = Numerics(torch.device("cpu"), "fp32", "contiguous", world)
    found: list[Tensor] = []
    watch = Watch(after_step=lambda epoch, seen: found.extend(one.grad.clone() for one in network.parameters()))
    fit(network, feed, params(*recipe).train, numerics, State(), watch)
    return found


def learned(world: World, images: Labelled, *changes: str) -> tuple[list[Tensor], list[list[float]]]:
    """The weights, and the numbers of each epoch but for its time."""
    found = params("train.epochs=2", "train.batch_size=12", *changes)
    classifier = make_classifier(found.model, 2, 0)
    numerics = Numerics(torch.device("cpu"), "fp32", "channels_last", world)
    state = learn(classifier, Lesson(found.model, found.train, images, images), numerics, State(), Watch())
    rows = [replace(epoch, seconds=0.0) for epoch in state.history]
    return list(classifier.state_dict().values()), [[e.train_loss, e.check_loss, e.check_accuracy] for e in rows]


def work(world: World, images: Labelled) -> dict[str, object]:
    return {
        "gradients fp32": gradients(world, torch.float32, 1),
        "gradients fp64": gradients(world, torch.float64, 1),
        "gradients of pieces": gradients(world, torch.float64, 2),
        "frozen": learned(world, images, "model.arch=own:net", "train.mode=frozen", "train.views=2"),
        "still": learned(world, images, "model.arch=plain:net", "train.mode=finetune", "train.lr=1.0e-30"),
        "finetune": learned(world, images, "model.arch=plain:net", "train.mode=finetune", "train.lr=0.1"),
    }


def start(folder: Path, rank: int, size: int, function: Callable[[World], dict[str, object]]) -> int:
    """Fork process *rank* of *size*, which writes what *function* finds."""
    if pid := os.fork():
        return pid
    try:
        torch.set_num_threads(1)
        if size > 1:
            distributed.init_process_group("gloo", f"file://{folder}/meet-{size}", rank=rank, world_size=size)
        torch.save(function(World(rank, size, size)), folder / f"{size}-{rank}.pt")
    except BaseException as error:
        print(error, file=sys.stderr)
        os._exit(1)
    os._exit(0)


def main() -> None:
    folder = Path(sys.argv[1])
    sys.path.insert(0, str(folder))
    (folder / "plain.py").write_text(PLAIN)
    paths = sorted(folder.glob("*.png"))
    images = Labelled(paths, [int(path.stem) % 2 for path in paths])
    for size in SIZES:
        started = [start(folder, rank, size, lambda world: work(world, images)) for rank in range(size)]
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started] == [0] * size


if __name__ == "__main__":
    main()
