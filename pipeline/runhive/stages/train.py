"""Manifest to weights: opens the run, trains, takes checkpoints, goes on after a crash."""

import os
import shutil
import sys
from pathlib import Path
from time import monotonic
from typing import Any

from safetensors.torch import save

from runhive.errors import RunhiveError
from runhive.files import sha256_of, write_atomic
from runhive.formats.data_report import DataReport
from runhive.formats.history import write_history
from runhive.formats.manifest import Image, class_names, content_digest, read_manifest
from runhive.formats.model_card import ModelCard, Selection
from runhive.formats.train_record import TrainRecord
from runhive.params import Params
from runhive.stages import inputs, paths
from runhive.stages.checkpoint import load_checkpoint, save_checkpoint
from runhive.stages.environment import describe_environment
from runhive.stages.launch import launch, threads_of_each
from runhive.stages.learning import Onlooker, compile_within, divide, learn_from
from runhive.stages.node import node_rank
from runhive.stages.opened import RUN, OpenRun, checkpoint_folder, opened_run, prepared
from runhive.stages.pixel_cache import pixel_loader
from runhive.stages.progress import show_progress
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.life.life import exit_on_signals
from runhive.tracking.repository import main_root
from runhive.vision.allocator import keep_freed_memory
from runhive.vision.device import Numerics, choose_numerics, is_grouped
from runhive.vision.lesson import preprocess_of
from runhive.vision.loop import State, is_over
from runhive.vision.model import Classifier
from runhive.vision.train import make_classifier

# Parameters that decide no bit of the weights, so that training may go on with others.
NO_BITS: dict[str, Any] = {
    "checkpoint_steps": True,
    "distributed": {"launcher", "rendezvous", "timeout_s", "max_restarts"},
}


def train(params: Params) -> None:
    """Write the model, its card, its history and the record of the run that made them."""
    inputs.admit_own_code("train", params.model.arch)
    numerics = choose_numerics(params.model, params.train)
    allocator = keep_freed_memory() if is_grouped(params.model.arch) else {}
    images = read_manifest(paths.MANIFEST)
    started, root = describe_run(params, images), main_root()
    folder = checkpoint_folder(root, started["input_digest"])
    if node_rank(params.train.distributed) > 0:
        _help(params, images, root, folder, numerics)
        return
    environment = describe_environment(numerics, params.train.compile, allocator)
    started |= {"environment": environment | _described(params, numerics)}
    with file_lock(folder.with_suffix(".lock"), wait=0), opened_run(open_ledger(root), root, folder, started) as run:
        state = load_checkpoint(folder)
        first = state.epoch
        learned = divide(images, params.train)[0]
        prepared(root, run)
        began = monotonic()
        classifier, state = _learn(params, images, root, folder, numerics, state)
        if state.epoch < params.train.epochs:
            stop = params.train.early_stop
            print(f"stopped early: no better check {stop.watch} in {stop.patience} epochs", file=sys.stderr)
        speed = len(learned) * (state.epoch - first) / (monotonic() - began)
        write_outs(params, images, classifier, state, run, speed)


def _learn(
    params: Params, images: list[Image], root: Path, folder: Path, numerics: Numerics, state: State
) -> tuple[Classifier, State]:
    """Train to the end: here, or in processes of their own, after which nothing is left to do here."""
    classifier = make_classifier(params.model, len(class_names(images)), params.train.seed)
    learned, checked = divide(images, params.train)
    with pixel_loader(root, [*learned, *checked], params.train.cache, params.model.resize_size) as load:
        if params.train.distributed.launcher != "none" and not is_over(state, params.train):
            launch(params.train.distributed, root, folder)
            state = load_checkpoint(folder)
            if not is_over(state, params.train):
                raise RunhiveError("the processes ended before training did: run `dvc repro` to go on")
        elif params.train.compile:
            compile_within(folder)
        with show_progress(params.train.epochs, state.epoch, len(learned)) as (show_step, show_epoch):
            onlooker = Onlooker(show_step, lambda state: save_checkpoint(folder, state), show_epoch)
            return classifier, learn_from(params, images, load, numerics, classifier, state, onlooker)


def _help(params: Params, images: list[Image], root: Path, folder: Path, numerics: Numerics) -> None:
    """Train on a machine that does not keep the run; it writes outs only where DVC, which started it, wants them."""
    exit_on_signals()
    if "DVC_STAGE" not in os.environ:
        with pixel_loader(root, images, params.train.cache, params.model.resize_size):
            launch(params.train.distributed, root, folder)
        return
    shutil.rmtree(folder, ignore_errors=True)  # what counts is the checkpoint of the machine that keeps the run
    classifier, state = _learn(params, images, root, folder, numerics, State())
    write_outs(params, images, classifier, state, OpenRun.read(folder / RUN), speed=0.0)
    shutil.rmtree(folder)


def _described(params: Params, numerics: Numerics) -> dict[str, Any]:
    """How many processes train, with how many threads each, and what batch-norm takes its statistics over."""
    distributed = params.train.distributed
    if distributed.launcher == "none":
        return {}
    over = "each process's images" if numerics.device.type == "cpu" else "the images of all processes"
    told = distributed.model_dump(mode="json", include={"launcher", "nodes", "processes_per_node"})
    batch_norm = "as it was, in evaluation mode" if params.train.mode == "frozen" else over
    return {"threads": threads_of_each(distributed), "distributed": {**told, "batch_norm": batch_norm}}


def describe_run(params: Params, images: list[Image]) -> dict[str, Any]:
    """What the run is: the content of its `started` event but for the environment."""
    data_digest = content_digest(images)
    input_digest = inputs.digest_of(
        {
            "data": data_digest,
            "params": params.model_dump(include={"model", "train"}, exclude={"train": NO_BITS}),
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
        "params": params.model_dump(mode="json", exclude={"compute"}),  # where it was sent is no part of it
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
