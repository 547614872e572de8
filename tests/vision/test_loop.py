"""Training: it learns, it is a function of its inputs however often it is interrupted, and it keeps the right epoch."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import count
from math import exp, log, nan
from pathlib import Path

import pytest
import torch
from small import params
from torch import Tensor, nn

from runhive.errors import RunhiveError
from runhive.params import Model, Train
from runhive.stages.checkpoint import load_checkpoint, save_checkpoint
from runhive.vision.augment import Labelled
from runhive.vision.device import Numerics
from runhive.vision.lesson import Lesson
from runhive.vision.loop import Batch, Feed, State, Watch, fit
from runhive.vision.optimize import learning_rate
from runhive.vision.train import _mixed, learn, make_classifier

CPU = Numerics(torch.device("cpu"), "fp32", "channels_last")
MOMENTUM = "{name: sgd, momentum: 0.9, weight_decay: 0.01}"
PLAIN = "{name: sgd, momentum: 0.0, weight_decay: 0.0}"
ADAMW = "{name: adamw, weight_decay: 0.01}"
Weights = dict[str, Tensor]


class Stopped(Exception):
    """The power went out."""


def trained(
    lesson: Lesson, state: State | None = None, after_epoch: Callable[[State], None] = lambda state: None
) -> tuple[Weights, State]:
    """The weights at the end, and the state."""
    classifier = make_classifier(lesson.model, 2, lesson.train.seed)
    state = learn(classifier, lesson, CPU, state or State(), Watch(lambda epoch, seen: None, after_epoch))
    return {name: tensor.clone() for name, tensor in classifier.state_dict().items()}, state


def equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def train_of(*changes: str) -> Train:
    return params("train.mode=finetune", *changes).train


def rates(steps_per_epoch: int, *changes: str) -> list[float]:
    train = train_of("train.lr=1", *changes)
    return [learning_rate(step, steps_per_epoch, train) for step in range(train.epochs * steps_per_epoch)]


def test_a_few_drawn_images_are_learned_by_heart(own: str, drawn: Labelled) -> None:
    found = params(
        f"model.arch={own}", "train.mode=finetune", "train.epochs=12",
        "train.optimizer={name: adamw, weight_decay: 0.0}",
    )  # fmt: skip
    _, state = trained(Lesson(found.model, found.train, drawn, drawn))

    assert state.history[-1].check_accuracy == 1
    assert state.history[-1].train_loss < state.history[0].train_loss
    assert [epoch.epoch for epoch in state.history] == list(range(1, 13))


def test_the_head_alone_learns_the_drawn_images_on_frozen_features(drawn: Labelled) -> None:
    found = params("model.arch=efficientnet_lite0", "model.weights=imagenet", "train.epochs=10", "train.lr=0.05")
    before = make_classifier(found.model, 2, found.train.seed).state_dict()
    after, state = trained(Lesson(found.model, found.train, drawn, drawn))
    changed = [name for name in before if not torch.equal(before[name], after[name])]

    assert state.history[-1].check_accuracy == 1
    assert changed == ["backbone.classifier.weight", "backbone.classifier.bias"]


def test_the_step_schedule_decays_every_few_epochs() -> None:
    found = rates(2, "train.epochs=5", "train.schedule={name: step, every: 2, factor: 0.1}")

    assert found == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_the_constant_schedule_is_constant_after_the_warm_up() -> None:
    found = rates(2, "train.epochs=3", "train.schedule={name: constant}", "train.warmup_epochs=2")

    assert found == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_the_cosine_schedule_falls_to_nothing_along_half_a_wave() -> None:
    found = rates(2, "train.epochs=2", "train.schedule={name: cosine}")

    assert found == pytest.approx([1, 0.8535534, 0.5, 0.1464466])


def test_the_cosine_schedule_begins_after_the_warm_up() -> None:
    found = rates(2, "train.epochs=2", "train.schedule={name: cosine}", "train.warmup_epochs=1")

    assert found == pytest.approx([0.5, 1, 1, 0.5])


def test_the_same_inputs_give_the_same_bits(recipe: tuple[Model, Train], drawn: Labelled) -> None:
    lesson = Lesson(*recipe, drawn, drawn)

    assert equal(trained(lesson)[0], trained(lesson)[0])


def test_another_seed_gives_other_weights(own: str, recipe: tuple[Model, Train], drawn: Labelled) -> None:
    other = params(f"model.arch={own}", "train.mode=finetune", "train.epochs=4", "train.lr=0.05", "train.seed=1")

    assert not equal(
        trained(Lesson(*recipe, drawn, drawn))[0], trained(Lesson(other.model, other.train, drawn, drawn))[0]
    )


@pytest.mark.parametrize("mode", ["finetune", "frozen"])
@pytest.mark.parametrize("optimizer", [MOMENTUM, PLAIN, ADAMW], ids=["momentum", "plain", "adamw"])
@pytest.mark.parametrize("select", ["val", "last"])
def test_training_that_was_stopped_goes_on_to_the_same_bits(
    mode: str, optimizer: str, select: str, own: str, drawn: Labelled, tmp_path: Path
) -> None:
    found = params(
        f"model.arch={own}", f"train.mode={mode}", "train.epochs=4", f"train.optimizer={optimizer}", "train.views=3",
        f"train.select={select}", "train.warmup_epochs=1",
    )  # fmt: skip
    lesson = Lesson(found.model, found.train, drawn, drawn)
    whole, state = trained(lesson)

    def stop_after_two(state: State) -> None:
        save_checkpoint(tmp_path, state)
        if state.epoch == 2:
            raise Stopped

    with pytest.raises(Stopped):
        trained(lesson, None, stop_after_two)
    resumed, again = trained(lesson, load_checkpoint(tmp_path))

    assert equal(resumed, whole)
    assert again.best_epoch == state.best_epoch
    assert [(e.epoch, e.lr, e.train_loss, e.check_loss) for e in again.history] == [
        (e.epoch, e.lr, e.train_loss, e.check_loss) for e in state.history
    ]


RECIPES = {
    "average": ("train.ema=0.9", "train.select=val"),
    "early stop": ("train.early_stop={patience: 1, watch: loss}", "train.select=val", "train.lr=0.5", "train.epochs=9"),
    "pieces": ("train.accumulate=2", "train.clip_norm=0.1", "train.label_smoothing=0.1"),
    "mixup": ("train.augment={min_scale: 0.3, flip: true, policy: randaugment, mixup: 0.4}",),
    "trivial": ("train.augment={min_scale: 0.3, flip: true, policy: trivialaugment, mixup: 0.0}", "train.ema=0.5"),
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_recipe_that_was_stopped_goes_on_to_the_same_bits(
    name: str, precision: str, own: str, drawn: Labelled, tmp_path: Path
) -> None:
    found = params(f"model.arch={own}", "train.mode=finetune", "train.epochs=4", *RECIPES[name])
    lesson = Lesson(found.model, found.train, drawn, drawn)
    numerics = Numerics(torch.device("cpu"), precision, "channels_last")

    def learned(state: State, after_epoch: Callable[[State], None]) -> tuple[Weights, State]:
        classifier = make_classifier(lesson.model, 2, 0)
        end = learn(classifier, lesson, numerics, state, Watch(lambda epoch, seen: None, after_epoch))
        return classifier.state_dict(), end

    def stop_after_two(state: State) -> None:
        save_checkpoint(tmp_path, state)
        if state.epoch == 2:
            raise Stopped

    whole, state = learned(State(), lambda state: None)
    with pytest.raises(Stopped):
        learned(State(), stop_after_two)
    resumed, again = learned(load_checkpoint(tmp_path), lambda state: None)

    assert equal(resumed, whole)
    assert (again.epoch, again.best_epoch) == (state.epoch, state.best_epoch)
    assert [epoch.train_loss for epoch in again.history] == [epoch.train_loss for epoch in state.history]


def power_cut(folder: Path, after: int) -> Watch:
    """Save every checkpoint in *folder*; the power goes out after step *after*, counted over all epochs."""
    steps: list[int] = []

    def count(epoch: int, seen: int) -> None:
        if epoch:
            steps.append(seen)
        if len(steps) == after + 1:
            raise Stopped

    return Watch(count, lambda state: save_checkpoint(folder, state))


@pytest.mark.parametrize("mode", ["finetune", "frozen"])
@pytest.mark.parametrize("after", [1, 3, 4, 5, 7, 8])
def test_training_that_was_cut_off_within_an_epoch_goes_on_from_its_step_to_the_same_bits(
    mode: str, after: int, own: str, drawn: Labelled, tmp_path: Path
) -> None:
    """Three steps an epoch, a checkpoint every second step and after each epoch; dropout, MixUp and an average."""
    mixup = 0.4 if mode == "finetune" else 0.0
    found = params(
        f"model.arch={own}", f"train.mode={mode}", "train.epochs=3", "train.select=val", "train.checkpoint_steps=2",
        f"train.optimizer={ADAMW}", "train.ema=0.9", "train.views=2", "train.warmup_epochs=1",
        f"train.augment={{min_scale: 0.3, flip: true, policy: randaugment, mixup: {mixup}}}",
    )  # fmt: skip
    lesson = Lesson(found.model, found.train, drawn, drawn)
    whole, state = trained(lesson)
    with pytest.raises(Stopped):
        learn(make_classifier(lesson.model, 2, 0), lesson, CPU, State(), power_cut(tmp_path, after))
    reached = load_checkpoint(tmp_path)
    resumed, again = trained(lesson, deepcopy(reached))

    assert 0 <= after - (3 * reached.epoch + reached.step) <= 1, "a step that was kept is taken again"
    assert equal(resumed, whole)
    assert [replace(epoch, seconds=0) for epoch in again.history] == [replace(e, seconds=0) for e in state.history]


@pytest.mark.parametrize("asked_at", [1, 2, 3, 4], ids=["first step", "second step", "last step", "while measured"])
def test_training_that_is_asked_to_stop_keeps_its_step_and_goes_on_from_it_to_the_same_bits(
    asked_at: int, recipe: tuple[Model, Train], drawn: Labelled, tmp_path: Path
) -> None:
    lesson, asked = Lesson(*recipe, drawn, drawn), count(1)
    whole, _ = trained(lesson)

    def keep(state: State) -> None:
        save_checkpoint(tmp_path, state)
        raise Stopped

    with pytest.raises(Stopped):
        learn(
            make_classifier(lesson.model, 2, 0), lesson, CPU, State(),
            Watch(keep=keep, stopping=lambda: next(asked) == asked_at),
        )  # fmt: skip
    reached = load_checkpoint(tmp_path)

    assert (reached.epoch, reached.step) == (0, min(asked_at, 3))
    assert equal(trained(lesson, reached)[0], whole)


def test_a_loss_that_is_lost_is_never_in_a_checkpoint() -> None:
    good, bad = torch.zeros(2, 3), torch.full((2, 3), nan)
    feed = Feed(
        lambda epoch, first: [(x, torch.tensor([0, 1])) for x in (good, bad, good)][first:], lambda: [], [2] * 3
    )
    kept: list[int] = []
    with pytest.raises(RunhiveError, match="the loss is nan in epoch 1, step 2 of 3: "):
        fit(
            nn.Linear(3, 2), feed, train_of("train.checkpoint_steps=1"), CPU, State(),
            Watch(keep=lambda state: kept.append(state.step)),
        )  # fmt: skip

    assert kept == [1]


def test_training_that_had_ended_gives_its_weights_again(recipe: tuple[Model, Train], drawn: Labelled) -> None:
    lesson = Lesson(*recipe, drawn, drawn)
    whole, state = trained(lesson)

    assert equal(trained(lesson, deepcopy(state))[0], whole)


class Line(nn.Module):
    """Logits (w, 0): for w > 0 it says class 0."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.w.expand(len(x)), torch.zeros(len(x))], dim=1)


