"""From the last checkpoint to the last epoch: what the stage train and the processes that it starts have in common."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import torch

from runhive.errors import RunhiveError
from runhive.formats.history import Epoch
from runhive.formats.manifest import Image, class_names, split_of
from runhive.mistakes import one_line
from runhive.params import Params, Train
from runhive.preprocess import Load
from runhive.stages import paths
from runhive.stages.stopping import stopped_between_steps
from runhive.vision.augment import Labelled
from runhive.vision.device import Numerics
from runhive.vision.lesson import Lesson
from runhive.vision.loop import State, Watch
from runhive.vision.model import Classifier
from runhive.vision.train import learn


@dataclass(frozen=True)
class Onlooker:
    """What to call with each step's epoch and images, with each state to keep, and after each epoch."""

    show_step: Callable[[int, int], None] = lambda epoch, seen: None
    keep: Callable[[State], None] = lambda state: None
    show_epoch: Callable[[Epoch], None] = lambda epoch: None


def learn_from(
    params: Params, images: list[Image], load: Load, numerics: Numerics, classifier: Classifier, state: State,
    onlooker: Onlooker,
) -> State:  # fmt: skip
    """Train *classifier* on *images* from *state* on. A signal to stop waits for the step at hand and is kept."""
    classes = class_names(images)
    lesson = Lesson(
        params.model, params.train, *(labelled(part, classes, load) for part in divide(images, params.train))
    )
    with stopped_between_steps() as stopping:

        def after_step(epoch: int, seen: int) -> None:
            onlooker.show_step(epoch, seen)
            if epoch == 0:  # features: there is nothing to keep
                stopping.obey()

        def keep(state: State) -> None:
            onlooker.keep(state)
            if state.step == 0:
                onlooker.show_epoch(state.history[-1])
            stopping.obey()

        with _told_of_memory(params.train):
            return learn(classifier, lesson, numerics, state, Watch(after_step, keep, stopping.is_asked))


@contextmanager
def _told_of_memory(train: Train) -> Iterator[None]:
    """Turn what torch and NumPy raise where memory is short into what to do about it."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise RunhiveError(
            f"out of memory ({one_line(str(error))[:200]}): lower train.batch_size, now {train.batch_size}, or raise "
            f"train.accumulate, now {train.accumulate}, and run `dvc repro` to go on from the last checkpoint"
        ) from error


def compile_within(folder: Path) -> None:
    """Have torch.compile keep its files in *folder*: a killed one leaves halves, on which later ones fail (tried)."""
    compiled = folder / "compiled"
    shutil.rmtree(compiled, ignore_errors=True)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(compiled)


def divide(images: list[Image], train: Train) -> tuple[list[Image], list[Image]]:
    """The images to learn from, and those that each epoch is measured on.

    A holdout is the same share of each class, the lowest SHA-256 first, so that it stays when others come or go.
    """
    learned = split_of(images, "train")
    if train.select != "holdout":
        return learned, split_of(images, "val")
    held: set[Image] = set()
    for label in class_names(learned):
        members = sorted((image for image in learned if image.label == label), key=lambda image: image.sha256)
        held.update(members[: ceil(train.holdout * len(members))])
    return [image for image in learned if image not in held], [image for image in learned if image in held]


def labelled(images: list[Image], classes: list[str], load: Load) -> Labelled:
    """The files of *images*, their labels as indices, and how their pixels are had."""
    index = {label: position for position, label in enumerate(classes)}
    return Labelled([paths.IMAGES / image.path for image in images], [index[image.label] for image in images], load)
