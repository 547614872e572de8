"""The page of each run: taken from what is kept where nothing of it has changed, else made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from runhive.report.code_digest import code_digest
from runhive.report.details import Detail, shard_path
from runhive.report.keep import Keep, Made, key_of
from runhive.report.makers import Makers
from runhive.report.page_maker import Job
from runhive.report.shell import Shell
from runhive.report.summary import Summary
from runhive.report.tryit.offer import TryIt
from runhive.tracking.ledger.snapshot import Snapshot


@dataclass(frozen=True)
class Links:
    """What the pages load beside themselves: shards, if there is what draws them, and models to try, by run id.

    `versions` are the model versions that came of a run: title, and page in models/.
    """

    has_charts: bool
    offers: Mapping[str, TryIt]
    versions: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def write_run_pages(
    jobs: Sequence[Job], shell: Shell, ledger: Snapshot, work: Path, keep: Keep, makers: Makers
) -> Iterator[Detail]:
    """Write runs/<run_id>.html for each job, its shard and the pictures that it shows; yield where each shard lies.

    The pages of which something has changed are begun at once, and done when the last shard is yielded.
    """
    placed = {job.run_id: made for job in jobs if (made := _placed(job, ledger, work, keep))}
    missing = makers.pages([job for job in jobs if job.run_id not in placed], shell)
    return _details(jobs, placed, missing, keep)


def _details(jobs: Sequence[Job], placed: Mapping[str, Made], missing: Iterator[Made], keep: Keep) -> Iterator[Detail]:
    for job in jobs:
        if (made := placed.get(job.run_id)) is None:
            keep[job.key] = made = next(missing)
        yield Detail(**made.value["detail"])


def jobs_of(
    newest_first: Sequence[Summary], data_pages: Mapping[str, str], links: Links, ledger: Snapshot, shell: Shell
) -> Iterator[Job]:
    """The pages of these runs."""
    states = ledger.states()
    common = (code_digest(), shell.digest)
    ids = [summary.run_id for summary in newest_first]
    known = set(ids)
    shards = {run_id: shard_path(run_id, states[run_id]) for run_id in ids}
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


def _placed(job: Job, ledger: Snapshot, work: Path, keep: Keep) -> Made | None:
    """Take the page from what is kept, unless a picture that it lacked has come since."""
    if job.key not in keep:
        return None
    made = keep[job.key]
    return made if not any(map(ledger.has_media, made.value["absent"])) and keep.place(made, work) else None
