"""Decoding images side by side: within a budget of memory, and without Pillow's remarks."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from runhive.decode import MOST_PIXELS


class PixelBudget:
    """Lets images be decoded side by side while they have no more than `most` pixels in all."""

    def __init__(self, most: int = MOST_PIXELS) -> None:
        self.left = most
        self.changed = Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait for *pixels*, which are at most all of the budget, and hold them."""
        with self.changed:
            self.changed.wait_for(lambda: self.left >= pixels)
            self.left -= pixels
        try:
            yield
        finally:
            with self.changed:
                self.left += pixels
                self.changed.notify_all()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about odd files quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
