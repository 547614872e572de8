"""The report of 500 and of 10,000 runs: built from nothing, again, and after one more run; memory and weights.

Then pages in Chromium: all kinds of them opened, the table of the 10,000 runs, and 20 of 500 runs compared.
`python tests/benchmarks report_site` takes about five quiet minutes and writes the page;
`python tests/benchmarks/report_site.py --runs 1000` measures as many runs and prints.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import site_compare
import site_mlflow
import site_pages
import site_table
from harness import Cost, run, say
from many_runs import add_runs, make_ledger
from page import publish, table
from repository import ROOT

RUNS = (500, 10_000)
BROWSER_ROUNDS = 3
BUILD = """
import sys
from pathlib import Path
from runhive.report.site import Plan, build
from runhive.tracking.ledger.ledger import open_ledger
print("built", build(open_ledger(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]), Plan(static=True)).runs)
"""


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """Write the figures of each number of runs into the page."""
    publish("report_site", figures(scratch, RUNS, rounds))


def figures(scratch: Path, runs: Sequence[int], rounds: int) -> str:
    """The figures as Markdown; the table in Chromium is that of the last number of runs."""
    rows = [row for number in runs for row in _measured(scratch / str(number), number)]
    header = ["report", "CPU s", "wall s", "peak MB of a process", "KB a run's page", "KB of all a run", "search MB"]
    rounds = max(rounds, BROWSER_ROUNDS)
    site = scratch / str(runs[-1]) / "site"
    say("the pages in Chromium")
    opened = site_pages.measure(scratch / str(runs[0]) / "site", rounds)
    drawn = site_table.measure(site, rounds)
    for name in ("compared", "mlflow"):
        (scratch / name).mkdir()
    peer = site_mlflow.measure(scratch / "mlflow", runs[-1], rounds)
    compared = site_compare.measure(scratch / "compared", runs[0], rounds)
    return "\n\n".join([table(header, rows), opened, drawn, peer, compared])


def _measured(folder: Path, runs: int) -> list[list[object]]:
    for name in ("mkdocs.yml", "docs"):
        (folder / "source").mkdir(parents=True, exist_ok=True)
        (folder / "source" / name).symlink_to(ROOT / name)
    say(f"{runs:,} runs are made")
    make_ledger(folder / "ledger", runs)
    first, again = _build(folder), _build(folder)
    add_runs(folder / "ledger", range(runs, runs + 1))
    more = _build(folder)
    weights = _weights(folder / "site")
    named = {"from nothing": first, "nothing changed": again, "one more run": more}
    return [[f"{runs:,} runs, {name}", *_figures(cost), *weights] for name, cost in named.items()]


def _build(folder: Path) -> Cost:
    arguments = map(str, (folder / "ledger", folder / "source", folder / "site"))
    return run([sys.executable, "-c", BUILD, *arguments], folder)


def _figures(cost: Cost) -> list[str]:
    return [f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.peak / 1e6:.0f}"]


def _weights(site: Path) -> list[str]:
    """Kilobytes of a run's page, of all files a run, and megabytes of what the search loads."""
    pages = [page.stat().st_size for page in (site / "runs").glob("2*.html")]
    everything = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    search = (site / "search/docs.js").stat().st_size
    return [f"{sum(pages) / len(pages) / 1000:.1f}", f"{everything / len(pages) / 1000:.1f}", f"{search / 1e6:.2f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=BROWSER_ROUNDS)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="benchmark-report-site-") as scratch:
        print(figures(Path(scratch), [given.runs], given.rounds))


if __name__ == "__main__":
    main()
