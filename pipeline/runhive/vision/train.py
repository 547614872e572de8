"""Transfer learning: a whole network, or only its head on features that are computed once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from runhive.errors import RunhiveError
from runhive.formats.model_card import Preprocess
from runhive.params import Model, Train
from runhive.preprocess import input_batches
from runhive.vision.augment import augmented_batches, epoch_order, split_into_batches
from runhive.vision.loop import Batch, Feed, State, fit
from runhive.vision.model import Classifier, build_backbone, head_name, load_pretrained, normalisation

MEASURE_BATCH = 32


@dataclass(frozen=True)
class Labelled:
    """Image files and their labels, as indices into the classes."""

    paths: Sequence[Path]
    labels: Sequence[int]


@dataclass(frozen=True)
class Lesson:
    """What is learned, how, from which images, and on which it is measured after each epoch."""

    model: Model
    train: Train
    images: Labelled
    check: Labelled


@dataclass(frozen=True)
class Watch:
    """What to call while training goes on; see `loop.fit`."""

    after_step: Callable[[int, int], None]
    after_epoch: Callable[[State], None]


def make_classifier(model: Model, num_classes: int, seed: int) -> Classifier:
    """The classifier before it learned anything: a function of its arguments."""
    torch.manual_seed(seed)
    backbone = build_backbone(model.arch, num_classes)
    if model.weights == "imagenet":
        load_pretrained(backbone, model.arch)
    elif ":" not in model.arch:
        head_name(model.arch)  # refuses those with auxiliary heads, which give no tensor in training
    return Classifier(backbone, *normalisation(model.arch))


def preprocess_of(model: Model) -> Preprocess:
    """How an image becomes the input of *model*."""
    mean, std = normalisation(model.arch)
    return Preprocess(image_size=model.image_size, resize_size=model.resize_size, mean=mean, std=std)


def learn(classifier: Classifier, lesson: Lesson, device: torch.device, state: State, watch: Watch) -> State:
    """Train *classifier* in place, from *state* on."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    classifier.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch lacks this one
    learn_all = _learn_head if lesson.train.mode == "frozen" else _learn_everything
    return learn_all(classifier, lesson, device, state, watch)


def _learn_everything(
    classifier: Classifier, lesson: Lesson, device: torch.device, state: State, watch: Watch
) -> State:
    model, train, images, check = lesson.model, lesson.train, lesson.images, lesson.check
    preprocess = preprocess_of(model)

    def train_batches(epoch: int) -> Iterator[Batch]:
        order = epoch_order(train.seed, epoch, len(images.paths))
        batches = split_into_batches(order, train.batch_size)
        pixels = augmented_batches(images.paths, batches, model.image_size, train.augment, train.seed, epoch)
        return _with_labels(map(torch.from_numpy, pixels), [images.labels[index] for index in order])

    def check_batches() -> Iterator[Batch]:
        return _with_labels(map(torch.from_numpy, input_batches(check.paths, preprocess, MEASURE_BATCH)), check.labels)

    feed = Feed(train_batches, check_batches, steps=_steps(lesson))
    return fit(classifier, feed, train, device, state, watch.after_step, watch.after_epoch)


def _learn_head(classifier: Classifier, lesson: Lesson, device: torch.device, state: State, watch: Watch) -> State:
    """Epoch e learns from view e mod `views`; features are those of the network in evaluation mode, batch-norm too."""
    model, train, images, check = lesson.model, lesson.train, lesson.images, lesson.check
    head = classifier.backbone.get_submodule(head_name(model.arch))
    if not isinstance(head, nn.Linear):
        raise RunhiveError(
            f"params.yaml: train.mode: {model.arch} ends in {type(head).__name__}, not Linear: use finetune"
        )
    n = len(images.paths)
    in_order = split_into_batches(np.arange(n), MEASURE_BATCH)
    views = []
    for view in range(min(train.views, train.epochs)):
        pixels = augmented_batches(images.paths, in_order, model.image_size, train.augment, train.seed, view)
        views.append(_features(classifier, head, map(torch.from_numpy, pixels), device))
        watch.after_step(0, (view + 1) * n)
    check_features = _features(
        classifier, head, map(torch.from_numpy, input_batches(check.paths, preprocess_of(model), MEASURE_BATCH)), device
    )
    labels = torch.tensor(images.labels)

    def train_batches(epoch: int) -> Iterator[Batch]:
        features = views[(epoch - 1) % len(views)]
        batches = split_into_batches(epoch_order(train.seed, epoch, n), train.batch_size)
        return ((features[part], labels[part]) for part in map(torch.from_numpy, batches))

    feed = Feed(train_batches, lambda: [(check_features, torch.tensor(check.labels))], steps=_steps(lesson))
    return fit(head, feed, train, device, state, watch.after_step, watch.after_epoch)


def _steps(lesson: Lesson) -> int:
    return len(split_into_batches(np.arange(len(lesson.images.paths)), lesson.train.batch_size))


@torch.inference_mode()
def _features(classifier: Classifier, head: nn.Module, batches: Iterable[Tensor], device: torch.device) -> Tensor:
    """What *head* would be given for each image: (images, features), on the CPU."""
    found: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].cpu()))
    classifier.eval()
    for batch in batches:
        classifier(batch.to(device))
    hook.remove()
    return torch.cat(found).clone()


def _with_labels(batches: Iterable[Tensor], labels: Sequence[int]) -> Iterator[Batch]:
    start = 0
    for batch in batches:
        yield batch, torch.tensor(labels[start : start + len(batch)])
        start += len(batch)
