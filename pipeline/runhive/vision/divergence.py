"""Notice a loss that is not finite at its step, without holding up a GPU."""

from math import isfinite

import torch
from torch import Tensor

from runhive.errors import RunhiveError


class LossWatch:
    """Judges each step's loss when the next one is queued: a GPU that is asked at once would wait for the answer."""

    def __init__(self, device: torch.device, epoch: int, steps: int, done: int, lr: float) -> None:
        self._epoch, self._steps, self._step, self._lr = epoch, steps, done, lr
        self._loss = torch.zeros((), pin_memory=device.type == "cuda")
        self._copied = torch.Event(device) if device.type == "cuda" else None

    def see(self, loss: Tensor) -> None:
        """Take the next step's *loss* and judge the one before. Raises RunhiveError when that was not finite."""
        self.judge()
        self._step += 1
        self._loss.copy_(loss, non_blocking=True)
        if self._copied:
            self._copied.record()

    def judge(self) -> None:
        """Raise RunhiveError when the last loss was not finite."""
        if self._copied:
            self._copied.synchronize()
        check_finite("loss", float(self._loss), f"epoch {self._epoch}, step {self._step} of {self._steps}", self._lr)


def check_finite(name: str, value: float, where: str, lr: float) -> None:
    """Raise RunhiveError, in one line, when *value* is no number to go on from."""
    if not isfinite(value):
        raise RunhiveError(
            f"the {name} is {value} in {where}: lower train.lr, now {lr}, and run `dvc repro`; "
            "the checkpoints from before stay"
        )
