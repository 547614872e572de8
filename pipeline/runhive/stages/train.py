"""Manifest to weights: opens the run, trains, takes checkpoints, goes on after a crash."""

import os
import shutil
import sys
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any

from safetensors.torch import save

from runhive.files import sha256_of, write_atomic
from runhive.formats.data_report import DataReport
from runhive.formats.history import write_history
from runhive.formats.manifest import Image, class_names, content_digest, read_manifest, split_of
from runhive.formats.model_card import ModelCard, Selection
from runhive.formats.train_record import TrainRecord
from runhive.params import Params, Train
from runhive.preprocess import Load
from runhive.stages import inputs, paths
from runhive.stages.checkpoint import load_checkpoint, save_checkpoint
from runhive.stages.environment import describe_environment
from runhive.stages.opened import OpenRun, checkpoint_folder, opened_run, prepared
from runhive.stages.pixel_cache import pixel_loader
from runhive.stages.progress import show_progress
from runhive.stages.stopping import stopped_between_steps
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.life import liveness
from runhive.tracking.repository import main_root
from runhive.vision.allocator import keep_freed_memory
from runhive.vision.augment import Labelled
from runhive.vision.device import choose_numerics, is_grouped
from runhive.vision.lesson import Lesson, preprocess_of
from runhive.vision.loop import State, Watch
from runhive.vision.model import Classifier
from runhive.vision.train import learn, make_classifier


def train(params: Params) -> None:
    """Write the model, its card, its history and the record of the run that made them."""
    inputs.admit_own_code("train", params.model.arch)
    numerics = choose_numerics(params.model, params.train)
    allocator = keep_freed_memory() if is_grouped(params.model.arch) else {}
    images = read_manifest(paths.MANIFEST)
    environment = describe_environment(numerics, params.train.compile, allocator)
    started = describe_run(params, images) | {"environment": environment}
    root = main_root()
    folder = checkpoint_folder(root, started["input_digest"])
    with file_lock(folder.with_suffix(".lock"), wait=0), opened_run(open_ledger(root), root, folder, started) as run:
        classifier = make_classifier(params.model, len(class_names(images)), params.train.seed)
        state = load_checkpoint(folder)
        learned, checked = divide(images, params.train)
        prepared(root, run)
        began, first = monotonic(), state.epoch
        with (
            pixel_loader(root, [*learned, *checked], params.train.cache, params.model.resize_size) as load,
            show_progress(params.train.epochs, first, len(learned)) as (show_step, show_epoch),
            stopped_between_steps() as stopping,
        ):

            def after_step(epoch: int, seen: int) -> None:
                show_step(epoch, seen)
                if epoch == 0:  # features: there is nothing to keep
                    stopping.obey()

            def keep(state: State) -> None:
                save_checkpoint(folder, state)
                liveness.beat(root, run.run_id)
                if state.step == 0:
                    show_epoch(state.history[-1])
                stopping.obey()

            if params.train.compile:
                _compile_within(folder)
            lesson = Lesson(
                params.model, params.train, *(labelled(part, class_names(images), load) for part in (learned, checked))
            )
            state = learn(classifier, lesson, numerics, state, Watch(after_step, keep, stopping.is_asked))
        if state.epoch < params.train.epochs:
            stop = params.train.early_stop
            print(f"stopped early: no better check {stop.watch} in {stop.patience} epochs", file=sys.stderr)
        speed = len(learned) * (state.epoch - first) / (monotonic() - began)
        write_outs(params, images, classifier, state, run, speed)


def _compile_within(folder: Path) -> None:
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


def describe_run(params: Params, images: list[Image]) -> dict[str, Any]:
    """What the run is: the content of its `started` event but for the environment."""
    data_digest = content_digest(images)
    input_digest = inputs.digest_of(
        {
            "data": data_digest,
            "params": params.model_dump(include={"model", "train"}, exclude={"train": {"checkpoint_steps"}}),
            "code": inputs.code_of("train"),
            "requirements": inputs.requirements_digest(),
        }
    )
    report = DataReport.read(paths.DATA_REPORT)
    data = {"digest": data_digest, "classes": report.classes, "counts": report.counts, "left_out": len(report.left_out)}
    return {
        "experiment": params.experiment,
        "input_digest": input_digest,
        "requirements_digest": inputs.requirements_digest(),
        "params": params.model_dump(mode="json"),
        "data": data,
    }


def write_outs(
    params: Params, images: list[Image], classifier: Classifier, state: State, run: OpenRun, speed: float
) -> None:
    """Write the four outs; the first two are functions of the inputs alone."""
    weights = {name: tensor.cpu().contiguous() for name, tensor in classifier.state_dict().items()}
    write_atomic(paths.WEIGHTS, save(weights))
    checked = divide(images, params.train)[1]
    ModelCard(
        name=params.model.name,
        arch=params.model.arch,
        classes=class_names(images),
        preprocess=preprocess_of(params.model),
        selection=Selection(
            rule=params.train.select,
            epoch=state.best_epoch,
            digest=None if params.train.select == "last" else content_digest(checked),
        ),
        weights_sha256=sha256_of(paths.WEIGHTS),
        parameters=sum(weight.numel() for weight in classifier.parameters()),
        data_digest=content_digest(images),
    ).write(paths.MODEL_CARD)
    write_history(paths.HISTORY, state.history)
    TrainRecord(
        run_id=run.run_id,
        attempt=run.attempt,
        input_digest=run.started["input_digest"],
        started_at=run.started_at,
        started=run.started,
        weights_sha256=sha256_of(paths.WEIGHTS),
        epochs=state.epoch,
        seconds=sum(epoch.seconds for epoch in state.history),
        images_per_second=speed,
    ).write(paths.TRAIN_RECORD)
