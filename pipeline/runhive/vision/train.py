"""Transfer learning: a whole network, or only its head on features that are computed once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from runhive.errors import RunhiveError
from runhive.formats.preprocess import Preprocess
from runhive.params import Model, Train
from runhive.preprocess import input_batches
from runhive.vision.augment import Labelled, augmented_batches, epoch_order, split_into_batches
from runhive.vision.device import MEASURE_BATCH, Numerics
from runhive.vision.loop import Batch, Feed, State, fit
from runhive.vision.model import Classifier, build_backbone, head_name, load_pretrained, normalisation


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


def learn(classifier: Classifier, lesson: Lesson, numerics: Numerics, state: State, watch: Watch) -> State:
    """Train *classifier* in place, from *state* on."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    numerics.place(classifier)
    learn_all = _learn_head if lesson.train.mode == "frozen" else _learn_everything
    return learn_all(classifier, lesson, numerics, state, watch)


def _learn_everything(classifier: Classifier, lesson: Lesson, numerics: Numerics, state: State, watch: Watch) -> State:
    model, train, images, check = lesson.model, lesson.train, lesson.images, lesson.check
    preprocess = preprocess_of(model)
    num_classes = 1 + max(*images.labels, *check.labels)
    if train.compile:
        classifier.compile()

    def train_batches(epoch: int) -> Iterator[Batch]:
        order = epoch_order(train.seed, epoch, len(images.paths))
        batches = split_into_batches(order, train.batch_size)
        pixels = augmented_batches(images, batches, model.image_size, train.augment, train.seed, epoch)
        labelled = _with_labels(pixels, [images.labels[index] for index in order])
        return _mixed(labelled, train.augment.mixup, num_classes) if train.augment.mixup else labelled

    def check_batches() -> Iterator[Batch]:
        return _with_labels(_inputs(check, preprocess, numerics), check.labels)

    feed = Feed(train_batches, check_batches, steps=_steps(lesson))
    return fit(classifier, feed, train, numerics, state, watch.after_step, watch.after_epoch)


def _learn_head(classifier: Classifier, lesson: Lesson, numerics: Numerics, state: State, watch: Watch) -> State:
    """Epoch e learns from view e mod `views`; features are those of the network in evaluation mode, batch-norm too."""
    model, train, images, check = lesson.model, lesson.train, lesson.images, lesson.check
    head = classifier.backbone.get_submodule(head_name(model.arch))
    if not isinstance(head, nn.Linear):
        raise RunhiveError(
            f"params.yaml: train.mode: {model.arch} ends in {type(head).__name__}, not Linear: use finetune"
        )
    n = len(images.paths)
    in_order = split_into_batches(np.arange(n), MEASURE_BATCH[numerics.device.type])
    views = []
    for view in range(min(train.views, train.epochs)):
        pixels = augmented_batches(images, in_order, model.image_size, train.augment, train.seed, view)
        views.append(_features(classifier, head, pixels, numerics))
        watch.after_step(0, (view + 1) * n)
    check_features = _features(classifier, head, _inputs(check, preprocess_of(model), numerics), numerics)
    labels = torch.tensor(images.labels)

    def train_batches(epoch: int) -> Iterator[Batch]:
        features = views[(epoch - 1) % len(views)]
        batches = split_into_batches(epoch_order(train.seed, epoch, n), train.batch_size)
        return ((features[part], labels[part]) for part in map(torch.from_numpy, batches))

    feed = Feed(train_batches, lambda: [(check_features, torch.tensor(check.labels))], steps=_steps(lesson))
    return fit(head, feed, train, numerics, state, watch.after_step, watch.after_epoch)


def _steps(lesson: Lesson) -> int:
    return len(split_into_batches(np.arange(len(lesson.images.paths)), lesson.train.batch_size))


@torch.inference_mode()
def _features(classifier: Classifier, head: nn.Module, batches: Iterable[Tensor], numerics: Numerics) -> Tensor:
    """What *head* would be given for each image: (images, features), on the CPU."""
    found: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].float().cpu()))
    classifier.eval()
    for batch in batches:
        with numerics.autocast():
            classifier(batch.to(numerics.device))
    hook.remove()
    return torch.cat(found).clone()


def _mixed(batches: Iterable[Batch], alpha: float, num_classes: int) -> Iterator[Batch]:
    """Blend each batch with its neighbours, the labels too. It draws from torch's generator, as dropout does."""
    from torchvision.transforms.v2 import MixUp  # here, because torchvision takes a second to import

    mixup = MixUp(alpha=alpha, num_classes=num_classes)
    return (mixup(pixels.float(), labels) for pixels, labels in batches)


def _inputs(images: Labelled, preprocess: Preprocess, numerics: Numerics) -> Iterator[Tensor]:
    size = MEASURE_BATCH[numerics.device.type]
    return map(torch.from_numpy, input_batches(images.paths, preprocess, size, images.load))


def _with_labels(batches: Iterable[Tensor], labels: Sequence[int]) -> Iterator[Batch]:
    start = 0
    for batch in batches:
        yield batch, torch.tensor(labels[start : start + len(batch)])
        start += len(batch)
