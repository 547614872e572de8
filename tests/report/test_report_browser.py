"""The site in Debian's Chromium, from file://: on phones, in the dark, without JavaScript."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, expect

from runhive.tracking.ledger.ledger import Ledger

Scheme = Literal["light", "dark"]
CONTRAST = """() => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const known = {};
  const rgba = colour => known[colour] ??= paint(colour);
  const paint = colour => { pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
                           return [...pen.getImageData(0, 0, 1, 1).data].map(v => v / 255); };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const ground = element => { if (!element) return [1, 1, 1, 1];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] > .999 ? own : over(own, ground(element.parentElement)); };
  const light = c => c.slice(0, 3).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                      .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const poor = [];
  const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (!walker.currentNode.data.trim() || !box.width || element.closest("title, desc, .headerlink")) continue;
    const back = ground(element);
    const front = over(rgba(element.namespaceURI.endsWith("svg") ? style.fill : style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push([walker.currentNode.data.trim(), (a + .05) / (b + .05)]);
  }
  return poor;
}"""


def some_pages(site: Path) -> list[Path]:
    """Home, the table, and a run of each state; of the hostile ones, those that differ in shape."""
    runs = ("20261122-09", "20261119-15", "20261121-07", "20261121-16", "20261123-12")
    attacks = tuple(f"20261101-000{number}" for number in (102, 109, 110, 202, 300))
    found = [path for path in (site / "runs").iterdir() if path.name.startswith((*runs, *attacks))]
    own = [
        site / name
        for name in ("index.html", "runs/index.html", "compare/index.html", "trends/index.html", "models/index.html")
    ]
    return [*own, *sorted((site / "data").glob("*.html")), *sorted(found)]


def open_page(browser: Browser, path: Path, **context: Any) -> Any:
    page = browser.new_context(**context).new_page()
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("which", ["site", "hostile_site", "empty_site"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_window(
    which: str, width: int, browser: Browser, request: pytest.FixtureRequest
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=which == "site")
    page = context.new_page()
    wide = []
    for path in some_pages(request.getfixturevalue(which)):
        page.goto(path.as_uri(), wait_until="load")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(path.name)
    context.close()

    assert wide == []


def test_the_table_of_runs_scrolls_inside_its_own_frame_on_a_phone(site: Path, browser: Browser) -> None:
    page = open_page(browser, site / "runs/index.html", viewport={"width": 390, "height": 800})
    frame = page.locator(".rt-frame")

    assert frame.evaluate("one => one.scrollWidth > one.clientWidth")
    assert frame.get_attribute("tabindex") == "0" and frame.get_attribute("aria-label")
    page.context.close()


@pytest.mark.parametrize("has_script", [True, False])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_follow_the_system_s_scheme(scheme: Scheme, has_script: bool, site: Path, browser: Browser) -> None:
    page = open_page(browser, site / "index.html", color_scheme=scheme, java_script_enabled=has_script)
    ground = page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor")
    red = int(ground.partition("(")[2].partition(",")[0])
    page.context.close()

    assert red > 200 if scheme == "light" else red < 60


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(scheme: Scheme, site: Path, browser: Browser) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    poor = []
    for path in some_pages(site):
        page.goto(path.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        poor += [(path.name, *one) for one in page.evaluate(CONTRAST)]
    context.close()

    assert poor == []


def test_everything_is_there_without_javascript(site: Path, browser: Browser) -> None:
    path = max((site / "runs").glob("20261122-09*.html"))
    texts = []
    for has_script in (True, False):
        page = open_page(browser, path, java_script_enabled=has_script)
        page.locator("[data-closer]").evaluate("one => one.remove()")  # there is nothing to zoom without it
        texts.append(page.locator(".rh").inner_text())
        page.context.close()

    assert texts[0] == texts[1]
    assert "Learning curves" in texts[1]


def address_of(page: Path, scheme: str, served: Callable[[Path], str]) -> str:
    return page.as_uri() if scheme == "file" else served(page)


def test_every_page_allows_scripts_of_the_site_alone(site: Path) -> None:
    for path in site.rglob("*.html"):
        (policy,) = re.findall(r'http-equiv="?Content-Security-Policy"? content="([^"]*)"', path.read_text())
        (scripts,) = [one for one in policy.split("; ") if one.startswith("script-src ")]

        assert re.fullmatch(r"script-src 'self'( 'sha256-[\w+/=]+')*", scripts), path


def test_an_inline_script_that_got_into_a_page_does_not_run(site: Path, browser: Browser, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "site")
    path = next((tmp_path / "site/runs").glob("2026*.html"))
    attack = "<script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
    path.write_text(path.read_text().replace("</article>", f"{attack}</article>"))
    page = open_page(browser, path)
    page.wait_for_load_state("networkidle")

    assert page.evaluate("window.pwned") is None
    page.context.close()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_palette_is_switched_and_kept(
    scheme: str, site: Path, browser: Browser, served: Callable[[Path], str]
) -> None:
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(address_of(site / "index.html", scheme, served))
    for _ in range(2):  # follow the system, light, dark
        page.locator("form[data-md-component=palette] label:not([hidden])").click()

    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    page.goto(address_of(site / "runs/index.html", scheme, served))
    assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
    context.close()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_search_finds_a_run_and_leads_to_its_page(
    scheme: str, site: Path, browser: Browser, served: Callable[[Path], str]
) -> None:
    run = next((site / "runs").glob("20261122-09*.html")).stem
    page = browser.new_page()
    page.goto(address_of(site / "data/index.html", scheme, served))
    page.locator(".md-search__input").click()
    page.keyboard.type(run)
    page.locator(".md-search-result__link").first.click()
    page.wait_for_url(re.compile(rf"{run}\.html"))

    assert run in page.locator("h1").inner_text()
    page.close()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_search_finds_failed_runs_by_their_cause(
    scheme: str, ledger: Ledger, site: Path, browser: Browser, served: Callable[[Path], str]
) -> None:
    run = next(run for run in ledger.runs() if run.state == "failed")
    page = browser.new_page()
    page.goto(address_of(site / "runs/index.html", scheme, served))
    page.locator(".md-search__input").click()
    page.keyboard.type(str(run.cause).partition("(")[0])

    expect(page.locator(f'.md-search-result__link[href*="{run.run_id}"]')).to_be_visible()
    page.close()


def test_the_search_shows_hostile_runs_literally(hostile_site: Path, browser: Browser) -> None:
    page = browser.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.goto((hostile_site / "index.html").as_uri())
    page.locator(".md-search__input").click()
    for word in ("20261101",):
        page.keyboard.type(word)
        page.locator(".md-search-result__item").first.wait_for()

        assert page.evaluate("window.pwned") is None
        assert page.locator(".md-search-result img, .md-search-result script").count() == 0
    page.close()

    assert told == []


def test_a_page_prints_without_what_is_only_to_click(site: Path, browser: Browser) -> None:
    page = open_page(browser, max((site / "runs").glob("20261122-09*.html")))
    page.emulate_media(media="print")

    assert not page.locator(".md-header").is_visible()
    assert not page.locator(".rh-jump").is_visible()
    assert page.locator("#metrics").is_visible()
    assert page.evaluate("getComputedStyle(document.body).colorScheme") != "dark"
    page.context.close()
