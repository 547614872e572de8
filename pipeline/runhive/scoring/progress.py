"""How far a job of predictions is, on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_LINES = 10


@contextmanager
def show_progress(count: Callable[[], int | None]) -> Iterator[Callable[[int], None]]:
    """Yield what to call with the number of images done; *count* says how many there are, if that is known."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("images", total=count())
        yield lambda done: bars.update(bar, completed=done)


def _lines() -> Callable[[int], None]:
    """Print at most one line in ten seconds."""
    last = time.monotonic()

    def after(done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(f"{done:,} images", file=sys.stderr, flush=True)

    return after
