"""Processes that train together start from the same inputs, by clocks that agree, or not at all."""

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
APART_SECONDS = 10.0  # torchrun takes a machine for lost after 15 s by its clock, and hears of it every 5 s
OWN_MATTER = {"train": {"distributed": {"rendezvous"}}}  # each machine may know the first by another name


def facts(params: Params, images: Sequence[Image], clock: float) -> bytes:
    """What `require_alike` compares: this machine's name, its inputs as one knows them, and its *clock* as all met."""
    settings = params.model_dump(mode="json", include={"model", "train"}, exclude=OWN_MATTER)
    own = {
        "torch": torch.__version__,
        paths.REQUIREMENTS.as_posix(): inputs.requirements_digest(),
        paths.MANIFEST.as_posix(): content_digest(list(images)),
        **{f"{paths.PARAMS}: {name}": value for name, value in _leaves(settings)},
        **inputs.code_of("train"),
    }
    return json.dumps({"machine": socket.gethostname(), "clock": clock, "inputs": own}).encode()


def require_alike(of_each: Sequence[bytes], leader: int) -> None:
    """Raise RunhiveError, the same in each process, unless the *facts* of all, in their order, fit the leader's."""
    told = [json.loads(content) for content in of_each]
    names = [one_line(f"process {rank} on {one['machine']}") for rank, one in enumerate(told)]
    for name, one in zip(names, told, strict=True):
        if differing := _differing(told[leader]["inputs"], one["inputs"]):
            more = f" and {len(differing) - NAMED} more" if len(differing) > NAMED else ""
            raise RunhiveError(
                f"{name} differs from {names[leader]}, which keeps the run, in {', '.join(differing[:NAMED])}{more}: "
                "bring all machines to one commit, params.yaml and set of images, and start training on each again"
            )
        if abs(apart := one["clock"] - told[leader]["clock"]) > APART_SECONDS:
            raise RunhiveError(
                f"the clock of {name} is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} that of "
                f"{names[leader]}: set the clocks of all machines by NTP, and start training on each again"
            )


def _differing(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """The names of what is not the same in both or in one alone, sorted."""
    missing = object()
    return [one_line(name) for name in sorted({*mine, *theirs}) if mine.get(name, missing) != theirs.get(name, missing)]


def _leaves(nested: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{before}{name}.")
        else:
            yield before + name, value
