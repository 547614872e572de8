"""models/history.csv: one row per epoch, as training went."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runhive.formats.table import read_rows, write_rows

SIGNIFICANT = 6  # digits: a mean over an epoch of float32, which has seven, is not known better


@dataclass(frozen=True)
class Epoch:
    """Means over one epoch; `epoch` counts from 1, `seconds` includes the validation. Written to 6 digits.

    `check_loss` and `check_accuracy` are measured on `val` or on the holdout, as `train.select` says.
    """

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    check_loss: float
    check_accuracy: float
    seconds: float


def write_history(path: Path, epochs: Sequence[Epoch]) -> None:
    """Write *epochs* in the order given, to SIGNIFICANT digits; seconds to the millisecond."""
    write_rows(path, Epoch, map(_rounded, epochs))


def read_history(path: Path) -> list[Epoch]:
    """Read the epochs in the order of the file."""
    return read_rows(path, Epoch)


def _rounded(epoch: Epoch) -> Epoch:
    of_float32 = ("lr", "train_loss", "train_accuracy", "check_loss", "check_accuracy")
    means: dict[str, Any] = {name: float(f"{getattr(epoch, name):.{SIGNIFICANT}g}") for name in of_float32}
    return replace(epoch, **means, seconds=round(epoch.seconds, 3))
