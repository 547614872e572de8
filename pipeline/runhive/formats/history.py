"""models/history.csv: one row per epoch, as training went."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runhive.formats.table import read_rows, write_rows


@dataclass(frozen=True)
class Epoch:
    """Means over one epoch; `epoch` counts from 1, `seconds` includes the validation.

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
    """Write *epochs* in the order given."""
    write_rows(path, Epoch, epochs)


def read_history(path: Path) -> list[Epoch]:
    """Read the epochs in the order of the file."""
    return read_rows(path, Epoch)
