"""The Compare page: a shard for each run, one for each set of samples, and what can be compared without a script."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runhive.report.details import Detail, kept_answers
from runhive.report.gallery import thumbnail
from runhive.report.shards import RUNS_A_SHARD, as_columns, write_shard
from runhive.report.shell import read_shell
from runhive.report.summary import Summary
from runhive.report.templates import render
from runhive.tracking.ledger.snapshot import Snapshot

DETAILS = "details"
SAMPLES = "samples"
MOST_COMPARED = 25  # rows of the static table: each costs whoever compares others a millisecond
MOST_PICTURES = 2000  # of one set of samples
SCRIPTS = (
    "filter.js", "numerals.js", "changes.js", "elements.js", "fragment.js", "pairs.js", "chosen-runs.js", "colours.js",
    "scales.js", "line-chart.js", "curves.js", "scatter.js", "parallel.js", "differences.js", "pair-table.js",
    "picker.js", "compare.js",
)  # fmt: skip


@dataclass
class SampleSet:
    """Samples that several runs answered: one of the runs, and which samples any of them got wrong, as packed bits."""

    run_id: str
    missed: NDArray[np.uint8]


def write_compare(
    newest_first: Sequence[Summary],
    details: Mapping[str, Detail],
    shards: Sequence[str],
    ledger: Snapshot,
    work: Path,
    has_charts: bool,
) -> None:
    """Write compare/ below *work*; *shards* are the paths of the table of runs in the site, *details* each run's."""
    oldest_first = [details[summary.run_id] for summary in reversed(newest_first)]
    samples = {digest: _write_samples(digest, found, ledger, work) for digest, found in _sets(oldest_first).items()}
    compared = [summary for summary in newest_first if summary.comparison and summary.verdict.baseline]
    body = render(
        "compare.html",
        compared=compared[:MOST_COMPARED],
        hidden=max(0, len(compared) - MOST_COMPARED),
        known={summary.run_id: summary for summary in newest_first},
        shards=[*shards, *_write_index(oldest_first, work), write_shard(work, SAMPLES, samples)],
        scripts=SCRIPTS,
        has_charts=has_charts,
    )
    index = work / "compare/index.html"
    index.write_bytes(read_shell(index, "runhive-compare").fill(body))


def _sets(oldest_first: Sequence[Detail]) -> dict[str, SampleSet]:
    """The sets of samples by their digest."""
    sets: dict[str, SampleSet] = {}
    for detail in oldest_first:
        if detail.samples is not None:
            missed = np.frombuffer(b64decode(detail.missed), dtype=np.uint8)
            known = sets.setdefault(detail.samples, SampleSet(detail.run_id, missed))
            known.missed = known.missed | missed
    return sets


def _write_index(oldest_first: Sequence[Detail], work: Path) -> list[str]:
    """Write where each run's shard lies, 1,000 runs a shard."""
    starts = range(0, len(oldest_first), RUNS_A_SHARD)
    parts = [oldest_first[start : start + RUNS_A_SHARD] for start in starts]
    return [
        write_shard(
            work,
            DETAILS,
            as_columns(len(part), {"run_id": [one.run_id for one in part], "path": [one.path for one in part]}),
        )
        for part in parts
    ]


def _write_samples(digest: str, found: SampleSet, ledger: Snapshot, work: Path) -> str:
    """Write the names of a set's samples, and pictures of those that some run got wrong, as far as they are kept."""
    answers = kept_answers(found.run_id, ledger)
    assert answers is not None and answers.digest == digest
    missed = np.flatnonzero(np.unpackbits(found.missed)[: len(answers.samples)])[:MOST_PICTURES]
    pictured = [int(index) for index in missed if thumbnail(answers.samples[index].sha256, ledger, work)]
    content: dict[str, Any] = {
        "paths": [sample.path for sample in answers.samples],
        "labels": [sample.label for sample in answers.samples],
        "pictures": [[index, answers.samples[index].sha256] for index in pictured],
    }
    return write_shard(work, f"{SAMPLES}-{digest}", content)
