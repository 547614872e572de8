"""Processes that train together start from the same data, parameters, code and versions, or not at all."""

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from runhive.errors import RunhiveError
from runhive.formats.manifest import Image, content_digest
from runhive.mistakes import one_line
from runhive.params import Params
from runhive.stages import inputs, paths

NAMED = 3
MACHINE = "machine"
OWN_MATTER = {"train": {"distributed": {"rendezvous"}}}  # each machine may know the first by another name


def facts(params: Params, images: Sequence[Image]) -> dict[str, Any]:
    """What has to be the same in each process, by the name that a person knows it by, and the machine's own name."""
    settings = params.model_dump(mode="json", include={"model", "train"}, exclude=OWN_MATTER)
    return {
        MACHINE: socket.gethostname(),
        "torch": torch.__version__,
        paths.REQUIREMENTS.as_posix(): inputs.requirements_digest(),
        paths.MANIFEST.as_posix(): content_digest(list(images)),
        **{f"{paths.PARAMS}: {name}": value for name, value in _leaves(settings)},
        **inputs.code_of("train"),
    }


def require_alike(of_each: Sequence[bytes], leader: int) -> None:
    """Raise RunhiveError, the same in each process, unless the *facts* of all, as JSON, are those of the leader."""
    of_leader = json.loads(of_each[leader])
    for rank, content in enumerate(of_each):
        theirs = json.loads(content)
        if names := different(of_leader, theirs):
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            where = f"process {rank} on {theirs[MACHINE]} differs from process {leader} on {of_leader[MACHINE]}"
            raise RunhiveError(
                f"{one_line(where)}, which keeps the run, in {one_line(', '.join(names[:NAMED]))}{more}: bring all "
                "machines to one commit, params.yaml and set of images, and start training on each again"
            )


def different(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The names of the facts that are not the same in both, sorted; machines may have any name."""
    return sorted(
        name for name in {*mine, *theirs} - {MACHINE} if name not in mine or theirs.get(name, ...) != mine[name]
    )


def _leaves(nested: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield before + name, value
