"""Two to twenty runs side by side: what differs, and whether the difference means anything."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from rich.cells import cell_len

from runhive.errors import RunhiveError
from runhive.metrics import mcnemar_p
from runhive.report import numerals
from runhive.report.score import BOUNDS, Score, finite_metrics, score_of, shown
from runhive.report.text import plain
from runhive.terminal.columns import NOTHING, SELECTED, commit_cell
from runhive.terminal.output import GAP, print_json, print_line, print_table, width
from runhive.tracking.comparison import Comparison, compare_runs, difference_interval
from runhive.tracking.fields import PARAMS, seconds_between
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.row import row_of
from runhive.tracking.ledger.run import Run
from runhive.tracking.naming import find

MOST = 20
Row = tuple[str, ...]  # a label, then a cell for each run


def runs_to_compare(ledger: Ledger, names: Sequence[str]) -> list[Run]:
    """The runs named, or the last two completed ones, the older first. Raises RunhiveError for too few or too many."""
    completed = (row["run_id"] for row in ledger.rows() if row["state"] == "completed" and not row["archived"])
    runs = [find(ledger, name) for name in names or reversed([*islice(completed, 2)])]
    if not 2 <= len(runs) <= MOST:
        raise RunhiveError(
            f"comparing takes 2 to {MOST} runs, got {len(runs)}: name some of `runhive runs list` or complete one more"
        )
    return runs


def print_comparison(ledger: Ledger, runs: Sequence[Run]) -> None:
    """Print a column a run: what differs, then the images that each won and lost against the first."""
    against = [compare_runs(ledger, runs[0], run) for run in runs[1:]]
    rows = [*_made_from(runs), *_scores(runs), *_other_metrics(runs), *_won_and_lost(runs, against), *_times(runs)]
    _print_blocks([run.run_id for run in runs], rows)
    if any((score := score_of(run)) and score.selected for run in runs):
        print_line(f"{SELECTED} the epoch was selected on these images", "dim")
    for run, one in zip(runs[1:], against, strict=True):
        if not one.comparable:
            print_line(f"{run.run_id} is not comparable with {runs[0].run_id}: {one.reason}")
    if len(against) > 1:
        print_line(
            f"p is of each pair alone: of {len(against)} pairs, trust one below {0.05 / len(against):.2g}", "dim"
        )


def print_comparison_as_json(ledger: Ledger, runs: Sequence[Run]) -> None:
    """Print parameters, metrics and phases that differ, a value for each run, and each run against the first."""
    against = [{"run": run.run_id} | asdict(compare_runs(ledger, runs[0], run)) for run in runs[1:]]
    told = {
        "runs": [run.run_id for run in runs],
        "params": _differing([_params(run) for run in runs]),
        "metrics": _differing([run.metrics for run in runs]),
        "phases": _differing([run.phases for run in runs]),
        "against_first": against,
    }
    print_json(told)


def _params(run: Run) -> dict[str, Any]:
    return {name.removeprefix(PARAMS): value for name, value in row_of(run).items() if name.startswith(PARAMS)}


def _differing(told: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values, in the order of the runs, of each name whose values are not all the same."""
    names = dict.fromkeys(name for one in told for name in one)
    found = {name: [one.get(name) for one in told] for name in names}
    return {name: values for name, values in found.items() if any(one != values[0] for one in values)}


def _made_from(runs: Sequence[Run]) -> Iterator[Row]:
    """Parameters, code and data, where they differ."""
    params = _differing([_params(run) for run in runs])
    for name, values in params.items():
        yield (name, *(NOTHING if value is None and name not in _params(run) else plain(value)
                       for value, run in zip(values, runs, strict=True)))  # fmt: skip
    others: dict[str, Callable[[Run], str]] = {
        "name": lambda run: run.name,
        "state": lambda run: run.state,
        "experiment": lambda run: run.experiment,
        "code": lambda run: commit_cell(row_of(run)),
        "data": lambda run: numerals.digest(run.data.get("digest") or NOTHING),
        "machine": lambda run: str(run.environment.get("host") or ""),
    }
    for name, show in others.items():
        cells = [show(run) or NOTHING for run in runs]
        if len(set(cells)) > 1:
            yield (name, *cells)
    if not params:
        yield ("parameters", *["the same"] * len(runs))


