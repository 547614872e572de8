"""Transfer learning: a whole network, or only its head on features that are computed once."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from runhive.errors import RunhiveError
from runhive.params import Model
from runhive.vision.augment import augmented_batches, epoch_order, split_into_batches
from runhive.vision.device import Numerics
from runhive.vision.frozen import learn_head
from runhive.vision.lesson import Lesson, check_batches, check_inputs
from runhive.vision.loop import Batch, Feed, State, Watch, fit
from runhive.vision.model import Classifier, build_backbone, head_name, load_pretrained, normalisation


def make_classifier(model: Model, num_classes: int, seed: int) -> Classifier:
    """The classifier before it learned anything: a function of its arguments."""
    torch.manual_seed(seed)
    backbone = build_backbone(model.arch, num_classes)
    if model.weights == "imagenet":
        load_pretrained(backbone, model.arch)
    elif ":" not in model.arch:
        head_name(model.arch)  # refuses those with auxiliary heads, which give no tensor in training
    return Classifier(backbone, *normalisation(model.arch))


def learn(classifier: Classifier, lesson: Lesson, numerics: Numerics, state: State, watch: Watch) -> State:
    """Train *classifier* in place, from *state* on."""
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    numerics.place(classifier)
    learn_all = learn_head if lesson.train.mode == "frozen" else _learn_everything
    return learn_all(classifier, lesson, numerics, state, watch)


def _learn_everything(classifier: Classifier, lesson: Lesson, numerics: Numerics, state: State, watch: Watch) -> State:
    model, train, images, check, world = lesson.model, lesson.train, lesson.images, lesson.check, numerics.world
    num_classes = 1 + max(*images.labels, *check.labels)
    if len(images.paths) < 2 * world.most:
        raise RunhiveError(f"{len(images.paths)} images are too few for {world.most} processes: start fewer")
    if train.compile:
        classifier.compile()

    def batches_of(epoch: int) -> list[NDArray[np.int64]]:
        order = epoch_order(train.seed, epoch, len(images.paths))
        return split_into_batches(order, train.batch_size, least=2 * world.most)

    def train_batches(epoch: int, first: int) -> Iterator[Batch]:
        batches = [world.share(batch) for batch in batches_of(epoch)[first:]]
        pixels = augmented_batches(images, batches, model.image_size, train.augment, train.seed, epoch)
        labels = (torch.tensor([images.labels[index] for index in batch]) for batch in batches)
        labelled = zip(pixels, labels, strict=True)
        return _mixed(labelled, train.augment.mixup, num_classes) if train.augment.mixup else labelled

    feed = Feed(
        train_batches,
        lambda: check_inputs(lesson, numerics),
        sizes=list(map(len, batches_of(1))),
        checks=len(check_batches(len(check.paths), numerics)),
    )
    return fit(classifier, feed, train, numerics, state, watch)


def _mixed(batches: Iterable[Batch], alpha: float, num_classes: int) -> Iterator[Batch]:
    """Blend each batch with its neighbours, the labels too. It draws from torch's generator, as dropout does."""
    from torchvision.transforms.v2 import MixUp  # here, because torchvision takes a second to import

    mixup = MixUp(alpha=alpha, num_classes=num_classes)
    return (mixup(pixels.float(), labels) for pixels, labels in batches)
