"""The last layer alone learns, on features that the layers before it give once for each view of an image.

The features are those of the network in evaluation mode, batch-norm too. Each is computed when it is first asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from runhive.errors import RunhiveError
from runhive.vision.augment import augmented_batches, epoch_order, split_into_batches
from runhive.vision.device import MEASURE_BATCH, Numerics
from runhive.vision.lesson import Lesson, check_inputs, steps_of
from runhive.vision.loop import Batch, Feed, State, Watch, fit
from runhive.vision.model import Classifier, head_name


def learn_head(classifier: Classifier, lesson: Lesson, numerics: Numerics, state: State, watch: Watch) -> State:
    """Train the head of *classifier*; epoch e learns from view (e - 1) mod `views`."""
    train, n = lesson.train, len(lesson.images.paths)
    head = linear_head(classifier, lesson.model.arch)
    labels = torch.tensor(lesson.images.labels)

    @cache
    def view(number: int) -> Tensor:
        in_order = split_into_batches(np.arange(n), MEASURE_BATCH[numerics.device.type])
        batches = augmented_batches(lesson.images, in_order, lesson.model.image_size, train.augment, train.seed, number)
        return _features(classifier, head, batches, numerics, lambda seen: watch.after_step(0, number * n + seen))

    @cache
    def check() -> list[Batch]:
        inputs = check_inputs(lesson, numerics)
        features = _features(classifier, head, inputs, numerics, lambda seen: watch.after_step(0, seen))
        return [(features, torch.tensor(lesson.check.labels))]

    def train_batches(epoch: int, first: int) -> Iterator[Batch]:
        for part in split_into_batches(epoch_order(train.seed, epoch, n), train.batch_size)[first:]:
            yield view((epoch - 1) % train.views)[part], labels[part]

    return fit(head, Feed(train_batches, check, steps_of(lesson)), train, numerics, state, watch)


def linear_head(classifier: Classifier, arch: str) -> nn.Linear:
    """The last layer of *classifier*. Raises RunhiveError where it is none that can learn alone."""
    head = classifier.backbone.get_submodule(head_name(arch))
    if not isinstance(head, nn.Linear):
        raise RunhiveError(f"params.yaml: train.mode: {arch} ends in {type(head).__name__}, not Linear: use finetune")
    return head


def _features(
    classifier: Classifier, head: nn.Module, batches: Iterable[Tensor], numerics: Numerics, seen: Callable[[int], None]
) -> Tensor:
    """What *head* would be given for each image: (images, features), on the CPU. `seen` is told how many are done."""
    found: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].float().cpu()))
    was_training = classifier.training
    classifier.eval()
    done = 0
    with torch.inference_mode():
        for batch in batches:
            with numerics.autocast():
                classifier(batch.to(numerics.device))
            seen(done := done + len(batch))
    hook.remove()
    classifier.train(was_training)
    return torch.cat(found).clone()
