"""A run's model in its page: ONNX Runtime Web answers as Python's does, from a folder and from a strict server."""

import base64
import io
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tryit_ledger
from html_reader import read
from playwright.sync_api import Browser, Page
from tryit_ledger import ABSENT, BROKEN, HERE, Tried

from runhive.report.site import build
from runhive.report.summary import summarize
from runhive.report.tryit.shelf import MOST_BYTES, MOST_OF_ALL, shelve

# What the page needs and no more; the theme's own inline scripts are refused here, which is told and does no harm.
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; connect-src 'none'"
)
HEAVY = re.compile(r"/(models|try-it)/|/shards/try-it-")


class Strict(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    return tryit_ledger.make(tmp_path_factory.mktemp("tried"))


@pytest.fixture(scope="module")
def tried_site(tried: Tried, source: Path) -> Path:
    build(tried.ledger, source, tried.root / "site")
    return tried.root / "site"


@pytest.fixture(scope="module")
def server(tried_site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Strict, directory=str(tried_site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["file", "http"])
def page(request: pytest.FixtureRequest, tried_site: Path, browser: Browser) -> Iterator[Page]:
    """The run's page with its model loaded by a click; nothing of it was asked for before."""
    base = tried_site.as_uri() if request.param == "file" else request.getfixturevalue("server")
    opened = browser.new_page()
    asked: list[str] = []
    opened.on("request", lambda one: asked.append(one.url))
    opened.goto(f"{base}/runs/{HERE}.html")
    assert asked and not [url for url in asked if HEAVY.search(url)]
    opened.get_by_role("button", name="Load the model").click()
    opened.locator("[data-difference]").wait_for()
    assert all(url.startswith((base, "blob:", "data:")) for url in asked)
    yield opened
    opened.close()


def shares(page: Page) -> dict[str, float]:
    """The bars of the answer that is shown, by class."""
    bars = page.locator(".rh-try__bars li")
    names = bars.locator(":scope > :first-child").all_inner_texts()
    return dict(
        zip(names, (float(text.split()[0]) for text in bars.locator(".rh-try__share").all_inner_texts()), strict=True)
    )


def test_the_page_answers_as_python_does_and_says_within_what(page: Page) -> None:
    badge = page.locator("[data-difference]")
    difference = float(badge.get_attribute("data-difference") or "nan")

    assert 0 <= difference < 1e-5
    assert (
        badge.inner_text() == f"Equal to Python within {page.evaluate('(value) => value.toExponential(1)', difference)}"
    )


def test_each_sample_shows_the_answer_that_python_gives_for_its_file(page: Page, tried: Tried) -> None:
    buttons = page.locator(".rh-try__sample")
    for index in range(buttons.count()):
        buttons.nth(index).click()
        path = page.locator(".rh-try__title").inner_text()
        (expected,) = tried.model.predict([tried.root / "data/images" / path])

        assert buttons.nth(index).get_attribute("aria-pressed") == "true"
        assert shares(page) == pytest.approx({name: 100 * p for name, p in expected.probabilities.items()}, abs=0.051)
    assert buttons.count() == 6
    assert page.evaluate("window.pwned") is None


def test_a_picture_of_ones_own_is_answered_as_python_answers_it(page: Page, tried: Tried, tmp_path: Path) -> None:
    own = tmp_path / "own.png"
    PIL.Image.fromarray(np.random.default_rng(3).integers(0, 256, (91, 130, 3), np.uint8)).save(own)
    page.locator("[data-part=field] input").set_input_files(own)
    page.get_by_text("own.png").wait_for()
    (expected,) = tried.model.predict([own])

    assert shares(page) == pytest.approx({name: 100 * p for name, p in expected.probabilities.items()}, abs=0.051)


def test_a_file_that_is_no_picture_is_told_and_the_next_one_is_answered(page: Page, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no picture")
    page.locator("[data-part=field] input").set_input_files(tmp_path / "no.png")

    page.get_by_text("no.png is no picture that this browser can read").wait_for()
    page.locator(".rh-try__sample").first.click()
    assert len(shares(page)) == 2


def test_samples_are_as_large_as_the_model_takes_them_and_have_no_profile(tried_site: Path) -> None:
    (shard,) = (tried_site / "assets/shards").glob("try-it-*.js")
    text = shard.read_text().partition("','")[2].rpartition("')")[0].encode().decode("unicode_escape")
    offered = json.loads(text)
    pictures = [PIL.Image.open(io.BytesIO(base64.b64decode(one["png"]))) for one in offered["samples"]]

    assert len(pictures) == 6
    assert {(picture.size, picture.mode, "icc_profile" in picture.info) for picture in pictures} == {
        ((48, 48), "RGB", False)
    }
    assert all(one["recorded"] < 1e-5 for one in offered["samples"])


def test_the_page_of_a_model_that_is_elsewhere_says_so_and_how_to_get_it(tried_site: Path) -> None:
    shown = read(tried_site / "runs" / f"{ABSENT}.html").text

    assert "cannot be tried in this page: the machine that built this page does not have its file" in shown
    assert f"runhive runs download {ABSENT} models/model.onnx" in shown
    assert "Load the model" not in shown


def test_a_model_that_answers_no_numbers_is_not_offered_and_the_page_says_why(tried_site: Path) -> None:
    shown = read(tried_site / "runs" / f"{BROKEN}.html").text

    assert "cannot be tried in this page: its answers are no finite numbers" in shown


def test_a_damaged_file_in_the_cache_is_not_put_into_the_site(tried: Tried, tmp_path: Path) -> None:
    other = tryit_ledger.make(tmp_path)
    summaries = [summarize(run) for run in other.ledger.runs()]
    assert len(shelve(summaries, tmp_path).files) == 2
    for kept in tmp_path.rglob("files/md5/*/*"):
        kept.chmod(0o644)
        content = bytearray(kept.read_bytes())
        content[100] ^= 1
        kept.write_bytes(content)

    assert shelve(summaries, tmp_path).files == {}


def test_a_second_build_makes_no_other_copy_of_a_model(tried: Tried, tried_site: Path, source: Path) -> None:
    (model,) = (tried_site / "models").glob("*.js")
    before = model.stat().st_ino
    build(tried.ledger, source, tried.root / "again")
    (again,) = (tried.root / "again/models").glob("*.js")

    assert again.name == model.name and again.stat().st_ino == before
    assert MOST_BYTES < MOST_OF_ALL
