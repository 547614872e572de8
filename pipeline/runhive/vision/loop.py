"""The training loop: batches in, an epoch's numbers out, and a state that it can go on from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from runhive.formats.history import Epoch
from runhive.params import Train
from runhive.vision.device import Numerics
from runhive.vision.divergence import LossWatch, check_finite
from runhive.vision.optimize import learning_rate, make_average, make_optimizer
from runhive.vision.selection import has_stalled, is_best

Batch = tuple[Tensor, Tensor]  # on the CPU: inputs (n, ...); labels (n,), or their shares (n, classes)


@dataclass(frozen=True)
class Feed:
    """What the loop learns from: `train(epoch)` gives one epoch's batches, `check()` those that it is measured on."""

    train: Callable[[int], Iterable[Batch]]
    check: Callable[[], Iterable[Batch]]
    steps: int


@dataclass
class State:
    """All that training needs to go on after `epoch`. `best` holds the weights of the epoch to keep.

    `average` is the moving average of the weights, empty where there is none.
    """

    epoch: int = 0
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    network: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Learner:
    """What changes with each step."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    average: AveragedModel | None

    @property
    def kept(self) -> nn.Module:
        """The network that is measured and kept."""
        return self.average.module if self.average else self.network

    def restore(self, state: State) -> None:
        """Go on from *state*."""
        self.network.load_state_dict(state.network)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state.optimizer, "param_groups": groups})
        if self.average:
            self.average.module.load_state_dict(state.average)
            self.average.n_averaged.fill_(1)  # else the next update would start the average anew

    def snapshot(self, state: State) -> None:
        """Copy all tensors into *state*."""
        state.network = _copy(self.network.state_dict())
        state.average = _copy(self.average.module.state_dict()) if self.average else {}
        state.optimizer = {
            index: {name: value for name, value in one.items() if isinstance(value, Tensor)}
            for index, one in self.optimizer.state_dict()["state"].items()
        }


def fit(
    network: nn.Module,
    feed: Feed,
    train: Train,
    numerics: Numerics,
    state: State,
    after_step: Callable[[int, int], None],
    after_epoch: Callable[[State], None],
) -> State:
    """Train *network* from *state* to the last epoch; it ends with the weights of `state.best`.

    `after_step(epoch, images seen in it)` is for progress, `after_epoch(state)` for a checkpoint.
    The same inputs give the same bits on the same kind of machine, however often training was interrupted.
    Raises RunhiveError when the loss is no longer finite.
    """
    learner = Learner(network, make_optimizer(network, train), make_average(network, train))
    if state.epoch:
        learner.restore(state)
    for epoch in range(state.epoch + 1, train.epochs + 1):
        if has_stalled(state.history, train.early_stop):
            break
        torch.manual_seed(train.seed + (epoch << 32))  # dropout, mixup: functions of the epoch, so nothing to save
        began = monotonic()
        loss, accuracy = _train_epoch(learner, feed, train, epoch, numerics, after_step)
        check_loss, check_accuracy = measure(learner.kept, feed.check(), numerics)
        check_finite("check loss", check_loss, f"epoch {epoch}", train.lr)
        lr = learning_rate(epoch * feed.steps - 1, feed.steps, train)
        state.history.append(Epoch(epoch, lr, loss, accuracy, check_loss, check_accuracy, monotonic() - began))
        state.epoch = epoch
        learner.snapshot(state)
        if train.select == "last" or is_best(state.history):
            state.best, state.best_epoch = state.average or state.network, epoch
        after_epoch(state)
    network.load_state_dict(state.best)
    return state


def _train_epoch(
    learner: Learner, feed: Feed, train: Train, epoch: int, numerics: Numerics, after_step: Callable[[int, int], None]
) -> tuple[float, float]:
    """Mean loss and accuracy over the images as they were learned from."""
    learner.network.train()
    watch = LossWatch(numerics.device, epoch, feed.steps, train.lr)
    loss_sum, hits = torch.zeros((), device=numerics.device), torch.zeros((), device=numerics.device)
    seen = 0
    for step, (x, y) in enumerate(feed.train(epoch)):
        for group in learner.optimizer.param_groups:
            group["lr"] = learning_rate((epoch - 1) * feed.steps + step, feed.steps, train)
        loss, right = _take_step(learner, x, y, train, numerics)
        watch.see(loss)
        loss_sum += loss * len(y)
        hits += right
        seen += len(y)
        after_step(epoch, seen)
    watch.judge()
    return float(loss_sum) / seen, float(hits) / seen


def _take_step(learner: Learner, x: Tensor, y: Tensor, train: Train, numerics: Numerics) -> tuple[Tensor, Tensor]:
    """Learn from one batch. Returns its mean loss and how many images the network had right, on the device."""
    losses, hits = [], []
    learner.optimizer.zero_grad(set_to_none=True)
    for inputs, labels in _pieces(x, y, train):
        inputs, labels = (tensor.to(numerics.device, non_blocking=True) for tensor in (inputs, labels))
        with numerics.autocast():
            logits = learner.network(inputs).float()
        loss = functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=train.label_smoothing) / len(y)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        losses.append(loss.detach())
        hits.append((logits.detach().argmax(1) == (labels if labels.ndim == 1 else labels.argmax(1))).sum())
    if train.clip_norm:
        nn.utils.clip_grad_norm_(learner.network.parameters(), train.clip_norm)
    learner.optimizer.step()
    if learner.average:
        learner.average.update_parameters(learner.network)
    return torch.stack(losses).sum(), torch.stack(hits).sum()


def _pieces(x: Tensor, y: Tensor, train: Train) -> Iterator[Batch]:
    """Cut a batch as `train.accumulate` says. An image left over joins the last piece: batch-norm needs two."""
    size = -(-train.batch_size // train.accumulate)
    starts = list(range(0, len(y), size))
    if len(starts) > 1 and len(y) - starts[-1] == 1:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(y)], strict=True):
        yield x[start:end], y[start:end]


@torch.inference_mode()
def measure(network: nn.Module, batches: Iterable[Batch], numerics: Numerics) -> tuple[float, float]:
    """Mean loss and accuracy of *network* in evaluation mode."""
    network.eval()
    losses, hits, seen = [], [], 0
    for x, y in batches:
        x, y = x.to(numerics.device, non_blocking=True), y.to(numerics.device, non_blocking=True)
        with numerics.autocast():
            logits = network(x).float()
        losses.append(functional.cross_entropy(logits, y, reduction="sum"))
        hits.append((logits.argmax(1) == y).sum())
        seen += len(y)
    return float(torch.stack(losses).double().sum()) / seen, int(torch.stack(hits).sum()) / seen


def _copy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
