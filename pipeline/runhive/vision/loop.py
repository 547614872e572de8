"""The training loop: batches in, an epoch's numbers out, and a state that it can go on from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
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
from runhive.vision.world import World, without_sum

Batch = tuple[Tensor, Tensor]  # on the CPU: inputs (n, ...); labels (n,), or their shares (n, classes)


@dataclass(frozen=True)
class Feed:
    """What the loop learns from and is measured on, as batches.

    `train(epoch, first)` gives one epoch's from step *first* on, `check()` those that the epoch is measured on: of each
    batch, or of the batches, this process's share. `sizes` are the images of each step and `checks` the number of
    batches that are measured, over all processes.
    """

    train: Callable[[int, int], Iterable[Batch]]
    check: Callable[[], Iterable[Batch]]
    sizes: Sequence[int]
    checks: int = 1

    @property
    def steps(self) -> int:
        """Steps of the optimizer in an epoch."""
        return len(self.sizes)


@dataclass
class State:
    """All that training needs to go on, after `epoch` whole epochs and `step` steps of the next one.

    `best` holds the weights of the epoch to keep; `average` is the moving average of the weights, empty where there is
    none. `running` holds the loss sum and hits of each step (steps, 2) in the epoch under way, which took `seconds` so
    far. What is drawn by chance is a function of seed, epoch, step and image, so no generator is in it.
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
    """What changes with each step. `joined` is the network as training calls it: with the other processes'."""

    network: nn.Module
    joined: nn.Module
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
    if not is_over(state, train):
        joined = numerics.world.joined(network)
        learner = Learner(network, joined, make_optimizer(network, train), make_average(network, train))
        if state.network:
            learner.restore(state)
        training = Training(learner, feed, train, numerics, state, watch)
        while not is_over(state, train):
            _run_epoch(training)
    network.load_state_dict(state.best)
    return state


def is_over(state: State, train: Train) -> bool:
    """Is there nothing left to train?"""
    return state.epoch >= train.epochs or has_stalled(state.history, train.early_stop)


def _run_epoch(training: Training) -> None:
    """Learn from the rest of the epoch under way, measure it and add it to the history."""
    feed, train, state, world = training.feed, training.train, training.state, training.numerics.world
    epoch, began = state.epoch + 1, monotonic() - state.seconds
    running = torch.zeros(feed.steps, 2, dtype=torch.float64, device=training.numerics.device)
    if state.running and world.rank == 0:
        running.copy_(state.running["steps"])

    def keep(step: int) -> None:
        _snapshot(training)
        state.step, state.seconds, state.running = step, monotonic() - began, {"steps": world.summed(running).cpu()}
        if train.select == "last":
            state.best = {}  # of the epoch before, which nobody will ask for
        training.watch.keep(state)

    _train_epoch(training, running, keep)
    loss_sum, hits = world.summed(running).sum(0).tolist()
    check_loss, check_accuracy = _measure(training, keep)
    check_finite("check loss", check_loss, f"epoch {epoch}", train.lr)
    lr, images = learning_rate(epoch * feed.steps - 1, feed.steps, train), sum(feed.sizes)
    seconds = monotonic() - began
    state.history.append(Epoch(epoch, lr, loss_sum / images, hits / images, check_loss, check_accuracy, seconds))
    _snapshot(training)
    state.epoch, state.step, state.seconds, state.running = epoch, 0, 0.0, {}
    if train.select == "last" or is_best(state.history):
        state.best, state.best_epoch = state.average or state.network, epoch
    training.watch.keep(state)


def _train_epoch(training: Training, running: Tensor, keep: Callable[[int], None]) -> None:
    """Take the epoch's steps that are left, and note in *running* what this process saw of each."""
    learner, train, state, sizes = training.learner, training.train, training.state, training.feed.sizes
    epoch, steps, world = state.epoch + 1, len(sizes), training.numerics.world
    learner.joined.train()
    losses = LossWatch(training.numerics.device, epoch, steps, state.step, train.lr)
    seen = sum(sizes[: state.step])
    for step, batch in _seeded(training.feed.train(epoch, state.step), state.step, (train.seed, epoch), world):
        number = (epoch - 1) * steps + step  # over all epochs
        for group in learner.optimizer.param_groups:
            group["lr"] = learning_rate(number, steps, train)
        loss, right = _take_step(learner, batch, sizes[step], train, training.numerics)
        losses.see(loss)
        running[step, 0], running[step, 1] = loss * sizes[step], right
        training.watch.after_step(epoch, seen := seen + sizes[step])
        due = train.checkpoint_steps and (number + 1) % train.checkpoint_steps == 0 and step + 1 < steps
        if world.agreed(training.watch.stopping()) or due:
            losses.judge()
            keep(step + 1)
    losses.judge()


