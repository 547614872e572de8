"""Makes the page of a run, and its shard."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from runhive.report.details import details_of
from runhive.report.keep import Made, take
from runhive.report.run_page import run_page
from runhive.report.shell import Shell
from runhive.report.summary import Summary, summarize
from runhive.report.templates import render
from runhive.report.tryit.offer import TryIt
from runhive.tracking.ledger.snapshot import Snapshot

PICTURE = re.compile(rb"\.\./(media/[0-9a-f]{2}/[0-9a-f]{64}\.(?:jpg|png))")


@dataclass(frozen=True)
class Place:
    """What a build reads and writes: the ledger at its tip, the folder that becomes the site, and that of the kept."""

    repository: Path
    tip: str | None
    work: Path
    kept: Path


@dataclass(frozen=True, slots=True)
class Job:
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


def make_pages(jobs: Sequence[Job], shell: Shell, ledger: Snapshot, place: Place) -> Iterator[Made]:
    """Make the pages and the shards of these runs. Most have the next one as their baseline: it is gathered once."""
    summary_of = cache(lambda run_id: summarize(ledger.run(run_id)))
    for job in jobs:
        yield make_page(job, shell, ledger, place, summary_of)


def make_page(job: Job, shell: Shell, ledger: Snapshot, place: Place, summary_of: Callable[[str], Summary]) -> Made:
    """Make one page and the shard of its run, and keep them and the pictures.

    The value says which pictures the ledger has not (`absent`), where the shard lies and what its answers are of.
    """
    ledger.absent.clear()
    summary = summary_of(job.run_id)
    baseline = summary_of(job.baseline) if job.baseline else None
    page = run_page(summary, baseline, ledger, place.work, job.try_it)
    wasm = bool(job.try_it and job.try_it.model)
    body = render(
        "run.html", page=page, newer=job.newer, older=job.older, data_pages=job.data_pages, details=job.details,
        versions=job.versions,
    )  # fmt: skip
    content = shell.fill(body, job.run_id, wasm)
    detail, shard = details_of(summary.run, ledger, job.shard)
    written = {f"runs/{job.run_id}.html": content, job.shard: shard}
    for path, one in written.items():
        (place.work / path).write_bytes(one)
    pictures = sorted({match.decode() for match in PICTURE.findall(content)})
    shown = {path: (place.work / path).read_bytes() for path in pictures if (place.work / path).is_file()}
    value = {"absent": sorted(ledger.absent), "detail": asdict(detail)}
    return take(place.kept, place.work, written | shown, value)
