"""The table of runs: a page for every 100, and shards, from which each page shows all of them with JavaScript."""

from collections.abc import Sequence
from pathlib import Path

from runhive.report.code_digest import code_digest
from runhive.report.keep import Keep, key_of, take
from runhive.report.shards import blocks, write_run_shard
from runhive.report.shell import read_shell
from runhive.report.summaries import table_rows
from runhive.report.summary import Summary
from runhive.report.templates import render
from runhive.tracking.ledger.row import Row
from runhive.tracking.ledger.snapshot import Snapshot

RUNS_A_PAGE = 100  # a browser lays out the rows before a script shows all runs in their place
SCRIPTS = (
    "filter.js", "fields.js", "numerals.js", "elements.js", "runs-state.js", "runs-columns.js", "runs-sets.js",
    "runs-groups.js", "runs-view.js", "runs-cells.js", "runs-head.js", "runs-rows.js", "runs-chips.js",
    "virtual-table.js", "suggest.js", "runs-csv.js", "runs-menus.js", "runs-filter.js", "runs.js",
)  # fmt: skip


def write_run_shards(newest_first: Sequence[Row], ledger: Snapshot, work: Path, keep: Keep) -> list[str]:
    """Write the rows as shards of 1,000 runs each and return their paths, the oldest runs' first."""
    states = ledger.states()
    return [_shard(rows, [states[row["run_id"]] for row in rows], work, keep) for rows in blocks(newest_first)]


def _shard(rows: Sequence[Row], states: Sequence[str], work: Path, keep: Keep) -> str:
    key = key_of("shard", code_digest(), states)
    if key in keep and keep.place(made := keep[key], work):
        return next(iter(made.files))
    path = write_run_shard(rows, work)
    keep[key] = take(keep.folder, work, {path: (work / path).read_bytes()})
    return path


def write_tables(
    newest_first: Sequence[Summary], ledger: Snapshot, shards: Sequence[str], work: Path, keep: Keep
) -> None:
    """Write runs/index.html and the pages after it below *work*."""
    shell = read_shell(work / "runs/index.html", "runhive-runs")
    total = len(newest_first)
    states = ledger.states()
    starts = range(0, max(1, total), RUNS_A_PAGE)
    names = ["index.html", *(f"page-{number}.html" for number in range(2, len(starts) + 1))]
    for index, start in enumerate(starts):
        shown = newest_first[start : start + RUNS_A_PAGE]
        place = {"total": total, "first": start + 1, "last": start + len(shown), "names": names, "index": index}
        loaded = {"shards": shards, "scripts": SCRIPTS, "has_charts": False}
        body = render("runs.html", rows=table_rows(shown, states, keep), **place, **loaded)
        (work / "runs" / names[index]).write_bytes(shell.fill(body))