def line_feed(lessons: list[int], check: int) -> Feed:
    """Epoch e teaches class `lessons[e - 1]`, and is measured on class *check*."""
    x = torch.zeros(2, 1)

    def batch(label: int) -> list[Batch]:
        return [(x, torch.full((2,), label))]

    return Feed(lambda epoch, first: batch(lessons[epoch - 1]), lambda: batch(check), sizes=[2])


@pytest.mark.parametrize(("select", "kept"), [("val", 2), ("holdout", 2), ("last", 4)])
def test_the_epoch_that_is_kept_is_the_best_or_the_last(select: str, kept: int) -> None:
    """Class 0 is taught twice, then class 1 twice: on class 0 the second epoch has the least loss."""
    network, seen = Line(), []
    train = train_of(
        "train.epochs=4", "train.lr=0.1", f"train.select={select}", "train.schedule={name: constant}",
        f"train.optimizer={PLAIN}",
    )  # fmt: skip
    state = fit(
        network, line_feed([0, 0, 1, 1], 0), train, CPU, State(),
        Watch(keep=lambda state: seen.append(float(state.network["w"]))),
    )  # fmt: skip

    assert state.best_epoch == kept
    assert float(network.w.detach()) == seen[kept - 1]
    assert [epoch.check_accuracy for epoch in state.history] == [1, 1, 1, 1]


