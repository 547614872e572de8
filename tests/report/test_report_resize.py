"""assets/resize.js prepares an image as Python does: the same grey levels, for any size."""

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from runhive.formats.preprocess import Preprocess
from runhive.preprocess import to_input
from runhive.report.site import ASSETS

IN_PAGE = """([pixels, width, height, side, size]) => {
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  return Array.from(window.runhive.toInput(bytes, width, height, side, size));
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("resize")
    script = "".join((ASSETS / name).read_text() for name in ("runhive.js", "resize.js"))
    (folder / "page.html").write_text(f"<!doctype html><script>{script}</script>")
    opened = browser.new_page()
    opened.goto((folder / "page.html").as_uri())
    yield opened
    opened.close()


def in_page(page: Page, pixels: NDArray[np.uint8], side: int, size: int) -> NDArray[np.uint8]:
    height, width, _ = pixels.shape
    told = [base64.b64encode(pixels.tobytes()).decode(), width, height, side, size]
    return np.array(page.evaluate(IN_PAGE, told), np.uint8).reshape(3, size, size)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 300), height=st.integers(1, 300), side=st.integers(1, 90), size=st.integers(1, 90),
    kind=st.sampled_from(["noise", "black and white", "slope"]), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@example(width=500, height=375, side=256, size=224, kind="noise", seed=0)  # as a photo is prepared
@example(width=8, height=8, side=40, size=40, kind="noise", seed=0)  # enlarged, as the digits are
@example(width=64, height=64, side=64, size=64, kind="noise", seed=0)  # neither resized nor cut
@example(width=33, height=30, side=30, size=30, kind="noise", seed=0)  # half a pixel at each side
@example(width=20, height=30, side=20, size=33, kind="noise", seed=0)  # cut beyond its edges
def test_the_page_resizes_and_cuts_as_pillow_does_level_by_level(
    width: int, height: int, side: int, size: int, kind: str, seed: int, page: Page
) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    if kind == "black and white":
        pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
    if kind == "slope":
        pixels = (np.add.outer(np.arange(height), np.arange(width))[..., None] + np.arange(3)).astype(np.uint8)
    preprocess = Preprocess(image_size=size, resize_size=side, mean=(0, 0, 0), std=(1, 1, 1))

    assert np.array_equal(in_page(page, pixels, side, size), to_input(PIL.Image.fromarray(pixels), preprocess))
