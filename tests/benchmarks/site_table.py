"""The runs page of a built site in Chromium: when its table is drawn, what a keystroke, a sort and a grouping take.

python tests/benchmarks/site_table.py site

Beside it, in the same browser and in turn: the same runs as one static table, which is what the page would be without
its shards.
"""

import argparse
import os
import re
from pathlib import Path
from statistics import median

from page import table
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FILTER = 'val.accuracy > 0.9 and model.arch == "resnet18"'
BODY = re.compile(r"(<table class=\"rh-table rh-table--runs\">.*?<tbody>)(.*?)(</tbody>)", re.DOTALL)
WATCH = """(() => {
  window.spent = [];
  const painted = (then) => requestAnimationFrame(() => setTimeout(then));
  const drawn = new MutationObserver(() => {
    if (!document.querySelector(".rt-table tbody [data-index]")) return;
    drawn.disconnect();
    painted(() => { window.drawn = performance.now(); });
  });
  drawn.observe(document, {childList: true, subtree: true});
  for (const type of ["input", "click"]) {
    document.addEventListener(type, () => { const began = performance.now();
      painted(() => window.spent.push(performance.now() - began)); }, true);
  }
})()"""
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"


def write_static(site: Path) -> Path:
    """Write all rows of the site's static tables as one page without scripts and return its path."""
    first = site / "runs/index.html"
    pages = [first, *sorted(site.glob("runs/page-*.html"), key=lambda path: int(path.stem.partition("-")[2]))]
    rows = [found[2] for page in pages if (found := BODY.search(page.read_text()))]
    whole = BODY.sub(lambda found: f"{found[1]}{''.join(rows)}{found[3]}", first.read_text())
    static = site / "runs/static.html"
    static.write_text(re.sub(r"<script defer.*?</script>", "", whole))
    return static


def drawn(browser: Browser, path: Path) -> tuple[float, float, Page]:
    """Milliseconds from the navigation and from the load event until the rows are painted, and the page."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True).new_page()
    page.add_init_script(WATCH)
    page.goto(path.as_uri(), timeout=0)
    if path.name == "static.html":
        spent = float(page.evaluate(PAINTED))
    else:
        page.wait_for_function("window.drawn")
        spent = float(page.evaluate("window.drawn"))
    return spent, spent - float(page.evaluate(LOADED)), page


def acted(page: Page) -> dict[str, list[float]]:
    """Milliseconds from each event to the next paint."""
    found: dict[str, list[float]] = {}
    for name, act in {
        "a keystroke in the filter": lambda: page.locator("#rt-filter").press_sequentially(FILTER, delay=150),
        "clearing the filter": lambda: page.locator("#rt-filter").fill(""),
        "sorting by a metric": lambda: page.get_by_role("button", name="val.accuracy").click(),
        "grouping by a parameter": lambda: page.get_by_label("Group by").select_option("params.train.lr"),
    }.items():
        page.evaluate("window.spent = []")
        act()
        page.wait_for_function("window.spent.length > 0")
        page.wait_for_timeout(300)
        found[name] = page.evaluate("window.spent")
    return found


def measure(site: Path, rounds: int) -> str:
    """The figures of the runs page of *site* as a Markdown table, with the ratio to one static table."""
    static_page, ours, loaded, static = write_static(site), [], [], []
    actions: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            spent, after, page = drawn(browser, site / "runs/index.html")
            ours.append(spent)
            loaded.append(after)
            for name, found in acted(page).items():
                actions.setdefault(name, []).extend(found)
            page.context.close()
            spent, _, page = drawn(browser, static_page)
            static.append(spent)
            page.context.close()
        browser.close()
    static_page.unlink()
    first = {"the table, from the navigation": ours, "the same, after the load event": loaded}
    named = {**first, **actions, "one static table of all runs": static}
    rows = [[name, f"{median(found):.0f}", f"{max(found):.0f}"] for name, found in named.items()]
    ratio = median(slow / fast for slow, fast in zip(static, ours, strict=True))
    data = sum(path.stat().st_size for path in site.glob("assets/shards/runs-*.js"))
    said = f"Drawn {ratio:.1f} times as fast as one static table. Shards: {data / 1e6:.2f} MB."
    load = f"Load: {os.getloadavg()[0]:.1f}."
    return f"{table(['milliseconds to the paint', 'median', 'worst'], rows)}\n\n{said} {load}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path, help="a built site of many runs")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(measure(given.site.absolute(), given.rounds))


if __name__ == "__main__":
    main()
