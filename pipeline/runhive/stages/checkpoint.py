"""Where unfinished training can go on.

`epoch-000003-000120.safetensors` is what was reached 120 steps after epoch 3: the tensors and, as metadata, the
epochs so far. Tensors are written as they lie in memory, without a copy; those in channels-last order are named there.
The `.sha256` beside it is its commit marker: written after it, with its digest. No pickle.
"""

import hashlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

from runhive.errors import RunhiveError
from runhive.files import atomic_path, write_atomic
from runhive.formats.history import Epoch
from runhive.stages.direct_write import write_direct
from runhive.stages.tensor_file import pieces_of
from runhive.vision.loop import State

KEPT = 2
MARKER = ".sha256"
POSITION = "position"
TURNED = "channels_last"


def save_checkpoint(folder: Path, state: State) -> None:
    """Write *state* durably, then drop all checkpoints but the newest two."""
    path = folder / f"epoch-{state.epoch:06d}-{state.step:09d}.safetensors"
    position = {name: getattr(state, name) for name in ("epoch", "step", "seconds", "best_epoch")}
    position["history"] = [asdict(epoch) for epoch in state.history]
    tensors = {name: tensor.cpu() for name, tensor in _flatten(state)}
    turned = {name for name, tensor in tensors.items() if _is_turned(tensor)}
    stored = {
        name: tensor.permute(0, 2, 3, 1) if name in turned else tensor.contiguous() for name, tensor in tensors.items()
    }
    metadata = {POSITION: json.dumps(position), TURNED: json.dumps(sorted(turned))}
    with atomic_path(path) as temporary:
        digest = write_direct(temporary, pieces_of(stored, metadata))
    write_atomic(path.with_suffix(MARKER), digest.encode())
    for old in _markers(folder)[KEPT:]:
        old.unlink()
        old.with_suffix(".safetensors").unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> State:
    """Return the newest state that is whole, or the state before the first epoch where there is none.

    Raises RunhiveError as `read_checkpoint` does.
    """
    content = read_checkpoint(folder)
    return state_of(content) if content else State()


def read_checkpoint(folder: Path) -> bytes:
    """Return the newest checkpoint that is whole, with a warning for each that is not; nothing where there is none.

    Raises RunhiveError when there are some and each is damaged: training never starts anew in silence.
    """
    for leftover in [*folder.glob(".*.tmp"), *folder.glob(".tmp*")]:  # the second: what safetensors left
        leftover.unlink()
    markers = _markers(folder)
    for marker in markers:
        path = marker.with_suffix(".safetensors")
        content = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(content).hexdigest().encode() == marker.read_bytes():
            return content
        warnings.warn(f"the checkpoint {path} is damaged: going back to the one before", stacklevel=2)
    if markers:
        raise RunhiveError(f"every checkpoint in {folder} is damaged: delete that folder to train from the start")
    return b""


def _markers(folder: Path) -> list[Path]:
    """Commit markers, the newest first."""
    return sorted(folder.glob(f"epoch-*{MARKER}"), reverse=True)


def _flatten(state: State) -> Iterator[tuple[str, Tensor]]:
    parts = {"network": state.network, "average": state.average, "running": state.running}
    if not _is_best_now(state):
        parts["best"] = state.best
    for part, tensors in parts.items():
        for name, tensor in tensors.items():
            yield f"{part}/{name}", tensor
    for index, slots in state.optimizer.items():
        for name, tensor in slots.items():
            yield f"optimizer/{index}/{name}", tensor


def _is_turned(tensor: Tensor) -> bool:
    """Does it lie in memory channels last?"""
    return tensor.ndim == 4 and not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)


def state_of(content: bytes) -> State:
    """The state that *content*, a whole checkpoint, holds."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])  # as safetensors lays it out
    position, turned = (json.loads(header["__metadata__"][key]) for key in (POSITION, TURNED))
    history = [Epoch(**row) for row in position.pop("history")]
    state = State(history=history, **position)
    for name, tensor in load(content).items():
        if name in turned:
            tensor = tensor.permute(0, 3, 1, 2)
        part, _, rest = name.partition("/")
        if part == "optimizer":
            index, _, slot = rest.partition("/")
            state.optimizer.setdefault(int(index), {})[slot] = tensor
        else:
            getattr(state, part)[rest] = tensor
    if _is_best_now(state):
        state.best = state.average or state.network
    return state


def _is_best_now(state: State) -> bool:
    """Are the weights to keep those of this very moment?"""
    return state.step == 0 and state.best_epoch == state.epoch
