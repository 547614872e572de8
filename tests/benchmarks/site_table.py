"""The runs page in Chromium at many runs: when its table is drawn, what a keystroke, a sort and a grouping take.

python tests/benchmarks/site_table.py --runs 10000

Beside it, in the same browser: the same rows as one static table, which is what a page without shards would be.
"""

import argparse
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from page import table
from playwright.sync_api import Browser, Page, sync_playwright

from runhive.report import site
from runhive.report.shards import FOLDER, write_run_shards
from runhive.report.shell import render_shell
from runhive.report.summary import Summary, summarize
from runhive.tracking.ledger.row import row_of
from runhive.tracking.ledger.run import Event, Run, fold

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
FILTER = 'val.accuracy > 0.9 and model.arch == "resnet18"'
WATCH = """(() => {
  window.spent = [];
  const painted = (then) => requestAnimationFrame(() => setTimeout(then));
  const drawn = new MutationObserver(() => {
    if (!document.querySelector(".rt-table tbody [data-index], [data-runs-static] tbody tr:last-child")) return;
    drawn.disconnect();
    painted(() => { window.drawn = performance.now(); });
  });
  if (!location.href.includes("static")) drawn.observe(document, {childList: true, subtree: true});
  for (const type of ["input", "click"]) {
    document.addEventListener(type, () => { const began = performance.now();
      painted(() => window.spent.push(performance.now() - began)); }, true);
  }
})()"""


def draw_run(number: int, rng: random.Random) -> Run:
    """A completed run with 10 parameters, 8 metrics, code, data and a comparison."""
    accuracy, images = rng.uniform(0.7, 0.99), 153 + 47 * (number % 9 == 0)
    day, minute = (
        f"2026-{number // 2500 + 1:02d}-{number // 100 % 25 + 1:02d}",
        f"{number // 60 % 24:02d}:{number % 60:02d}",
    )
    time = f"{day}T{minute}:00.000+00:00"
    digest = f"{images:064x}"
    params = {
        "model": {"arch": rng.choice(["resnet18", "resnet50", "efficientnet_lite0"]), "image_size": 224},
        "train": {
            "mode": rng.choice(["finetune", "frozen"]), "epochs": rng.choice([10, 20, 30]), "seed": number % 5,
            "lr": rng.choice([0.1, 0.01, 0.001]), "batch_size": 32, "weight_decay": rng.choice([0.0, 1e-4]),
            "label_smoothing": rng.choice([0, 0.1]), "warmup_epochs": rng.choice([0, 3]),
        },
    }  # fmt: skip
    metrics = {"val.accuracy": accuracy, "val.accuracy_low": accuracy - 0.03, "val.accuracy_high": accuracy + 0.02}
    metrics |= {f"val.{name}": rng.uniform(0, 1) for name in ("macro_f1", "nll", "brier", "ece")}
    evaluation = {"evaluation_set": {"name": "val", "digest": digest, "images": images}, "metrics_version": 1}
    code = {"commit": f"{rng.getrandbits(160):040x}", "branch": "main", "dirty": False}
    compared = {
        "baseline": None,
        "comparable": True,
        "won": rng.randrange(9),
        "lost": rng.randrange(9),
        "p": rng.random(),
    }
    started = {"experiment": rng.choice(["ants-and-bees", "digits"]), "params": params, "code": code}
    events = [
        Event("started", started | {"data": {"digest": digest}, "tags": rng.choice([[], ["best"]])}, time=time),
        Event("trained", {"record_md5": f"{rng.getrandbits(128):032x}", "images_per_second": rng.uniform(50, 900)}),
        Event("evaluated", {"metrics": metrics, "evaluation": evaluation}, time=time),
        Event("compared", compared, time=time),
        Event("finished", {"state": rng.choice(["completed"] * 9 + ["failed"]), "attempt": 1}, time=time),
    ]
    return fold(f"20260101-{number:06d}-{rng.getrandbits(24):06x}", events)


def write_pages(runs: Sequence[Run], folder: Path) -> int:
    """Write the runs page of *runs* into *folder* and return the bytes of its shards."""
    render_shell(ROOT, folder, 0)
    for asset in site.ASSETS.iterdir():
        (folder / "assets" / asset.name).write_bytes(asset.read_bytes())
    summaries: list[Summary] = [summarize(run) for run in runs]
    shards = write_run_shards([row_of(run) for run in runs], folder)
    shell = (folder / "runs/index.html").read_bytes()
    site.RUNS_A_PAGE = len(runs)
    site._write_tables(summaries, [], folder)
    (folder / "runs/index.html").rename(folder / "runs/static.html")
    (folder / "runs/index.html").write_bytes(shell)
    site.RUNS_A_PAGE = 500
    site._write_tables(summaries, shards, folder)
    return sum((folder / path).stat().st_size for path in shards)


def drawn(browser: Browser, address: str) -> tuple[float, Page]:
    """Milliseconds from the navigation until the rows are painted, and the page."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(WATCH)
    page.goto(address)
    if address.endswith("static.html"):
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        return float(page.evaluate("performance.now()")), page
    page.wait_for_function("window.drawn")
    return float(page.evaluate("window.drawn")), page


def acted(page: Page) -> dict[str, list[float]]:
    """Milliseconds from each event to the next paint."""
    found: dict[str, list[float]] = {}
    for name, act in {
        "keystroke": lambda: page.locator("#rt-filter").press_sequentially(FILTER, delay=120),
        "clear": lambda: page.locator("#rt-filter").fill(""),
        "sort": lambda: page.get_by_role("button", name="val.accuracy").click(),
        "group by": lambda: page.get_by_label("Group by").first.select_option("params.train.lr"),
    }.items():
        page.evaluate("window.spent = []")
        act()
        page.wait_for_function("window.spent.length > 0")
        page.wait_for_timeout(300)
        found[name] = page.evaluate("window.spent")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder to build the pages in and leave there")
    given = parser.parse_args()
    rng = random.Random(0)
    runs = [draw_run(number, rng) for number in range(given.runs)][::-1]
    with TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = given.keep or Path(scratch)
        data = write_pages(runs, folder)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        ours: list[float] = []
        static: list[float] = []
        actions: dict[str, list[float]] = {}
        for _ in range(given.rounds):
            spent, page = drawn(browser, (folder / "runs/index.html").as_uri())
            ours.append(spent)
            for name, found in acted(page).items():
                actions.setdefault(name, []).extend(found)
            page.close()
            spent, page = drawn(browser, (folder / "runs/static.html").as_uri())
            static.append(spent)
            page.close()
        browser.close()
        rows = [["table drawn", f"{median(ours):.0f}", f"{max(ours):.0f}"]]
        rows += [[name, f"{median(found):.0f}", f"{max(found):.0f}"] for name, found in actions.items()]
        rows += [["one static table of all", f"{median(static):.0f}", f"{max(static):.0f}"]]
        sys.stdout.write(f"{given.runs} runs, {data / 1e6:.2f} MB in {FOLDER}, load {os.getloadavg()[0]:.1f}\n")
        sys.stdout.write(table(["milliseconds to the paint", "median", "worst"], rows) + "\n")
        ratio = median(one / other for one, other in zip(static, ours, strict=True))
        sys.stdout.write(f"drawn {ratio:.1f} times as fast as one static table\n")


if __name__ == "__main__":
    main()
