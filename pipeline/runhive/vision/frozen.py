"""The last layer alone learns, on features that the layers before it give once for each view of an image.

The features are those of the network in evaluation mode, batch-norm too. Each is computed when it is first asked for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from runhive.errors import RunhiveError
from runhive.vision.augment import augmented_batches, epoch_order, split_into_batches
from runhive.vision.device import Numerics
from runhive.vision.lesson import Lesson, check_batches, check_inputs
from runhive.vision.loop import Batch, Feed, State, Watch, fit
from runhive.vision.model import Classifier, head_name
from runhive.vision.world import ALONE


def learn_head(classifier: Classifier, lesson: Lesson, numerics: Numerics, state: State, watch: Watch) -> State:
    """Train the head of *classifier*; epoch e learns from view (e - 1) mod `views`.

    Several processes share the work of the features, then each takes the same steps on all of them: so any number
    gives the same bits.
    """
    train, n = lesson.train, len(lesson.images.paths)
    head = linear_head(classifier, lesson.model.arch)
    labels = torch.tensor(lesson.images.labels)
    share = numerics.world.share(check_batches(n, numerics))

    @cache
    def view(number: int) -> Tensor:
        size = lesson.model.image_size
        batches = augmented_batches(lesson.images, share, size, train.augment, train.seed, number)
        return _features(classifier, head, zip(share, batches, strict=True), n, numerics, watch)

    @cache
    def check() -> list[Batch]:
        count = len(lesson.check.paths)
        places = numerics.world.share(check_batches(count, numerics))
        batches = ((place, x) for place, (x, _) in zip(places, check_inputs(lesson, numerics), strict=True))
        return [(_features(classifier, head, batches, count, numerics, watch), torch.tensor(lesson.check.labels))]

    def train_batches(epoch: int, first: int) -> Iterator[Batch]:
        for part in split_into_batches(epoch_order(train.seed, epoch, n), train.batch_size)[first:]:
            yield view((epoch - 1) % train.views)[part], labels[part]

    sizes = list(map(len, split_into_batches(np.arange(n), train.batch_size)))
    return fit(head, Feed(train_batches, check, sizes), train, replace(numerics, world=ALONE), state, watch)


def linear_head(classifier: Classifier, arch: str) -> nn.Linear:
    """The last layer of *classifier*. Raises RunhiveError where it is none that can learn alone."""
    head = classifier.backbone.get_submodule(head_name(arch))
    if not isinstance(head, nn.Linear):
        raise RunhiveError(f"params.yaml: train.mode: {arch} ends in {type(head).__name__}, not Linear: use finetune")
    return head


def _features(
    classifier: Classifier,
    head: nn.Linear,
    batches: Iterable[tuple[NDArray[np.int64], Tensor]],
    n: int,
    numerics: Numerics,
    watch: Watch,
) -> Tensor:
    """What *head* would be given for each of *n* images: (images, features), on the CPU.

    This process has a share of their *batches*, each with the places of its images.
    """
    features = torch.zeros(n, head.in_features)
    found: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].float().cpu()))
    was_training, seen = classifier.training, 0
    classifier.eval()
    with torch.inference_mode():
        for place, pixels in batches:
            with numerics.autocast():
                classifier(pixels.to(numerics.device))
            features[torch.from_numpy(place)] = found.pop().clone()
            watch.after_step(0, seen := seen + len(place))
    hook.remove()
    classifier.train(was_training)
    return numerics.world.summed(features)
