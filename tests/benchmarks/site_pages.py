"""The pages of a built site opened in Chromium, each in a fresh context: its first paint, and when it is loaded.

python tests/benchmarks/site_pages.py site
"""

import argparse
from pathlib import Path
from statistics import median

from page import table
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PAGES = {
    "home": "index.html",
    "runs": "runs/index.html",
    "trends": "trends/index.html",
    "compare": "compare/index.html",
    "models": "models/index.html",
    "data": "data/index.html",
}
PAINTED = """new Promise((done) => {
  const look = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    const [page] = performance.getEntriesByType("navigation");
    if (paint && page.loadEventEnd) done([paint.startTime, page.loadEventEnd]);
    else requestAnimationFrame(look);
  };
  look();
})"""


def opened(browser: Browser, path: Path) -> tuple[float, float]:
    """Milliseconds from the navigation to the first paint of content, and to the end of loading."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True).new_page()
    page.goto(path.as_uri(), timeout=0)
    painted, loaded = page.evaluate(PAINTED)
    page.context.close()
    return painted, loaded


def measure(site: Path, rounds: int) -> str:
    """The figures of the pages of *site* as a Markdown table."""
    newest = max(path.name for path in (site / "runs").glob("2*.html"))
    paths = {**PAGES, "a run": f"runs/{newest}"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened(browser, site / "index.html")  # the first one starts the browser's own processes
        found = {name: [opened(browser, site / path) for _ in range(rounds)] for name, path in paths.items()}
        browser.close()
    rows = [[name, *(f"{median(one):.0f}" for one in zip(*spent, strict=True))] for name, spent in found.items()]
    return table(["page, milliseconds, median", "first paint", "loaded"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path, help="a built site")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(measure(given.site.absolute(), given.rounds))


if __name__ == "__main__":
    main()
