"""The training loop: batches in, an epoch's numbers out, and a state that it can go on from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from time import monotonic

import numpy as np
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
    """What the loop learns from and is measured on, as batches.

    `train(epoch, first)` gives one epoch's from step *first* on, `check()` those that the epoch is measured on.
    """

    train: Callable[[int, int], Iterable[Batch]]
    check: Callable[[], Iterable[Batch]]
    steps: int


@dataclass
class State:
    """All that training needs to go on, after `epoch` whole epochs and `step` steps of the next one.

    `best` holds the weights of the epoch to keep; `average` is the moving average of the weights, empty where there is
    none. `running` holds loss sum, hits and images of each step (steps, 3) in the epoch under way, which took `seconds`
    so far. What is drawn by chance is a function of seed, epoch, step and image, so no generator is in it.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    network: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[int, dict[str, Tensor]] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)
    running: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Watch:
    """What to call while training goes on.

    `after_step(epoch, images seen in it)` is for progress; epoch 0 is the computing of features. `keep(state)` takes a
    checkpoint: after each epoch, every `train.checkpoint_steps` steps, and after the step in which `stopping` says yes.
    """

    after_step: Callable[[int, int], None] = lambda epoch, seen: None
    keep: Callable[[State], None] = lambda state: None
    stopping: Callable[[], bool] = lambda: False


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


@dataclass(frozen=True)
class Training:
    """One training: what learns, from what, how, and who watches; `state` is what was reached when it was last kept."""

    learner: Learner
    feed: Feed
    train: Train
    numerics: Numerics
    state: State
    watch: Watch


def fit(network: nn.Module, feed: Feed, train: Train, numerics: Numerics, state: State, watch: Watch) -> State:
    """Train *network* from *state* to the last epoch; it ends with the weights of `state.best`.

    The same inputs give the same bits on the same kind of machine, however often training was interrupted.
    Raises RunhiveError when the loss is no longer finite.
    """
    learner = Learner(network, make_optimizer(network, train), make_average(network, train))
    if state.network:
        learner.restore(state)
    training = Training(learner, feed, train, numerics, state, watch)
    while state.epoch < train.epochs and not has_stalled(state.history, train.early_stop):
        _run_epoch(training)
    network.load_state_dict(state.best)
    return state


def _run_epoch(training: Training) -> None:
    """Learn from the rest of the epoch under way, measure it and add it to the history."""
    feed, train, state = training.feed, training.train, training.state
    epoch, began = state.epoch + 1, monotonic() - state.seconds
    running = torch.zeros(feed.steps, 3, dtype=torch.float64, device=training.numerics.device)
    if state.running:
        running.copy_(state.running["steps"])

    def keep(step: int) -> None:
        training.learner.snapshot(state)
        state.step, state.seconds, state.running = step, monotonic() - began, {"steps": running.cpu()}
        if train.select == "last":
            state.best = {}  # of the epoch before, which nobody will ask for
        training.watch.keep(state)

    _train_epoch(training, running, keep)
    loss_sum, hits, seen = running.sum(0).tolist()
    check_loss, check_accuracy = measure(training.learner.kept, _checked(training, keep), training.numerics)
    check_finite("check loss", check_loss, f"epoch {epoch}", train.lr)
    lr = learning_rate(epoch * feed.steps - 1, feed.steps, train)
    seconds = monotonic() - began
    state.history.append(Epoch(epoch, lr, loss_sum / seen, hits / seen, check_loss, check_accuracy, seconds))
    training.learner.snapshot(state)
    state.epoch, state.step, state.seconds, state.running = epoch, 0, 0.0, {}
    if train.select == "last" or is_best(state.history):
        state.best, state.best_epoch = state.average or state.network, epoch
    training.watch.keep(state)


def _train_epoch(training: Training, running: Tensor, keep: Callable[[int], None]) -> None:
    """Take the epoch's steps that are left, and note loss sum, hits and images of each in *running*."""
    learner, train, state, steps = training.learner, training.train, training.state, training.feed.steps
    epoch = state.epoch + 1
    learner.network.train()
    losses = LossWatch(training.numerics.device, epoch, steps, state.step, train.lr)
    for step, (x, y) in _seeded(training.feed.train(epoch, state.step), train.seed, epoch, state.step):
        number = (epoch - 1) * steps + step  # over all epochs
        for group in learner.optimizer.param_groups:
            group["lr"] = learning_rate(number, steps, train)
        loss, right = _take_step(learner, x, y, train, training.numerics)
        losses.see(loss)
        running[step, 0], running[step, 1], running[step, 2] = loss * len(y), right, len(y)
        training.watch.after_step(epoch, step * train.batch_size + len(y))
        due = train.checkpoint_steps and (number + 1) % train.checkpoint_steps == 0 and step + 1 < steps
        if due or training.watch.stopping():
            losses.judge()
            keep(step + 1)
    losses.judge()


def _seeded(batches: Iterable[Batch], seed: int, epoch: int, first: int) -> Iterator[tuple[int, Batch]]:
    """Number *batches* from *first* on; what is drawn for each, as for MixUp and dropout, is a function of its step."""
    source = iter(batches)
    for step in count(first):
        (state,) = np.random.SeedSequence([seed, epoch, step]).generate_state(1, np.uint64)
        torch.manual_seed(int(state))
        if (batch := next(source, None)) is None:
            return
        yield step, batch


def _checked(training: Training, keep: Callable[[int], None]) -> Iterator[Batch]:
    """The batches that the epoch is measured on; where training is to stop among them, its steps are kept."""
    for batch in training.feed.check():
        yield batch
        if training.watch.stopping():
            keep(training.feed.steps)


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
