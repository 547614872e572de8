"""The training loop: batches in, an epoch's numbers out, and a state that it can go on from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import cos, isfinite, pi
from time import monotonic

import torch
from torch import Tensor, nn
from torch.nn import functional

from runhive.errors import RunhiveError
from runhive.formats.history import Epoch
from runhive.params import AdamW, Cosine, Sgd, Step, Train

Batch = tuple[Tensor, Tensor]  # inputs (n, ...), labels (n,), on the CPU


@dataclass(frozen=True)
class Feed:
    """What the loop learns from: `train(epoch)` gives one epoch's batches, `check()` those that it is measured on."""

    train: Callable[[int], Iterable[Batch]]
    check: Callable[[], Iterable[Batch]]
    steps: int


@dataclass
class State:
    """All that training needs to go on after `epoch`. `best` holds the weights of the epoch to keep."""

    epoch: int = 0
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    network: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[int, dict[str, Tensor]] = field(default_factory=dict)


def fit(
    network: nn.Module,
    feed: Feed,
    train: Train,
    device: torch.device,
    state: State,
    after_step: Callable[[int, int], None],
    after_epoch: Callable[[State], None],
) -> State:
    """Train *network* from *state* to the last epoch; it ends with the weights of `state.best`.

    `after_step(epoch, images seen in it)` is for progress, `after_epoch(state)` for a checkpoint.
    The same inputs give the same bits on the same kind of machine, however often training was interrupted.
    Raises RunhiveError when the loss is no longer finite.
    """
    optimizer = make_optimizer(network, train)
    if state.epoch:
        network.load_state_dict(state.network)
        optimizer.load_state_dict({"state": state.optimizer, "param_groups": optimizer.state_dict()["param_groups"]})
    for epoch in range(state.epoch + 1, train.epochs + 1):
        torch.manual_seed(train.seed + (epoch << 32))  # dropout: a function of the epoch, so nothing to save
        began = monotonic()
        loss, accuracy = _train_epoch(network, feed, train, optimizer, epoch, device, after_step)
        check_loss, check_accuracy = measure(network, feed.check(), device)
        for name, value in (("loss", loss), ("check loss", check_loss)):
            if not isfinite(value):
                raise RunhiveError(
                    f"the {name} is {value} in epoch {epoch}: lower train.lr, now {train.lr}, and run `dvc repro`"
                )
        lr = learning_rate(epoch * feed.steps - 1, feed.steps, train)
        state.history.append(Epoch(epoch, lr, loss, accuracy, check_loss, check_accuracy, monotonic() - began))
        state.epoch = epoch
        state.network = _copy(network.state_dict())
        state.optimizer = {
            index: {name: value for name, value in one.items() if isinstance(value, Tensor)}
            for index, one in optimizer.state_dict()["state"].items()
        }
        if train.select == "last" or _is_best(state.history):
            state.best, state.best_epoch = state.network, epoch
        after_epoch(state)
    network.load_state_dict(state.best)
    return state


def make_optimizer(network: nn.Module, train: Train) -> torch.optim.Optimizer:
    """The optimizer that the parameters ask for, over the weights that may learn."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    match train.optimizer:
        case Sgd(momentum=momentum, weight_decay=decay):
            return torch.optim.SGD(weights, train.lr, momentum=momentum, weight_decay=decay)
        case AdamW(weight_decay=decay):
            return torch.optim.AdamW(weights, train.lr, weight_decay=decay)


def learning_rate(step: int, steps_per_epoch: int, train: Train) -> float:
    """The rate of optimizer step *step*, counted from 0 over all epochs.

    It rises linearly over the warm-up; then `step` counts whole epochs, and `cosine` falls to 0 after the last step.
    """
    warmup = train.warmup_epochs * steps_per_epoch
    if step < warmup:
        return train.lr * (step + 1) / warmup
    match train.schedule:
        case Step(every=every, factor=factor):
            return train.lr * factor ** (step // steps_per_epoch // every)
        case Cosine():
            done = (step - warmup) / (train.epochs * steps_per_epoch - warmup)
            return train.lr * (1 + cos(pi * done)) / 2
    return train.lr


def _train_epoch(
    network: nn.Module,
    feed: Feed,
    train: Train,
    optimizer: torch.optim.Optimizer,
    epoch: int,
    device: torch.device,
    after_step: Callable[[int, int], None],
) -> tuple[float, float]:
    """Mean loss and accuracy over the images as they were learned from."""
    network.train()
    loss_sum = torch.zeros((), device=device)
    hits = torch.zeros((), device=device)
    seen = 0
    for step, (x, y) in enumerate(feed.train(epoch)):
        x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate((epoch - 1) * feed.steps + step, feed.steps, train)
        logits = network(x)
        loss = functional.cross_entropy(logits, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimizer.step()
        loss_sum += loss.detach() * len(y)
        hits += (logits.detach().argmax(1) == y).sum()
        seen += len(y)
        after_step(epoch, seen)
    return float(loss_sum) / seen, float(hits) / seen


@torch.inference_mode()
def measure(network: nn.Module, batches: Iterable[Batch], device: torch.device) -> tuple[float, float]:
    """Mean loss and accuracy of *network* in evaluation mode."""
    network.eval()
    loss_sum, hits, seen = 0.0, 0, 0
    for x, y in batches:
        logits = network(x.to(device)).float().cpu()
        loss_sum += float(functional.cross_entropy(logits, y, reduction="sum"))
        hits += int((logits.argmax(1) == y).sum())
        seen += len(y)
    return loss_sum / seen, hits / seen


def _is_best(history: list[Epoch]) -> bool:
    """Is the last epoch better than all before it: by accuracy, then by loss?"""
    *before, last = [(epoch.check_accuracy, -epoch.check_loss) for epoch in history]
    return all(last > one for one in before)


def _copy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
