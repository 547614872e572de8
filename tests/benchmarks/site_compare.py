"""The Compare page in Chromium: 20 runs of 1,000 epochs among many, to its sections and to the last of its charts.

python tests/benchmarks/site_compare.py --runs 10000

In a usual window the sections are there and the charts wait until they are scrolled to; in a tall one all six charts of
20 lines with 1,000 points are drawn. Each run has answers to 500 images, so 19 pairs are tested. Times are from the
navigation on and from the load event on; beside them what the page's main thread computed, which a busy machine
lengthens less. Then what the shards of the site weigh.
"""

import argparse
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import many_runs
import numpy as np
from page import table
from playwright.sync_api import Browser, sync_playwright

from runhive.formats.predictions import Predictions, to_csv
from runhive.report.site import build
from runhive.tracking.ledger.ledger import Ledger

CHROMIUM = "/usr/bin/chromium"
ROOT = Path(__file__).parents[2]
LONG, EPOCHS, CHARTS = 20, 1000, 6
USUAL, TALL = 900, 4000  # pixels
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
DRAWN = f"""new Promise((done) => {{
  const look = () => document.querySelectorAll(".rh-curves canvas").length === {CHARTS}
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now()))) : requestAnimationFrame(look);
  look();
}})"""


def add_long_runs(ledger: Ledger) -> list[str]:
    """Give the last 20 runs 1,000 epochs and answers to 500 images, and return their ids."""
    ids = [row["run_id"] for row in ledger.rows()[:LONG]]
    for number, run_id in enumerate(ids):
        files = {"history.csv": long_history(number), "predictions.csv": predictions(number)}
        ledger.append(run_id, [], files)
    return ids


def long_history(seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    rows = [many_runs.COLUMNS]
    for epoch in range(1, EPOCHS + 1):
        loss = 2 / epoch**0.3 + chance.normal() / 50
        rows.append(f"{epoch},0.01,{loss:.6f},{1 - loss / 4:.6f},{loss + 0.1:.6f},{0.95 - loss / 4:.6f},4.8")
    return ("\n".join(rows) + "\n").encode()


def predictions(seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    labels = np.arange(many_runs.IMAGES) % 10
    chosen = np.where(chance.random(many_runs.IMAGES) < 0.9, labels, (labels + 1) % 10)
    names = [f"val/{index}.png" for index in range(many_runs.IMAGES)]
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    return to_csv(Predictions(many_runs.CLASSES, names, digests, labels, 4.0 * np.eye(10)[chosen]))


def compared(browser: Browser, address: str, height: int) -> tuple[float, float, float]:
    """Milliseconds until the page is whole in a window of this height, from the navigation on and from the load event
    on, and those that its main thread computed."""
    page = browser.new_context(viewport={"width": 1440, "height": height}, bypass_csp=True).new_page()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.goto(address)
    page.wait_for_selector(".rh-compared:not([aria-busy])", state="attached")
    spent = float(page.evaluate("performance.getEntriesByName('rh-compared')[0].startTime"))
    if height == TALL:
        spent = float(page.evaluate(DRAWN))
    loaded = float(page.evaluate(LOADED))
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    page.context.close()
    return spent, spent - loaded, 1000 * float(metrics["ThreadTime"])


def weights(site: Path, runs: int) -> Iterator[list[object]]:
    """Rows of what the shards weigh: in all, and a run."""
    folder = site / "assets/shards"
    for name, pattern in (("table of all runs", "runs-*.js"), ("where each run's shard lies", "details-*.js"),
                          ("a shard for each run", "[0-9]*.js"), ("marks of the trends", "trends-*.js")):  # fmt: skip
        total = sum(path.stat().st_size for path in folder.glob(pattern))
        yield [name, f"{total / 1e6:.2f}", f"{total / runs / 1e3:.2f}"]


def measure(scratch: Path, runs: int, rounds: int) -> str:
    """Make a site in *scratch* and return the figures as Markdown."""
    ledger = many_runs.make_ledger(scratch / "ledger", runs)
    ids = add_long_runs(ledger)
    site = scratch / "site"
    build(ledger, ROOT, site)
    address = f"{(site / 'compare/index.html').as_uri()}#runs={','.join(ids)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        found = {
            height: [compared(browser, address, height) for _ in range(rounds + 1)][
                1:
            ]  # the first fills the file cache
            for height in (USUAL, TALL)
        }
        browser.close()
    named = {USUAL: "sections", TALL: f"all {CHARTS} charts of {LONG} lines, {EPOCHS} points"}
    times = [
        [named[height], *(f"{median(one):.0f}" for one in zip(*spent, strict=True))] for height, spent in found.items()
    ]
    header = ["milliseconds, median", "from the navigation", "after the load event", "of the main thread"]
    return (
        f"{table(header, times)}\n\n"
        f"{table(['shards', 'MB', 'kB a run'], list(weights(site, runs)))}\n\n"
        f"{runs:,} runs. Load {os.getloadavg()[0]:.1f}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="benchmark-site-compare-") as scratch:
        print(measure(Path(scratch), given.runs, given.rounds))


if __name__ == "__main__":
    main()