def line_fit(feed: Feed, *changes: str) -> tuple[Line, State]:
    """Fit a line by plain gradient descent at rate 0.1."""
    network = Line()
    constant = ("train.lr=0.1", "train.schedule={name: constant}", f"train.optimizer={PLAIN}")
    state = fit(network, feed, train_of(*constant, *changes), CPU, State(), Watch())
    return network, state


def test_the_average_of_the_weights_is_what_is_measured_and_kept() -> None:
    plain, _ = line_fit(line_feed([0, 0, 0], 0), "train.epochs=3", "train.select=last")
    steps = [
        float(line_fit(line_feed([0] * n, 0), f"train.epochs={n}", "train.select=last")[0].w.detach())
        for n in (1, 2, 3)
    ]
    kept, state = line_fit(line_feed([0, 0, 0], 0), "train.epochs=3", "train.select=last", "train.ema=0.9")
    average = steps[0]
    for weight in steps[1:]:
        average = 0.9 * average + 0.1 * weight

    assert float(kept.w.detach()) == pytest.approx(average, rel=1e-6)
    assert float(state.network["w"]) == float(plain.w.detach())
    assert state.history[-1].check_loss == pytest.approx(log(1 + exp(-average)), rel=1e-5)


@pytest.mark.parametrize(
    ("patience", "watch", "trained"), [(0, "loss", 6), (1, "loss", 3), (2, "loss", 4), (1, "accuracy", 2)]
)
def test_training_stops_after_epochs_without_a_better_check_value(patience: int, watch: str, trained: int) -> None:
    """Class 0 is taught twice, then class 1: the loss on class 0 is least after epoch 2, its accuracy never better."""
    _, state = line_fit(
        line_feed([0, 0, 1, 1, 1, 1], 0), "train.epochs=6", "train.select=val",
        f"train.early_stop={{patience: {patience}, watch: {watch}}}",
    )  # fmt: skip

    assert state.epoch == len(state.history) == trained


