"""Which epoch is kept, and when to stop: functions of the epochs so far, so a checkpoint need not hold them."""

from collections.abc import Sequence

from runhive.formats.history import Epoch
from runhive.params import EarlyStop


def is_best(history: Sequence[Epoch]) -> bool:
    """Is the last epoch better than all before it: by accuracy, then by loss?"""
    *before, last = [(epoch.check_accuracy, -epoch.check_loss) for epoch in history]
    return all(last > one for one in before)


def has_stalled(history: Sequence[Epoch], early_stop: EarlyStop) -> bool:
    """Did the last `patience` epochs bring no better value of what is watched?"""
    values = [-epoch.check_loss if early_stop.watch == "loss" else epoch.check_accuracy for epoch in history]
    if not early_stop.patience or not values:
        return False
    return len(values) - 1 - values.index(max(values)) >= early_stop.patience
