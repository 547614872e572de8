"""The Compare page: a shard for each run, one for each set of samples, and what can be compared without a script."""

from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runhive.report.answer_bits import packed
from runhive.report.code_digest import code_digest
from runhive.report.details import details, kept_answers
from runhive.report.gallery import thumbnail
from runhive.report.keep import Keep, Made, key_of, take
from runhive.report.shards import RUNS_A_SHARD, columnar, write_shard
from runhive.report.shell import read_shell
from runhive.report.summary import Summary
from runhive.report.templates import render
from runhive.tracking.ledger.snapshot import Snapshot

DETAILS = "details"
SAMPLES = "samples"
MOST_COMPARED = 100  # rows of the static table
MOST_PICTURES = 2000  # of one set of samples
SCRIPTS = (
    "filter.js", "numerals.js", "changes.js", "elements.js", "fragment.js", "pairs.js", "chosen-runs.js", "colours.js",
    "scales.js", "line-chart.js", "curves.js", "scatter.js", "parallel.js", "differences.js", "pair-table.js",
    "picker.js", "compare.js",
)  # fmt: skip


@dataclass
class SampleSet:
    """Samples that several runs answered: one of the runs, and which samples any of them got wrong."""

    summary: Summary
    missed: NDArray[np.uint8] = field(repr=False)  # packed bits


def write_compare(
    newest_first: Sequence[Summary],
    shards: Sequence[str],
    ledger: Snapshot,
    work: Path,
    libraries: Collection[str],
    keep: Keep,
) -> None:
    """Write compare/ below *work*; *shards* are the paths of the table of runs in the site."""
    sets: dict[str, SampleSet] = {}
    states = ledger.states()
    paths = {}
    for summary in reversed(newest_first):
        key = key_of(DETAILS, code_digest(), summary.run_id, states[summary.run_id])
        paths[summary.run_id] = _write_details(key, summary, ledger, sets, work, keep)
    samples = {digest: _write_samples(digest, found, ledger, work) for digest, found in sets.items()}
    compared = [summary for summary in newest_first if summary.comparison and summary.verdict.baseline]
    body = render(
        "compare.html",
        compared=compared[:MOST_COMPARED],
        hidden=max(0, len(compared) - MOST_COMPARED),
        known={summary.run_id: summary for summary in newest_first},
        shards=[*shards, *_write_index(paths, work), write_shard(work, SAMPLES, samples)],
        scripts=SCRIPTS,
        has_charts="uplot" in libraries,
    )
    index = work / "compare/index.html"
    index.write_bytes(read_shell(index, "runhive-compare").fill(body))


def _write_details(
    key: str, summary: Summary, ledger: Snapshot, sets: dict[str, SampleSet], work: Path, keep: Keep
) -> str:
    """Write the run's shard, from what is kept where the run is as it was, and return its path in the site."""
    made = keep.place(key, work) or _make_details(key, summary, ledger, work, keep)
    if made.value:
        digest, missed = made.value
        wrong = np.frombuffer(b64decode(missed), dtype=np.uint8)
        known = sets.setdefault(digest, SampleSet(summary, wrong))
        known.missed = known.missed | wrong
    (path,) = made.files
    return path


def _make_details(key: str, summary: Summary, ledger: Snapshot, work: Path, keep: Keep) -> Made:
    """Make the run's shard; the value is the digest of its samples and the bits of those that it got wrong."""
    answers = kept_answers(summary.run_id, ledger)
    path = write_shard(work, summary.run_id, details(summary.run, ledger, answers))
    value = [answers.digest, packed(~answers.right)] if answers else None
    made = Made(take(keep.folder, work, [path]), value=value)
    keep.put(key, made)
    return made


def _write_index(names: Mapping[str, str], work: Path) -> list[str]:
    """Write where each run's shard lies, 1,000 runs a shard."""
    table = pd.DataFrame({"run_id": list(names), "path": list(names.values())})
    starts = range(0, len(table), RUNS_A_SHARD)
    return [write_shard(work, DETAILS, columnar(table.iloc[start : start + RUNS_A_SHARD])) for start in starts]


def _write_samples(digest: str, found: SampleSet, ledger: Snapshot, work: Path) -> str:
    """Write the names of a set's samples, and pictures of those that some run got wrong, as far as they are kept."""
    answers = kept_answers(found.summary.run_id, ledger)
    assert answers is not None and answers.digest == digest
    missed = np.flatnonzero(np.unpackbits(found.missed)[: len(answers.samples)])[:MOST_PICTURES]
    pictured = [int(index) for index in missed if thumbnail(answers.samples[index].sha256, ledger, work)]
    content: dict[str, Any] = {
        "paths": [sample.path for sample in answers.samples],
        "labels": [sample.label for sample in answers.samples],
        "pictures": [[index, answers.samples[index].sha256] for index in pictured],
    }
    return write_shard(work, f"{SAMPLES}-{digest}", content)
