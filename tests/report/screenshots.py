"""Pictures of a built site to look at: a page of each kind at three widths, light and dark, whole.

python tests/report/screenshots.py site pictures
python tests/report/screenshots.py site pictures --page data/index.html
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
WIDTHS = (390, 820, 1440)  # a phone, a tablet, a screen
HEIGHT = 900
SCHEMES = ("light", "dark")
SHELL = [f"{name}index.html" for name in ("", "runs/", "compare/", "trends/", "data/", "models/")]
MOST_COMPARED = 5
SEEN = """async () => {
  for (let top = 0; top < document.body.scrollHeight; top += innerHeight) {
    scrollTo(0, top);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
  scrollTo(0, 0);
  const waited = [...document.images].filter((one) => one.checkVisibility() && one.loading === "lazy" && !one.complete);
  const there = Promise.all(waited.map((one) => new Promise((done) => { one.onload = one.onerror = done; })));
  await Promise.race([there, new Promise((done) => setTimeout(done, 3000))]); // some lie beside their frame
}"""


def pages_of(site: Path) -> list[str]:
    """The shell's pages, the newest run, and the newest runs compared."""
    ids = sorted((path.stem for path in (site / "runs").glob("2*.html")), reverse=True)
    runs = [f"runs/{ids[0]}.html", f"compare/index.html#runs={','.join(ids[:MOST_COMPARED])}"] if ids else []
    return SHELL + runs


def take(browser: Browser, site: Path, pages: Sequence[str], folder: Path) -> list[Path]:
    """Write the pictures into *folder* and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
            page = context.new_page()
            taken += [_take(page, site, name, folder / f"{_named(name)}-{width}-{scheme}.png") for name in pages]
            context.close()
    return taken


def _take(page: Page, site: Path, name: str, path: Path) -> Path:
    """Take one picture, once all that waits to be scrolled to is there."""
    file, mark, state = name.partition("#")
    page.goto("about:blank")  # another state of the same file would load nothing
    page.goto((site / file).absolute().as_uri() + mark + state, wait_until="networkidle")
    page.evaluate(SEEN)
    page.screenshot(path=path, full_page=True)
    return path


def _named(page: str) -> str:
    file, mark, _ = page.partition("#")
    return file.removesuffix(".html").replace("/", "-") + ("-chosen" if mark else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path, help="a built site")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--page", action="append", help="a page of the site, with what comes behind its #")
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for path in take(browser, given.site, given.page or pages_of(given.site), given.folder):
            print(path)
        browser.close()


if __name__ == "__main__":
    main()
