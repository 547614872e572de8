"""The loop of timm's training script with timm's own data set, loader, optimizer, schedule and meters.

The script itself is not in the package; this is what it does for each batch. `--fast` is its `--channels-last --amp
--amp-dtype bfloat16`.

    python tests/benchmarks/peer_timm.py IMAGES resnet18 --batch-size 32
"""

from argparse import Namespace
from contextlib import nullcontext

import torch
import tutorial
from timm.data import create_dataset, create_loader
from timm.optim import create_optimizer_v2
from timm.scheduler import StepLRScheduler
from timm.utils import AverageMeter, accuracy
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from runhive.vision.model import normalisation

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
Loader = DataLoader[tuple[Tensor, Tensor]]


def make_loader(split: str, given: Namespace) -> Loader:
    """timm's prefetching loader with the tutorial's crops and mirrors."""
    mean, std = normalisation(given.arch)
    return create_loader(
        create_dataset("", root=given.images, split=split, is_training=split == "train"),
        input_size=(3, 224, 224), batch_size=given.batch_size, is_training=split == "train", color_jitter=0,
        interpolation="bilinear", crop_pct=224 / 256, mean=mean, std=std, num_workers=given.workers,
        pin_memory=DEVICE.type == "cuda", device=DEVICE, persistent_workers=DEVICE.type == "cuda",
    )  # fmt: skip


def train_epoch(network: nn.Module, loader: Loader, optimizer: Optimizer, fast: bool) -> float:
    """One pass. Returns the mean loss."""
    losses, criterion = AverageMeter(), nn.CrossEntropyLoss()
    network.train()
    for images, labels in loader:
        if fast:
            images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(DEVICE.type, torch.bfloat16) if fast else nullcontext():
            loss = criterion(network(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.update(loss.item(), images.size(0))
    return float(losses.avg)


def validate(network: nn.Module, loader: Loader) -> float:
    """Top-1 accuracy in percent."""
    top1 = AverageMeter()
    network.eval()
    with torch.no_grad():
        for images, labels in loader:
            top1.update(accuracy(network(images), labels)[0].item(), images.size(0))
    return float(top1.avg)


def main() -> None:
    parser = tutorial.arguments(__doc__)
    parser.add_argument("--fast", action="store_true")
    given = parser.parse_args()
    torch.manual_seed(0)
    train, val = make_loader("train", given), make_loader("validation", given)
    network = tutorial.make_network(given.arch, len(train.dataset.reader.class_to_idx), given.weights)
    network.to(DEVICE)
    if given.fast:
        network.to(memory_format=torch.channels_last)
    optimizer = create_optimizer_v2(network, opt="momentum", lr=0.001, weight_decay=0, momentum=0.9)
    scheduler = StepLRScheduler(optimizer, decay_t=7, decay_rate=0.1)
    for epoch in range(given.epochs):
        loss = train_epoch(network, train, optimizer, given.fast)
        scheduler.step(epoch + 1)
        print(f"epoch {epoch + 1}/{given.epochs}  loss {loss:.4f}  top1 {validate(network, val):.1f}", flush=True)


if __name__ == "__main__":
    main()
