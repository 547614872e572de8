"""Who makes cards and pages: this process or, of many, several, each a `python -m runhive.report.makers`.

It answers orders on stdin; each order and each answer is a line of JSON. It ends with the process that it works for.
"""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from queue import SimpleQueue
from types import TracebackType

import pygit2
from pydantic import TypeAdapter

from runhive.errors import RunhiveError
from runhive.report.card import make_card
from runhive.report.keep import Made
from runhive.report.page_maker import Job, Place, make_pages
from runhive.report.shards import FOLDER as SHARDS
from runhive.report.shell import Shell
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.objects import unhashed
from runhive.tracking.ledger.snapshot import Snapshot, snapshot
from runhive.tracking.life.process import die_with_parent

AN_ORDER = 25  # cards or pages
FEW = 100  # for which it is not worth to start a process
MOST_PROCESSES = 8
GIT_CACHE = 16_000_000  # bytes: by default libgit2 takes 256 MB, and nearly all is asked for once


@dataclass(frozen=True)
class Order:
    """The ids of runs whose cards are wanted, or pages and the shell that they are filled into."""

    cards: Sequence[str] = ()
    pages: Sequence[Job] = ()
    shell: Shell | None = None


@dataclass(frozen=True)
class Answer:
    """What was made, in the order of the jobs, or why it cannot be."""

    made: list[Made] = field(default_factory=list)
    error: str | None = None


ORDER, ANSWER, PLACE = TypeAdapter(Order), TypeAdapter(Answer), TypeAdapter(Place)


class Makers:
    """The processes of one build, started when there is much to do for the first time; they end with the block."""

    def __init__(self, ledger: Snapshot, place: Place) -> None:
        self.ledger, self.place = ledger, place
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        self._processes = 0

    def __enter__(self) -> "Makers":
        pygit2.settings.cache_max_size(GIT_CACHE)
        self._ends = ExitStack()
        self._threads = self._ends.enter_context(ThreadPoolExecutor(MOST_PROCESSES))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._ends.close()

    def cards(self, run_ids: Sequence[str]) -> Iterator[Made]:
        """Begin to make the cards of these runs, and return them in their order."""
        return self._made([Order(cards=run_ids[start : start + AN_ORDER]) for start in _starts(run_ids)])

    def pages(self, jobs: Sequence[Job], shell: Shell) -> Iterator[Made]:
        """Begin to make these pages, and return them in their order."""
        (self.place.work / SHARDS).mkdir(parents=True, exist_ok=True)
        return self._made([Order(pages=jobs[start : start + AN_ORDER], shell=shell) for start in _starts(jobs)])

    def _made(self, orders: Sequence[Order]) -> Iterator[Made]:
        wanted = min(_cores(), MOST_PROCESSES, len(orders) * AN_ORDER // FEW)
        if wanted < 2:
            return chain.from_iterable(fulfil(order, self.ledger, self.place) for order in orders)
        for _ in range(self._processes, wanted):
            self._idle.put(self._ends.enter_context(_process(self.place)))
            self._processes += 1
        return chain.from_iterable(self._threads.map(self._answer, orders))

    def _answer(self, order: Order) -> list[Made]:
        process = self._idle.get()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(ORDER.dump_json(order) + b"\n")
            process.stdin.flush()
            answer = ANSWER.validate_json(process.stdout.readline())
        finally:
            self._idle.put(process)
        if answer.error is not None:
            raise RunhiveError(answer.error)
        return answer.made


def fulfil(order: Order, ledger: Snapshot, place: Place) -> Iterator[Made]:
    """Make what is ordered."""
    for run_id in order.cards:
        yield make_card(run_id, ledger)
    if order.shell:
        yield from make_pages(order.pages, order.shell, ledger, place)


def _starts(items: Sequence[object]) -> range:
    return range(0, len(items), AN_ORDER)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _process(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "runhive.report.makers"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin
        process.stdin.write(PLACE.dump_json(place) + b"\n")
        yield process
        process.stdin.close()


def main() -> None:
    """Answer orders until there are no more."""
    die_with_parent()
    gc.freeze()  # what was imported stays: to look through it again and again takes a twentieth of the time
    gc.set_threshold(50_000)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that it works for decides
    place = PLACE.validate_json(sys.stdin.buffer.readline())
    pygit2.settings.cache_max_size(GIT_CACHE)
    ledger = snapshot(open_ledger(place.repository), place.tip)
    with unhashed():
        for line in sys.stdin.buffer:
            try:
                answer = Answer(list(fulfil(ORDER.validate_json(line), ledger, place)))
            except RunhiveError as error:
                answer = Answer(error=str(error))
            sys.stdout.buffer.write(ANSWER.dump_json(answer) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
