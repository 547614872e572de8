"""How a step changes the weights: the optimizer, its rate at each step, and the moving average."""

from math import cos, pi

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from runhive.params import AdamW, Cosine, Sgd, Step, Train


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


def make_average(network: nn.Module, train: Train) -> AveragedModel | None:
    """The exponential moving average of *network*, batch-norm's statistics too; None where `train.ema` is 0."""
    if not train.ema:
        return None
    update = get_ema_multi_avg_fn(train.ema)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)