def _scores(runs: Sequence[Run]) -> Iterator[Row]:
    scores = [score_of(run) for run in runs]
    names = {score.name for score in scores if score}
    if len(names) == 1:
        cells = [f"{score.shown}{SELECTED if score.selected else ''}" if score else NOTHING for score in scores]
        yield (names.pop(), *cells)
        if any(score and score.interval for score in scores):
            yield ("95 % interval", *((score.interval if score else "") or NOTHING for score in scores))


def _other_metrics(runs: Sequence[Run]) -> Iterator[Row]:
    """Metrics that differ, the sizes of the models even where they do not."""
    told = [finite_metrics(run) for run in runs]
    main = {score.metric for run in runs if (score := score_of(run))}
    names = [name for name in dict.fromkeys(name for one in told for name in one) if not name.endswith(BOUNDS)]
    for name in names:
        values = [one.get(name) for one in told]
        if name not in main and (len(set(values)) > 1 or name == "export.onnx_bytes"):
            yield (LABELS.get(name, name), *(NOTHING if one is None else shown(name, one) for one in values))


LABELS = {"export.onnx_bytes": "model size", "export.relative_difference": "ONNX against torch"}


def _won_and_lost(runs: Sequence[Run], against: Sequence[Comparison]) -> Iterator[Row]:
    if any(one.comparable for one in against):
        cells = [f"{one.won} / {one.lost}" if one.comparable else "not comparable" for one in against]
        yield ("images won / lost", "", *cells)
        changes = [_change(one, score_of(run)) for run, one in zip(runs[1:], against, strict=True)]
        yield ("change, 95 % interval", "", *changes)
        told = [numerals.p_value(mcnemar_p(one.won, one.lost)) if one.comparable else NOTHING for one in against]
        yield ("McNemar", "", *told)


def _change(one: Comparison, score: Score | None) -> str:
    """The difference of the shares of right answers, in points."""
    if not one.comparable or score is None or not score.images:
        return NOTHING
    low, high = difference_interval(one.won, one.lost, score.images)
    change = numerals.points((one.won - one.lost) / score.images)
    return f"{change} [{numerals.points(low)} to {numerals.points(high)}]"


def _times(runs: Sequence[Run]) -> Iterator[Row]:
    for phase in dict.fromkeys(phase for run in runs for phase in run.phases):
        cells = [numerals.seconds(run.phases[phase]) if phase in run.phases else NOTHING for run in runs]
        yield (phase, *cells)
    yield ("took", *(numerals.seconds(seconds_between(run.started_at, run.ended_at)) for run in runs))


def _print_blocks(names: Sequence[str], rows: Sequence[Row]) -> None:
    """Print the runs as columns under their ids, or under numbers, and in blocks, where the terminal is too narrow."""
    room = width()
    label = max(cell_len(row[0]) for row in rows)
    cells = [max(cell_len(row[column + 1]) for row in rows) for column in range(len(names))]
    whole = label + sum(len(GAP) + max(len(name), cell) for name, cell in zip(names, cells, strict=True))
    if room is None or whole <= room:
        print_table(["", *names], rows)
        return
    for number, name in enumerate(names, 1):
        print_line(f"{number:>2}  {name}")
    wide = len(GAP) + max(2, *cells)
    at_once = max(1, (room - label) // wide)
    for first in range(0, len(names), at_once):
        columns = range(first, min(first + at_once, len(names)))
        print_line()
        print_table(["", *(str(column + 1) for column in columns)],
                    [(row[0], *(row[column + 1] for column in columns)) for row in rows])  # fmt: skip