def _seeded(batches: Iterable[Batch], first: int, key: tuple[int, int], world: World) -> Iterator[tuple[int, Batch]]:
    """Number *batches* from *first* on; what is drawn for each, as for MixUp and dropout, follows from *key* and step.

    Each process draws its own.
    """
    source = iter(batches)
    for step in count(first):
        (seed,) = np.random.SeedSequence([*key, step, world.rank]).generate_state(1, np.uint64)
        torch.manual_seed(int(seed))
        if (batch := next(source, None)) is None:
            return
        yield step, batch


def _snapshot(training: Training) -> None:
    """Copy what was learned into the state, the same in every process."""
    learner, world = training.learner, training.numerics.world
    world.align(learner.network)
    if learner.average:
        world.align(learner.average.module)
    learner.snapshot(training.state)


def _take_step(learner: Learner, batch: Batch, size: int, train: Train, numerics: Numerics) -> tuple[Tensor, Tensor]:
    """Learn from one batch, of whose *size* images this process has a share.

    Returns the share's part of the mean loss, and how many of its images the network had right, on the device.
    """
    losses, hits = [], []
    learner.optimizer.zero_grad(set_to_none=True)
    pieces = list(_pieces(*batch, train, numerics.world))
    for number, piece in enumerate(pieces, start=1):
        inputs, labels = (tensor.to(numerics.device, non_blocking=True) for tensor in piece)
        with nullcontext() if number == len(pieces) else without_sum(learner.joined):
            with numerics.autocast():
                logits = _full(learner.joined(inputs))
            loss_sum = functional.cross_entropy(logits, labels, reduction="sum", label_smoothing=train.label_smoothing)
            loss = loss_sum / size
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        losses.append(loss.detach())
        hits.append((logits.detach().argmax(1) == (labels if labels.ndim == 1 else labels.argmax(1))).sum())
    if train.clip_norm:
        nn.utils.clip_grad_norm_(learner.network.parameters(), train.clip_norm)
    learner.optimizer.step()
    if learner.average:
        learner.average.update_parameters(learner.network)
    return torch.stack(losses).sum(), torch.stack(hits).sum()


def _pieces(x: Tensor, y: Tensor, train: Train, world: World) -> Iterator[Batch]:
    """Cut a share as `train.accumulate` says. An image left over joins the last piece: batch-norm needs two."""
    size = -(-train.batch_size // (world.size * train.accumulate))
    starts = list(range(0, len(y), size))
    if len(starts) > 1 and len(y) - starts[-1] == 1:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(y)], strict=True):
        yield x[start:end], y[start:end]


def _measure(training: Training, keep: Callable[[int], None]) -> tuple[float, float]:
    """Mean loss and accuracy of the network that is kept; the same numbers, however many processes share the batches.

    Where training is to stop meanwhile, the epoch's steps are kept.
    """
    feed, world, network = training.feed, training.numerics.world, training.learner.kept
    world.align(network)
    network.eval()
    found = torch.zeros(feed.checks, 3, dtype=torch.float64, device=training.numerics.device)
    batches = iter(feed.check())
    for first in range(0, feed.checks, world.size):
        if (index := first + world.rank) < feed.checks:
            found[index] = _score(network, *next(batches), training.numerics)
        if world.agreed(training.watch.stopping()):
            keep(feed.steps)
    loss_sum, hits, images = world.summed(found).sum(0).tolist()
    return loss_sum / images, hits / images


@torch.inference_mode()
def _score(network: nn.Module, x: Tensor, y: Tensor, numerics: Numerics) -> Tensor:
    """Loss sum, hits and images of a batch, on the device."""
    x, y = x.to(numerics.device, non_blocking=True), y.to(numerics.device, non_blocking=True)
    with numerics.autocast():
        logits = _full(network(x))
    loss_sum = functional.cross_entropy(logits, y, reduction="sum").double()
    return torch.stack([loss_sum, (logits.argmax(1) == y).sum(), loss_sum.new_tensor(len(y))])


def _copy(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}


def _full(logits: Tensor) -> Tensor:
    """*logits* in float32 where they came in bf16."""
    return logits.float() if logits.dtype == torch.bfloat16 else logits
