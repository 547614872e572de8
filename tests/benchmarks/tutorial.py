"""The loop of PyTorch's tutorial "Transfer Learning for Computer Vision", written after what it describes.

It is what one has without Runhive: ImageFolder, Pillow, four loader workers, float32, torch's own memory layout. A
frozen backbone stays in training mode there, so batch-norm uses each batch's statistics and dropout stays on.

    python tests/benchmarks/tutorial.py data/images efficientnet_lite0 --mode frozen
"""

import argparse
import copy
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import SGD, lr_scheduler
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from runhive.vision.model import build_backbone, head_name, load_pretrained, normalisation

Batches = Iterable[tuple[Tensor, Tensor]]


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The arguments that every loop of the benchmarks takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="a folder with train/<class>/* and val/<class>/*")
    parser.add_argument("arch")
    parser.add_argument("--weights", choices=("imagenet", "none"), default="imagenet")
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--workers", type=int, default=4)
    return parser


def make_network(arch: str, classes: int, weights: str) -> nn.Module:
    """The network that Runhive trains too; only its head is new."""
    network = build_backbone(arch, classes)
    if weights == "imagenet":
        load_pretrained(network, arch)
    return network


def freeze_all_but_head(network: nn.Module, arch: str) -> list[nn.Parameter]:
    """Let only the last layer learn. Returns its weights."""
    network.requires_grad_(False)
    return list(network.get_submodule(head_name(arch)).requires_grad_(True).parameters())


def make_loaders(
    images: Path, arch: str, batch_size: int, workers: int
) -> dict[str, DataLoader[tuple[Tensor, Tensor]]]:
    """A loader of each split; the tutorial shuffles both."""
    normalise = transforms.Normalize(*normalisation(arch))
    transform = {
        "train": transforms.Compose(
            [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(), normalise]
        ),
        "val": transforms.Compose(
            [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), normalise]
        ),
    }
    return {
        split: DataLoader(
            datasets.ImageFolder(images / split, transform[split]), batch_size, shuffle=True, num_workers=workers
        )
        for split in transform
    }


def run_phase(network: nn.Module, batches: Batches, optimizer: SGD | None) -> tuple[float, float]:
    """One pass over *batches*, learning where there is an *optimizer*: mean loss and accuracy."""
    network.train(optimizer is not None)
    criterion = nn.CrossEntropyLoss()
    running_loss, running_corrects, seen = 0.0, torch.tensor(0), 0
    for inputs, labels in batches:
        if optimizer:
            optimizer.zero_grad()
        with torch.set_grad_enabled(optimizer is not None):
            outputs = network(inputs)
            _, preds = torch.max(outputs, 1)
            loss = criterion(outputs, labels)
            if optimizer:
                loss.backward()
                optimizer.step()
        running_loss += loss.item() * inputs.size(0)
        running_corrects += torch.sum(preds == labels.data)
        seen += inputs.size(0)
    return running_loss / seen, float(running_corrects) / seen


def train(network: nn.Module, weights: list[nn.Parameter], train: Batches, val: Batches, epochs: int) -> float:
    """Train for *epochs*, print a line after each, keep the best on val. Returns its accuracy."""
    optimizer = SGD(weights, lr=0.001, momentum=0.9)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.1)
    best, kept = 0.0, copy.deepcopy(network.state_dict())
    for epoch in range(1, epochs + 1):
        loss, accuracy = run_phase(network, train, optimizer)
        scheduler.step()
        val_loss, val_accuracy = run_phase(network, val, None)
        print(
            f"epoch {epoch}/{epochs}  loss {loss:.4f}  accuracy {accuracy:.3f}  "
            f"check loss {val_loss:.4f}  check accuracy {val_accuracy:.3f}",
            flush=True,
        )
        if val_accuracy > best:
            best, kept = val_accuracy, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    return best


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--mode", choices=("finetune", "frozen"), default="finetune")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    loaders = make_loaders(given.images, given.arch, given.batch_size, given.workers)
    network = make_network(given.arch, len(loaders["train"].dataset.classes), given.weights)
    weights = freeze_all_but_head(network, given.arch) if given.mode == "frozen" else list(network.parameters())
    print(f"best {train(network, weights, loaders['train'], loaders['val'], given.epochs):.4f}")


if __name__ == "__main__":
    main()
