"""The pages of the data: one for each version, the newest as the index, and their history as JSON beside them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from runhive.formats.data_changes import compare_manifests
from runhive.report.data_history import DataHistory, Version
from runhive.report.data_page import data_page
from runhive.report.data_record import read_version
from runhive.report.shell import read_shell
from runhive.report.summary import Summary
from runhive.report.templates import render
from runhive.tracking.data_versions import DataVersion, data_versions, kept_manifest, version_before
from runhive.tracking.ledger.ledger import Ledger

HISTORY = "versions.json"
MOST_VERSIONS = 100  # the last ones have a page


def page_names(runs: Sequence[Summary]) -> dict[str, str]:
    """The file of each version's page, by its digest."""
    shown = _shown(runs)
    return {one.digest: "index.html" if one is shown[-1] else f"{one.digest}.html" for one in shown}


def write_data_pages(runs: Sequence[Summary], ledger: Ledger, work: Path) -> None:
    """Write data/ below *work*."""
    shell = read_shell(work / "data/index.html", "runhive-data")
    shown, names = _shown(runs), page_names(runs)
    history = list(_history(shown, ledger))
    DataHistory(versions=history).write(work / "data" / HISTORY)
    for version, summary in zip(shown, history, strict=True):
        page = data_page(summary, read_version(version, ledger), version.runs, ledger, work)
        body = render("data.html", page=page, versions=history[::-1], names=names, history=HISTORY)
        (work / "data" / names[version.digest]).write_bytes(shell.fill(body))
    if not shown:
        (work / "data/index.html").write_bytes(shell.fill(render("data_empty.html", runs=len(runs))))


def _shown(runs: Sequence[Summary]) -> list[DataVersion[Summary]]:
    """The last versions, in the order of their last use."""
    return sorted(data_versions(runs)[-MOST_VERSIONS:], key=lambda version: version.runs[-1].started_at)


def _history(versions: Sequence[DataVersion[Summary]], ledger: Ledger) -> Iterator[Version]:
    in_order = sorted(versions, key=lambda version: version.runs[0].started_at)
    for version in versions:
        images = kept_manifest(ledger, version)
        before = version_before(in_order[: in_order.index(version)], images, ledger) if images else None
        yield Version(
            digest=version.digest,
            first_used=version.runs[0].started_at,
            last_used=version.runs[-1].started_at,
            runs=[run.run_id for run in version.runs],
            images=len(images) if images is not None else None,
            previous=before[0].digest if before else None,
            changes=compare_manifests(before[1], images) if before and images else None,
        )
