"""The Compare page: a shard for each run, one for each set of samples, and what can be compared without a script."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from runhive.report.answer_bits import Answered, Sample
from runhive.report.details import details, kept_answers
from runhive.report.gallery import thumbnail
from runhive.report.shards import RUNS_A_SHARD, columnar, write_shard
from runhive.report.shell import read_shell
from runhive.report.summary import Summary
from runhive.report.templates import render
from runhive.tracking.ledger.ledger import Ledger

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
    """The samples that several runs answered, and which of them any run got wrong."""

    samples: list[Sample]
    missed: NDArray[np.bool_] = field(repr=False)


def write_compare(
    newest_first: Sequence[Summary], shards: Sequence[str], ledger: Ledger, work: Path, libraries: Collection[str]
) -> dict[str, str]:
    """Write compare/ below *work* and return the path of each run's shard in the site.

    *shards* are the paths of the table of runs there.
    """
    sets: dict[str, SampleSet] = {}
    names = {summary.run_id: _write_details(summary, ledger, sets, work) for summary in reversed(newest_first)}
    listed = [
        *_write_index(names, work),
        write_shard(work, SAMPLES, {digest: _write_samples(digest, one, ledger, work) for digest, one in sets.items()}),
    ]
    compared = [summary for summary in newest_first if summary.comparison and summary.verdict.baseline]
    body = render(
        "compare.html",
        compared=compared[:MOST_COMPARED],
        hidden=max(0, len(compared) - MOST_COMPARED),
        known={summary.run_id: summary for summary in newest_first},
        shards=[*shards, *listed],
        scripts=SCRIPTS,
        has_charts="uplot" in libraries,
    )
    index = work / "compare/index.html"
    index.write_bytes(read_shell(index, "runhive-compare").fill(body))
    return names


def _write_details(summary: Summary, ledger: Ledger, sets: dict[str, SampleSet], work: Path) -> str:
    """Write the run's shard and return its path in the site."""
    answers = kept_answers(summary.run, ledger)
    if answers:
        _note(answers, sets)
    return write_shard(work, summary.run_id, details(summary.run, ledger, answers))


def _note(answers: Answered, sets: dict[str, SampleSet]) -> None:
    known = sets.setdefault(answers.digest, SampleSet(answers.samples, np.zeros(len(answers.samples), dtype=bool)))
    known.missed |= ~answers.right


def _write_index(names: Mapping[str, str], work: Path) -> list[str]:
    """Write where each run's shard lies, 1,000 runs a shard."""
    table = pd.DataFrame({"run_id": list(names), "path": list(names.values())})
    starts = range(0, len(table), RUNS_A_SHARD)
    return [write_shard(work, DETAILS, columnar(table.iloc[start : start + RUNS_A_SHARD])) for start in starts]


def _write_samples(digest: str, found: SampleSet, ledger: Ledger, work: Path) -> str:
    """Write the names of a set's samples, and pictures of those that some run got wrong, as far as they are kept."""
    missed = np.flatnonzero(found.missed)[:MOST_PICTURES]
    pictured = [int(index) for index in missed if thumbnail(found.samples[index].sha256, ledger, work)]
    content: dict[str, Any] = {
        "paths": [sample.path for sample in found.samples],
        "labels": [sample.label for sample in found.samples],
        "pictures": [[index, found.samples[index].sha256] for index in pictured],
    }
    return write_shard(work, f"{SAMPLES}-{digest}", content)
