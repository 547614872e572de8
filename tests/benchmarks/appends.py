"""What one durable append costs after 0, 1,000 and 10,000 runs, on the disk and in memory, where nothing waits for one.

`python tests/benchmarks/appends.py` prints a Markdown table. The runs are those of ledger.py, two appends each. The
history grows in memory and is copied to the disk, so that only the appends that are timed wait for it.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from ledger import Ledger, make_case, timed

MEMORY = Path("/dev/shm")


def appends(folder: Path, history: int, count: int) -> list[float]:
    """Return the milliseconds of each of *count* appends to the ledger in *folder* that has *history* runs."""
    store = Ledger(folder)
    taken: list[float] = []
    for number in range(history, history + count // 2):
        for step in store.steps(make_case(number)):
            with timed(taken):
                store.ledger.append(*step)
    return [1000 * seconds for seconds in taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="*", default=[0, 1_000, 10_000])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk")
    options = parser.parse_args()
    print(
        "| runs before | ms an append | 90 % within | ms in memory | waiting for the disk |", "|---" * 5 + "|", sep="\n"
    )
    with tempfile.TemporaryDirectory(dir=MEMORY) as memory, tempfile.TemporaryDirectory(dir=options.disk) as disk:
        grown = Ledger(Path(memory) / "grown")
        done = 0
        for runs in options.runs:
            for number in range(done, runs):
                grown.log(make_case(number))
            done = runs
            taken = {}
            for place in (memory, disk):
                folder = Path(shutil.copytree(grown.folder, Path(place) / f"{runs}"))
                os.sync()
                taken[place] = appends(folder, runs, options.count)
                shutil.rmtree(folder)
            here, there = statistics.median(taken[disk]), statistics.median(taken[memory])
            late = statistics.quantiles(taken[disk], n=10)[-1]
            print(f"| {runs:,} | {here:.1f} | {late:.1f} | {there:.1f} | {1 - there / here:.0%} |", flush=True)
            print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
