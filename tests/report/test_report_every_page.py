"""Each kind of page in Debian's Chromium: from a folder and under a sub-path of a server, in both themes."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest
import screenshots
from playwright.sync_api import Browser, Page, expect
from test_report_browser import Scheme, address_of

from runhive.report.site import Plan, build
from runhive.tracking.ledger.ledger import Ledger

ROOT = Path(__file__).parents[2]
SHIFTED = """new Promise((done) => {
  const seen = new PerformanceObserver((list) => done(list.getEntries().reduce((sum, one) => sum + one.value, 0)));
  seen.observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(0), 200); // the observer is told of the past at once, if there was any
})"""
Axe = Callable[[Page], list[list[str]]]
DOCS = ("tutorial/first-run", "how-to/compare", "reference/params", "explanation/performance")
KINDS = (
    "home", "runs", "compare", "compare two", "compare eight", "trends", "data", "models",
    "completed", "failed", "canceled", "lost", "running",
)  # fmt: skip


def page_of(kind: str, site: Path, ledger: Ledger) -> tuple[Path, str]:
    """The file of a page of that kind, and what comes behind the # of its address."""
    runs = ledger.runs()
    match kind.split():
        case ["home"]:
            return site / "index.html", ""
        case ["compare", many]:
            ids = [run.run_id for run in runs if run.state == "completed"][-{"two": 2, "eight": 8}[many] :]
            return site / "compare/index.html", f"#runs={','.join(ids)}"
        case ["runs" | "compare" | "trends" | "data" | "models"]:
            return site / kind / "index.html", ""
        case _:
            run = next(run for run in runs if run.state == kind)
            return site / "runs" / f"{run.run_id}.html", ""