def test_a_batch_in_pieces_takes_the_step_of_the_whole() -> None:
    x, y = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 0, 0, 1, 1])

    def weights(*changes: str) -> Tensor:
        torch.manual_seed(0)
        network = nn.Linear(3, 2)
        feed = Feed(lambda epoch, first: [(x, y)], lambda: [(x, y)], [6])
        train = train_of("train.epochs=2", "train.batch_size=6", *changes)
        fit(network, feed, train, CPU, State(), Watch())
        return network.weight.detach()

    assert torch.allclose(weights("train.accumulate=3"), weights(), atol=1e-7)
    assert torch.allclose(weights("train.accumulate=2"), weights(), atol=1e-7)


@pytest.mark.parametrize("name", ["sgd, momentum: 0.0", "adamw"])
def test_weight_decay_pulls_the_weights_to_zero(name: str) -> None:
    plain, decayed = (
        line_fit(line_feed([0], 0), "train.epochs=1", f"train.optimizer={{name: {name}, weight_decay: {decay}}}")[0]
        for decay in ("0.0", "0.5")
    )

    assert float(plain.w.detach() - decayed.w.detach()) == pytest.approx(0.1 * 0.5 * 0.5, rel=1e-4)


def test_mixup_blends_each_image_with_its_neighbour_and_the_labels_in_the_same_share() -> None:
    torch.manual_seed(0)
    pixels, labels = torch.randint(256, (4, 3, 2, 2), dtype=torch.uint8), torch.tensor([0, 1, 2, 1])
    ((blended, shares),) = _mixed([(pixels, labels)], 0.4, 3)
    share = float(shares[0, 0])

    assert 0 < share < 1
    torch.testing.assert_close(blended, share * pixels.float() + (1 - share) * pixels.float().roll(1, 0))
    one_hot = torch.eye(3)[labels]
    torch.testing.assert_close(shares, share * one_hot + (1 - share) * one_hot.roll(1, 0))


def test_a_gradient_is_shortened_to_the_norm() -> None:
    """The first step moves by the rate times the norm."""
    network, _ = line_fit(line_feed([0], 0), "train.epochs=1", "train.clip_norm=0.01")

    assert float(network.w.detach()) == pytest.approx(0.5 + 0.1 * 0.01, rel=1e-4)


