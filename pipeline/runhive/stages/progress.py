"""Training as one sees it: a bar with images/s and time left on a terminal, a line an epoch anywhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from runhive.formats.history import Epoch
from runhive.tracking.life.broadcast import note_numbers


class ImagesPerSecond(ProgressColumn):
    """The speed of the last seconds."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} images/s" if task.speed else "")


@contextmanager
def show_progress(
    epochs: int, done: int, images: int
) -> Iterator[tuple[Callable[[int, int], None], Callable[[Epoch], None]]]:
    """Yield what to call after each step, with the epoch and the images seen in it, and after each epoch.

    Epoch 0 is the computing of features. The bar is drawn only on a terminal.
    """
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), ImagesPerSecond(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        bar = progress.add_task("train", total=(epochs - done) * images)
        features = progress.add_task("features", total=None, visible=False)

        def after_step(epoch: int, seen: int) -> None:
            if epoch == 0:
                progress.update(features, completed=seen, visible=True)
            else:
                progress.update(features, visible=False)
                progress.update(
                    bar, completed=(epoch - done - 1) * images + seen, description=f"epoch {epoch}/{epochs}"
                )

        def after_epoch(epoch: Epoch) -> None:
            left = (epochs - epoch.epoch) * epoch.seconds
            note_numbers(asdict(epoch))
            console.print(
                f"epoch {epoch.epoch}/{epochs}  loss {epoch.train_loss:.4f}  accuracy {epoch.train_accuracy:.3f}  "
                f"check loss {epoch.check_loss:.4f}  check accuracy {epoch.check_accuracy:.3f}  "
                f"{images / epoch.seconds:.0f} images/s  {left:.0f} s left"
            )

        yield after_step, after_epoch