@pytest.fixture(scope="session")
def docs_site(empty_ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with all pages of the docs."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    build(empty_ledger, folder, folder / "site", Plan(static=True))
    return folder / "site"


@pytest.mark.parametrize("scheme", ["file", "http"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_tells_the_console_nothing_asks_no_other_host_and_does_not_jump(
    kind: str, scheme: str, site: Path, ledger: Ledger, told: tuple[Page, list[str]], served: Callable[[Path], str]
) -> None:
    """Neither an error, nor a word of the content security policy, nor a request that leaves the site.

    A layout shift below 0.1 is what web.dev calls good.
    """
    page, said = told
    path, state = page_of(kind, site, ledger)
    page.goto(address_of(path, scheme, served) + state, wait_until="networkidle")
    if state:
        page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")

    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate(SHIFTED) < 0.1
    assert said == []


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_empty_pages_and_the_docs_tell_the_console_nothing_either(
    scheme: str, empty_site: Path, docs_site: Path, told: tuple[Page, list[str]], served: Callable[[Path], str]
) -> None:
    page, said = told
    empty = [empty_site / name for name in ("index.html", "runs/index.html", "compare/index.html", "trends/index.html")]
    for path in [*empty, *(docs_site / f"{name}.html" for name in DOCS)]:
        page.goto(address_of(path, scheme, served), wait_until="networkidle")

    assert said == []


@pytest.mark.parametrize("page_name", ["compare/index.html", "trends/index.html", "runs/index.html"])
def test_hostile_runs_run_nothing_from_a_server_either(
    page_name: str, hostile_site: Path, told: tuple[Page, list[str]], served: Callable[[Path], str]
) -> None:
    page, said = told
    ids = sorted(path.stem for path in (hostile_site / "runs").glob("2026*.html"))[:20]
    state = f"#runs={','.join(ids)}" if page_name.startswith("compare") else ""
    page.goto(served(hostile_site / page_name) + state, wait_until="networkidle")
    if state:
        page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")

    assert page.evaluate("window.pwned") is None
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_page_is_usable_for_all_as_axe_core_sees_it(
    scheme: Scheme, site: Path, ledger: Ledger, empty_site: Path, docs_site: Path, browser: Browser, axe: Axe
) -> None:
    page = browser.new_context(color_scheme=scheme).new_page()
    places = [page_of(kind, site, ledger) for kind in KINDS]
    places += [(empty_site / "index.html", ""), *((docs_site / f"{name}.html", "") for name in DOCS)]
    places += [(path, "") for path in sorted((site / "data").glob("*.html"))]
    found = []
    for path, state in places:
        page.goto("about:blank")
        page.goto(path.as_uri() + state)
        if state:
            page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")
        page.evaluate("document.querySelectorAll('article details').forEach(one => one.open = true)")
        found += [(path.name + state[:5], *fault) for fault in axe(page)]
    page.context.close()

    assert found == [], "\n".join(map(str, found))


def test_by_three_clicks_from_home_one_sees_why_the_latest_run_is_worse_than_the_best(
    site: Path, told: tuple[Page, list[str]]
) -> None:
    """What was set otherwise, how the curves went, and which images were lost."""
    page, said = told
    page.goto((site / "index.html").as_uri())
    page.locator(".rh-experiment", has=page.get_by_text("digits", exact=True)).get_by_text("Compare the two").click()
    page.get_by_role("link", name="Parameters and metrics").click()
    row = page.get_by_role("table", name="Parameters of the runs").get_by_role("row", name="train.lr")

    expect(row).to_contain_text("0.05")
    expect(row).to_contain_text("0.02")
    expect(row).to_be_in_viewport()
    page.get_by_role("button", name="images of run 2").click()
    expect(page.get_by_role("heading", name="Lost by 2: 7")).to_be_visible()
    assert page.locator(".rh-gallery").last.locator("li").count() == 7
    assert said == []


def test_a_page_of_a_run_weighs_less_than_150_kilobytes_until_its_model_or_the_search_is_asked_for(
    site: Path, ledger: Ledger, told: tuple[Page, list[str]], served: Callable[[Path], str]
) -> None:
    """All that a first visit asks for, as GitHub Pages sends it: text is compressed."""
    page, said = told
    run, base = page_of("completed", site, ledger)[0], served(site / "index.html").removesuffix("index.html")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    with page.expect_request("**/search_index.json"):  # the last thing that the theme asks for
        page.goto(served(run), wait_until="networkidle")
    files = [site / url.removeprefix(base).partition("?")[0] for url in asked if url.startswith(base)]
    sent = [file.read_bytes() if file.suffix == ".jpg" else gzip.compress(file.read_bytes()) for file in files]

    assert sum(map(len, sent)) < 150_000, sorted(zip(map(len, sent), files, strict=True))
    assert said == []


def test_pictures_to_look_at_are_taken_at_three_widths_in_both_themes(
    site: Path, browser: Browser, tmp_path: Path
) -> None:
    taken = screenshots.take(browser, site, ["index.html"], tmp_path)
    seen = set()
    for path in taken:
        with PIL.Image.open(path) as picture:
            seen.add((picture.width, picture.convert("RGB").getpixel((2, 300))))

    assert sorted(width for width, _ in seen) == [390, 390, 820, 820, 1440, 1440]
    assert len({ground for _, ground in seen}) == 2, "one light, one dark"
    assert len(screenshots.pages_of(site)) == 8


def test_the_runs_that_are_ticked_are_compared_by_a_click(site: Path, told: tuple[Page, list[str]]) -> None:
    page, said = told
    page.goto((site / "runs/index.html").as_uri())
    ticks = page.locator("input[data-run]")
    chosen = [ticks.nth(number).get_attribute("data-run") for number in (0, 2, 3)]
    for number in (0, 2, 3):
        ticks.nth(number).check()
    page.locator(".rt-compare").click()
    page.wait_for_selector(".rh-compare-section")

    assert sorted(page.locator(".rh-chosen-runs .rh-id").all_inner_texts()) == sorted(filter(None, chosen))
    assert said == []


@pytest.mark.parametrize("width", [390, 1280])
def test_twenty_runs_side_by_side_fit_the_window(
    width: int, many_site: Path, many_runs: Ledger, browser: Browser
) -> None:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    ids = [run.run_id for run in many_runs.runs() if run.state == "completed"][:20]
    page.goto(f"{(many_site / 'compare/index.html').as_uri()}#runs={','.join(ids)}")
    page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")

    assert page.locator(".rh-chosen-runs .rh-id").all_inner_texts() == ids
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.context.close()
