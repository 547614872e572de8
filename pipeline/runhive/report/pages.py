"""The page of each run: taken from what is kept where nothing of it has changed, else made, several at once."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from runhive.report.code_digest import code_digest
from runhive.report.details import Detail, shard_path
from runhive.report.keep import Keep, Made, key_of
from runhive.report.page_maker import Job, Place, made_by_several, make_page
from runhive.report.summary import Summary
from runhive.report.tryit.offer import TryIt
from runhive.tracking.ledger.snapshot import Snapshot

FEW = 100  # pages, for which it is not worth to start a process
MOST_PROCESSES = 8


@dataclass(frozen=True)
class Links:
    """What the pages load beside themselves: shards, if there is what draws them, and models to try, by run id.

    `versions` are the model versions that came of a run: title, and page in models/.
    """

    has_charts: bool
    offers: Mapping[str, TryIt]
    versions: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


Progress = Callable[[int, int], None]  # pages that are done, and all of them


def write_run_pages(
    newest_first: Sequence[Summary],
    data_pages: Mapping[str, str],
    links: Links,
    ledger: Snapshot,
    place: Place,
    keep: Keep,
    progress: Progress,
) -> dict[str, Detail]:
    """Write runs/<run_id>.html for each run, its shard and the pictures that it shows; return where the shards lie."""
    jobs = list(_jobs(newest_first, data_pages, links, ledger, place))
    missing = [job for job in jobs if not _is_placed(job, ledger, place, keep)]
    before = len(jobs) - len(missing)
    for done, (job, made) in enumerate(zip(missing, _made(missing, ledger, place), strict=True), before + 1):
        keep.put(job.key, made)
        progress(done, len(jobs))
    return {job.run_id: Detail(**keep.value(job.key)["detail"]) for job in jobs}


def _jobs(
    newest_first: Sequence[Summary], data_pages: Mapping[str, str], links: Links, ledger: Snapshot, place: Place
) -> Iterator[Job]:
    states = ledger.states()
    common = (code_digest(), place.shell.digest)
    ids = [summary.run_id for summary in newest_first]
    known = set(ids)
    shards = {run_id: shard_path(run_id, state) for run_id, state in states.items()}
    for summary, newer, older in zip(newest_first, [None, *ids], [*ids[1:], None], strict=False):
        run_id, digest = summary.run_id, summary.data_digest or ""
        baseline = summary.verdict.baseline if summary.verdict.baseline in known else None
        shown = {digest: data_pages[digest]} if digest in data_pages else {}
        details = {one: shards[one] for one in (run_id, baseline) if one and links.has_charts}
        try_it = links.offers.get(run_id)
        versions = list(links.versions.get(run_id, ()))
        named = (newer, older, shown, details, try_it and asdict(try_it), versions)
        key = key_of("page", common, run_id, states[run_id], baseline and states[baseline], *named)
        yield Job(
            key=key, run_id=run_id, shard=shards[run_id], baseline=baseline, newer=newer, older=older, data_pages=shown,
            details=details, try_it=try_it, versions=versions,
        )  # fmt: skip


def _is_placed(job: Job, ledger: Snapshot, place: Place, keep: Keep) -> bool:
    """Take the page from what is kept, unless a picture that it lacked has come since."""
    value = keep.value(job.key)
    if value is None or any(ledger.has_media(sha256) for sha256 in value["absent"]):
        return False
    return keep.place(job.key, place.work) is not None


def _made(jobs: Sequence[Job], ledger: Snapshot, place: Place) -> Iterator[Made]:
    """Make the pages, in several processes where there are many."""
    processes = min(_cores(), MOST_PROCESSES, len(jobs) // FEW)
    if processes < 2:
        return (make_page(job, ledger, place) for job in jobs)
    return made_by_several(jobs, place, processes)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