def test_label_smoothing_is_in_the_training_loss_and_not_in_the_check() -> None:
    _, state = line_fit(line_feed([0], 0), "train.epochs=1", "train.label_smoothing=0.2")
    right, wrong = log(1 + exp(-0.5)), log(1 + exp(0.5))

    assert state.history[0].train_loss == pytest.approx(0.9 * right + 0.1 * wrong, rel=1e-5)
    assert state.history[0].check_loss < right


def test_a_loss_that_is_lost_in_the_middle_of_an_epoch_is_told_with_its_step() -> None:
    good, bad = torch.zeros(2, 3), torch.full((2, 3), nan)
    batches = [(x, torch.tensor([0, 1])) for x in (good, bad, good, good)]
    seen: list[int] = []
    with pytest.raises(RunhiveError, match="the loss is nan in epoch 1, step 2 of 4: "):
        fit(
            nn.Linear(3, 2), Feed(lambda epoch, first: batches, lambda: batches[:1], [2] * 4),
            train_of(), CPU, State(), Watch(after_step=lambda epoch, images: seen.append(images)),
        )  # fmt: skip

    assert seen == [2, 4], "it went on for more than a step"


def test_of_equal_epochs_the_first_is_kept() -> None:
    network = Line()
    network.w.data.fill_(200.0)  # so sure that nothing is learned any more
    feed = line_feed([0, 0, 0], 0)
    train = train_of("train.epochs=3", "train.select=val", f"train.optimizer={PLAIN}")
    state = fit(network, feed, train, CPU, State(), Watch())

    assert state.best_epoch == 1


@pytest.mark.parametrize("select", ["val", "last"])
def test_a_poisoned_batch_ends_training_with_one_line(select: str) -> None:
    feed = Feed(lambda epoch, first: [(torch.full((2, 3), nan), torch.tensor([0, 1]))],
                lambda: [(torch.zeros(2, 3), torch.tensor([0, 1]))], [2])  # fmt: skip
    kept: list[int] = []
    with pytest.raises(RunhiveError) as raised:
        fit(
            nn.Linear(3, 2), feed, train_of(f"train.select={select}"), CPU, State(),
            Watch(keep=lambda state: kept.append(state.epoch)),
        )  # fmt: skip

    assert str(raised.value) == (
        "the loss is nan in epoch 1, step 1 of 1: lower train.lr, now 0.01, and run `dvc repro`; "
        "the checkpoints from before stay"
    )
    assert kept == []


def test_a_rate_that_breaks_the_network_in_its_last_step_is_noticed() -> None:
    """The loss of the only step is finite; the weights after it are not."""
    inputs = torch.full((2, 3), 3e37)
    feed = Feed(
        lambda epoch, first: [(inputs / 1e20, torch.tensor([0, 1]))], lambda: [(inputs, torch.tensor([0, 1]))], [2]
    )
    with pytest.raises(RunhiveError, match=r"^the check loss is nan in epoch 1: lower train.lr, now 100.0"):
        fit(
            nn.Linear(3, 2, bias=False), feed, train_of("train.epochs=1", "train.lr=100"), CPU, State(),
            Watch(),
        )  # fmt: skip


def test_frozen_refuses_a_head_that_is_no_linear_layer(drawn: Labelled) -> None:
    found = params("model.arch=squeezenet1_1", "train.mode=frozen", "train.epochs=1")

    with pytest.raises(RunhiveError, match="squeezenet1_1 ends in Conv2d, not Linear: use finetune"):
        trained(Lesson(found.model, found.train, drawn, drawn))


def test_frozen_computes_no_more_views_than_there_are_epochs(own: str, drawn: Labelled) -> None:
    found = params(f"model.arch={own}", "train.mode=frozen", "train.epochs=2", "train.views=9")
    classifier = make_classifier(found.model, 2, 0)
    seen: list[tuple[int, int]] = []
    learn(
        classifier, Lesson(found.model, found.train, drawn, drawn), CPU, State(),
        Watch(lambda epoch, images: seen.append((epoch, images)), lambda state: None),
    )  # fmt: skip

    assert [images for epoch, images in seen if epoch == 0] == [8, 10, 8, 10, 8, 10]
    assert [images for epoch, images in seen if epoch == 2] == [4, 8, 10]
