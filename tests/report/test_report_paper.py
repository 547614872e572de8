"""The pages as they are printed: dark on white, and whole, whatever the screen was."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from test_report_every_page import page_of

from runhive.tracking.ledger.ledger import Ledger

A4 = {"width": 700, "height": 1000}  # pixels within its margins
INK = """() => [...document.querySelectorAll("article :is(h1, h2, p, td, th, li, figcaption, pre)")]
  .filter(one => one.textContent.trim() && one.getBoundingClientRect().width)
  .map(one => getComputedStyle(one).color.match(/[\\d.]+/g).map(Number))
  .filter(([red, green, blue]) => .2126 * red + .7152 * green + .0722 * blue > 150).length"""
WIDE = """() => [...document.querySelectorAll("article :is(table, svg, canvas, pre)")].filter(one =>
  one.getBoundingClientRect().right > innerWidth + 1).map(one => one.outerHTML.slice(0, 150))"""


@pytest.mark.parametrize("kind", ["home", "runs", "compare two", "trends", "models", "completed", "failed"])
def test_a_page_on_paper_is_dark_on_white_and_nothing_is_cut_off(
    kind: str, site: Path, ledger: Ledger, browser: Browser
) -> None:
    page = browser.new_context(viewport=A4, color_scheme="dark").new_page()
    path, state = page_of(kind, site, ledger)
    page.goto(path.as_uri() + state, wait_until="networkidle")
    if state:
        page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")
    light = page.evaluate(INK)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert light > 0, "the screen is dark"
    assert page.evaluate(INK) == 0
    assert page.evaluate(WIDE) == []
    assert page.locator(".rh-plot:not(:has(canvas))").count() == 0
    page.context.close()
