"""How far a download is, on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from runhive.data.download import Progress

SECONDS_BETWEEN_LINES = 5


@contextmanager
def download_progress() -> Iterator[Progress]:
    """Yield what `download` calls as bytes arrive."""
    if sys.stderr.isatty():
        columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            bar = bars.add_task("download", total=None, visible=False)
            yield lambda done, total: bars.update(bar, completed=done, total=total, visible=True)
    else:
        yield Lines()


class Lines:
    """Print at most one line in five seconds."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self.last >= SECONDS_BETWEEN_LINES:
            self.last = now
            whole = f" of {total / 1e6:.1f}" if total else ""
            print(f"downloaded {done / 1e6:.1f}{whole} MB", file=sys.stderr, flush=True)
