"""Makes run pages, in this process or in several: `python -m runhive.report.page_maker` answers orders on stdin.

Each order and each answer is a line of JSON. A maker ends with the process that it works for.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

from pydantic import BaseModel

from runhive.errors import RunhiveError
from runhive.report.details import write_details
from runhive.report.keep import Made, take
from runhive.report.run_page import run_page
from runhive.report.shell import Shell
from runhive.report.summary import summarize
from runhive.report.templates import render
from runhive.report.tryit.offer import TryIt
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.snapshot import Snapshot, snapshot
from runhive.tracking.life.process import die_with_parent

PICTURE = re.compile(rb"\.\./(media/[0-9a-f]{2}/[0-9a-f]{64}\.(?:jpg|png))")
AN_ORDER = 25  # pages


class Place(BaseModel):
    """What the pages of one build have in common: the ledger, where they go, and what they are filled into."""

    repository: Path
    tip: str | None
    work: Path
    kept: Path
    shell: Shell


class Job(BaseModel):
    """One page and one shard: `key` stands for all that they are made from, `shard` is where the run's goes.

    `details` are the shards of the run and of its baseline, by run id; `versions` are titles of model versions that
    came of the run, each with its page in models/.
    """

    key: str
    run_id: str
    shard: str
    baseline: str | None
    newer: str | None
    older: str | None
    data_pages: dict[str, str]
    details: dict[str, str]
    try_it: TryIt | None
    versions: list[tuple[str, str]]


class Order(BaseModel):
    jobs: list[Job]


class Answer(BaseModel):
    """What was made, in the order of the jobs, or why it cannot be."""

    made: list[Made] = []
    error: str | None = None


def make_page(job: Job, ledger: Snapshot, place: Place) -> Made:
    """Make one page and the shard of its run, and keep them and the pictures.

    The value says which pictures the ledger has not (`absent`), where the shard lies and what its answers are of.
    """
    ledger.absent.clear()
    summary = summarize(ledger.run(job.run_id))
    baseline = summarize(ledger.run(job.baseline)) if job.baseline else None
    page = run_page(summary, baseline, ledger, place.work, job.try_it)
    named = job.model_dump(include={"newer", "older", "data_pages", "details", "versions"})
    wasm = bool(job.try_it and job.try_it.model)
    content = place.shell.fill(render("run.html", page=page, **named), job.run_id, wasm)
    path = f"runs/{job.run_id}.html"
    (place.work / path).write_bytes(content)
    detail = write_details(summary.run, ledger, place.work, job.shard)
    pictures = {match.decode() for match in PICTURE.findall(content)}
    shown = sorted(picture for picture in pictures if (place.work / picture).is_file())
    files = take(place.kept, place.work, [path, detail.path, *shown])
    return Made(files, value={"absent": sorted(ledger.absent), "detail": vars(detail)})


def made_by_several(jobs: Sequence[Job], place: Place, processes: int) -> Iterator[Made]:
    """Make the pages of *jobs* in *processes* processes, and yield them in their order."""
    idle: SimpleQueue[Maker] = SimpleQueue()

    def fulfil(order: Order) -> list[Made]:
        maker = idle.get()
        try:
            return maker.fulfil(order)
        finally:
            idle.put(maker)

    orders = [Order(jobs=list(jobs[start : start + AN_ORDER])) for start in range(0, len(jobs), AN_ORDER)]
    with ExitStack() as makers, ThreadPoolExecutor(processes) as pool:
        for _ in range(processes):
            idle.put(makers.enter_context(_maker(place)))
        for made in pool.map(fulfil, orders):
            yield from made


class Maker:
    """A process that makes pages."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin and process.stdout
        self.orders, self.answers = process.stdin, process.stdout

    def fulfil(self, order: Order) -> list[Made]:
        """Raises RunhiveError where the ledger is at fault."""
        print(order.model_dump_json(), file=self.orders, flush=True)
        answer = Answer.model_validate_json(self.answers.readline())
        if answer.error is not None:
            raise RunhiveError(answer.error)
        return answer.made


@contextmanager
def _maker(place: Place) -> Iterator[Maker]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "runhive.report.page_maker"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=environment
    ) as process:
        maker = Maker(process)
        print(place.model_dump_json(), file=maker.orders, flush=True)
        yield maker
        maker.orders.close()


def main() -> None:
    """Answer orders until there are no more."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that it works for decides
    place = Place.model_validate_json(sys.stdin.readline())
    ledger = snapshot(open_ledger(place.repository), place.tip)
    for line in sys.stdin:
        try:
            answer = Answer(made=[make_page(job, ledger, place) for job in Order.model_validate_json(line).jobs])
        except RunhiveError as error:
            answer = Answer(error=str(error))
        print(answer.model_dump_json(), flush=True)


if __name__ == "__main__":
    main()
