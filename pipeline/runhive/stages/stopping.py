"""A signal that ends training between two steps, so that the step at hand is not lost."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from runhive.tracking.life.life import STOPS, Stopped, exit_on_signals

STEP_SECONDS = 5.0  # for the step at hand; a GitHub runner kills a canceled job after ten


class Stopping:
    """What was asked of this process by SIGINT or SIGTERM."""

    def __init__(self) -> None:
        self._signal = 0

    def ask(self, number: int, _: FrameType | None) -> None:
        """Stop after this step, or within STEP_SECONDS; whatever is asked after that changes nothing."""
        for one in STOPS:
            signal.signal(one, signal.SIG_IGN)
        self._signal = number
        signal.signal(signal.SIGALRM, lambda *_: self.obey())
        signal.setitimer(signal.ITIMER_REAL, STEP_SECONDS)

    def is_asked(self) -> bool:
        """Say whether to stop; from then on there is time for a checkpoint."""
        if self._signal:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return bool(self._signal)

    def obey(self) -> None:
        """Raise Stopped where it was asked for."""
        if self._signal:
            raise Stopped(self._signal)


@contextmanager
def stopped_between_steps() -> Iterator[Stopping]:
    """Within the block a signal to stop waits for `obey`; before and after it ends the process at once."""
    stopping = Stopping()
    for number in STOPS:
        signal.signal(number, stopping.ask)
    try:
        yield stopping
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not stopping.is_asked():
            exit_on_signals()
    stopping.obey()
