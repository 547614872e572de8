"""Values of params.yaml that are right alone and wrong together."""

import difflib
import re
from collections.abc import Iterator

from runhive.params.compute import LOCAL, Compute
from runhive.params.sections import Data, Params
from runhive.params.training import Train


def contradictions(params: Params) -> Iterator[str]:
    """Values that are right alone and wrong together."""
    yield from _contradictions_of_data(params.data)
    splits = ["val", "test", *params.data.evaluation_sets]
    if params.evaluate.split not in splits:
        yield f"evaluate.split: {params.evaluate.split!r} {_is_none_of(splits, params.evaluate.split)}"
    for name in params.gate.evaluation_sets:
        if name not in splits:
            yield f"gate.evaluation_sets.{name}: {_is_none_of(splits, name)}"
    if params.model.resize_size < params.model.image_size:
        yield (
            f"model.resize_size: {params.model.resize_size} is less than model.image_size "
            f"{params.model.image_size}: raise it to {params.model.image_size} or more"
        )
    if params.train.warmup_epochs >= params.train.epochs:
        yield f"train.warmup_epochs: must be less than train.epochs, {params.train.epochs}"
    yield from _contradictions_of_recipe(params.train)
    variants = params.export.variants
    if "fp32" not in variants or len(set(variants)) < len(variants):
        yield "export.variants: must hold fp32, from which the others are made, and each once: write [fp32, int8]"
    yield from _contradictions_of_compute(params.compute)


def _is_none_of(names: list[str], name: str) -> str:
    near = difflib.get_close_matches(name, names, 1, 0.5)
    return f"is not one of {', '.join(names)}" + (f": did you mean {near[0]}?" if near else "")


def _contradictions_of_recipe(train: Train) -> Iterator[str]:
    if train.accumulate > 1 and train.batch_size < 2 * train.accumulate:
        yield (
            f"train.accumulate: {train.accumulate} pieces of train.batch_size {train.batch_size} leave some with a "
            "single image: lower it"
        )
    if train.early_stop.patience and train.select == "last":
        yield "train.early_stop.patience: stops on the check images: set train.select to holdout or val, or this to 0"
    if train.mode == "frozen" and train.augment.mixup:
        yield "train.augment.mixup: needs train.mode finetune: set it to 0.0"
    if train.mode == "frozen" and train.compile:
        yield "train.compile: needs train.mode finetune: set it to false"
    yield from _contradictions_of_distribution(train)


def _contradictions_of_distribution(train: Train) -> Iterator[str]:
    distributed = train.distributed
    per_node, nodes = distributed.processes_per_node, distributed.node_counts
    if distributed.launcher == "none" and (nodes[-1] > 1 or per_node > 1):
        yield "train.distributed.launcher: none starts one process: set it to torchrun, or nodes and processes to 1"
    if distributed.launcher == "mpirun" and len(nodes) > 1:
        yield f"train.distributed.nodes: mpirun needs a number, not {distributed.nodes!r}: set it, or take torchrun"
    if train.mode == "frozen":
        return  # each process takes whole batches
    for count in nodes:
        world = count * per_node
        if train.batch_size % world:
            yield (
                f"train.batch_size: {train.batch_size} images cannot be shared evenly by {world} processes "
                f"({count} nodes of {per_node}): make it a multiple of {world}"
            )
        elif world > 1 and train.batch_size < 2 * world * train.accumulate:
            yield (
                f"train.batch_size: {train.batch_size} images leave some of {world} processes, or of their "
                f"train.accumulate {train.accumulate} pieces, with a single one: "
                f"raise it to {2 * world * train.accumulate}"
            )


def _contradictions_of_compute(compute: Compute) -> Iterator[str]:
    names = [LOCAL, *compute.targets]
    if compute.default not in names:
        yield f"compute.default: {compute.default!r} {_is_none_of(names, compute.default)}"
    for name, target in compute.targets.items():
        if name == LOCAL:
            yield f"compute.targets.{LOCAL}: is the name of this machine already: take another"
        if target.group is None and not target.labels:
            yield f"compute.targets.{name}: names no runners: set group, or labels to [self-hosted, gpu]"
        if target.min_nodes > target.max_nodes:
            yield f"compute.targets.{name}.min_nodes: {target.min_nodes} is more than max_nodes, {target.max_nodes}"


def _contradictions_of_data(data: Data) -> Iterator[str]:
    source = data.source
    if source == "digits" and data.url is not None:
        yield "data.url: must be null when data.source is digits"
    if source in ("folder", "archive") and not data.url:
        yield f"data.url: must name the images when data.source is {source}"
    if source == "dvc" and not data.path:
        yield "data.path: must name what is tracked when data.source is dvc"
    for key, value in (("path", data.path), ("rev", data.rev)):
        if value is not None and source != "dvc":
            yield f"data.{key}: must be null when data.source is {source}: only dvc has it"
    if data.sha256 is not None and source in ("digits", "folder"):
        yield f"data.sha256: must be null when data.source is {source}: only an archive has one"
    if data.split and source == "digits":
        yield "data.split: must be null when data.source is digits: they come split"
    if data.split and data.split.val + data.split.test >= 1:
        yield f"data.split: val and test are {data.split.val + data.split.test:g} together: leave a share for train"
    addresses = {"data.url": data.url} | {f"data.evaluation_sets.{k}": v for k, v in data.evaluation_sets.items()}
    for key, address in addresses.items():
        if address is not None and re.match(r"\w+://[^/]*@", address) and not re.match(r"ssh://[^/:]*@", address):
            yield (
                f"{key}: holds a user or password, which Git and the ledger would keep for ever: "
                "download the archive and name its path"
            )
    for name, address in data.evaluation_sets.items():
        if name in ("train", "val", "test", "holdout"):
            yield f"data.evaluation_sets.{name}: is the name of a split already: take another"
        elif address is None and (data.split or source == "digits"):
            yield f"data.evaluation_sets.{name}: must name a folder or archive: nothing lies beside train"
        elif address == "":
            yield f"data.evaluation_sets.{name}: is empty: name a folder or archive"
