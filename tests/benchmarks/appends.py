"""What one durable append costs after 0, 1,000 and 10,000 runs, on the disk and in memory, where nothing waits for one.

`python tests/benchmarks/appends.py` prints a Markdown table. The runs are those of ledger.py, two appends each. The
history grows in memory and is copied to the disk, so that only the appends that are timed wait for it. In turn with
them, one file is replaced durably, which is the least that any store waits for: write, flush, rename, flush the folder.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from ledger import Ledger, make_case, timed

from runhive.files import write_atomic

MEMORY = Path("/dev/shm")


def appends(folder: Path, history: int, count: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each of *count* appends to the ledger in *folder* that has *history* runs.

    And those of replacing one file there, after each.
    """
    store = Ledger(folder)
    taken: list[float] = []
    least: list[float] = []
    for number in range(history, history + count // 2):
        for step in store.steps(make_case(number)):
            with timed(taken):
                store.ledger.append(*step)
            with timed(least):
                write_atomic(folder / "one", b"4ac1f5b0" * 5)
    return [1000 * seconds for seconds in taken], [1000 * seconds for seconds in least]


def spread(taken: list[float]) -> tuple[float, float]:
    """The median, and what nine in ten stay within."""
    return statistics.median(taken), statistics.quantiles(taken, n=10)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="*", default=[0, 1_000, 10_000])
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk")
    options = parser.parse_args()
    columns = ("runs before", "ms an append", "90 % within", "ms in memory", "ms to replace one file", "90 % within")
    print("| " + " | ".join(columns) + " |", "|---" * len(columns) + "|", sep="\n")
    with tempfile.TemporaryDirectory(dir=MEMORY) as memory, tempfile.TemporaryDirectory(dir=options.disk) as disk:
        grown = Ledger(Path(memory) / "grown")
        done = 0
        for runs in options.runs:
            for number in range(done, runs):
                grown.log(make_case(number))
            done = runs
            taken: dict[Path, tuple[list[float], list[float]]] = {}
            for place in (memory, disk):
                folder = Path(shutil.copytree(grown.folder, Path(place) / f"{runs}"))
                os.sync()
                taken[place] = appends(folder, runs, options.count)
                shutil.rmtree(folder)
            (append, one), (in_memory, _) = taken[disk], taken[memory]
            figures = [*spread(append), statistics.median(in_memory), *spread(one)]
            print(f"| {runs:,} | {' | '.join(f'{figure:.1f}' for figure in figures)} |", flush=True)
            print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
