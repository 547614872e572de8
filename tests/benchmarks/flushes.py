"""Ways to make the objects of an append durable, in turn, alone and beside a program that writes large files.

`python tests/benchmarks/flushes.py --disk FOLDER` prints a Markdown table with the median milliseconds of an append.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pygit2
from ledger import Ledger, make_case, timed

from runhive.tracking.ledger import durable, objects
from runhive.tracking.repository import common_folder

WRITER = """
import sys
while True:
    for number in range(4):
        with open(f"{sys.argv[1]}/large{number}", "wb") as file:
            for _ in range(300):
                file.write(bytes(1_000_000))
"""
Way = Callable[[pygit2.Repository, pygit2.Oid, Sequence[pygit2.Oid]], None]


def flush_nothing(repository: pygit2.Repository, commit: pygit2.Oid, known: Sequence[pygit2.Oid]) -> None:
    """What an append costs that a power cut can take back: its objects are not flushed, only the ref is."""


def flush_all(repository: pygit2.Repository, commit: pygit2.Oid, known: Sequence[pygit2.Oid]) -> None:
    durable.sync_file_system(common_folder(repository))


def flush_new(at_once: int, repository: pygit2.Repository, commit: pygit2.Oid, known: Sequence[pygit2.Oid]) -> None:
    with patch.object(durable, "AT_ONCE", at_once):
        durable.make_durable(repository, commit, known)


WAYS: dict[str, Way] = {
    "nothing": flush_nothing,
    "each object, one after the other": partial(flush_new, 1),
    "one `syncfs`": flush_all,
    "each object, all begun before the first is waited for, as Runhive does": partial(flush_new, durable.AT_ONCE),
}


@contextmanager
def writer(folder: Path) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", WRITER, folder]) as process:
        try:
            yield
        finally:
            process.kill()


def medians(folder: Path, rounds: int) -> list[str]:
    """Append *rounds* runs each way, in turn, and return the median of each way."""
    store = Ledger(folder)
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(rounds * len(WAYS)):
        name = list(WAYS)[number % len(WAYS)]
        objects.make_durable = WAYS[name]
        for step in store.steps(make_case(number)):
            with timed(taken[name]):
                store.ledger.append(*step)
    return [f"{1000 * statistics.median(times):.1f}" for times in taken.values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.disk) as name:
        folder = Path(name)
        alone = medians(folder / "alone", options.rounds)
        with writer(folder):
            beside = medians(folder / "beside", options.rounds)
    print("| flushed by | ms an append | while another program writes |", "|---" * 3 + "|", sep="\n")
    for row in zip(WAYS, alone, beside, strict=True):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
