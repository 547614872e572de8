"""The columns of a list of runs, and each run's cells."""

from collections.abc import Callable, Mapping, Sequence

from runhive.errors import RunhiveError
from runhive.report import numerals
from runhive.report.score import Score, score_of, shown
from runhive.report.text import plain
from runhive.tracking.fields import FIELDS, check_name, seconds_of, value
from runhive.tracking.run import Run

SELECTED = "*"  # explained below the list
NOTHING = "–"


def score_cell(run: Run) -> str:
    """The main metric with its interval, by its name unless it is an accuracy."""
    score = score_of(run)
    if score is None:
        return ""
    name = "" if score.name == "accuracy" else f"{score.name} "
    return f"{name}{score.shown}{SELECTED if score.selected else ''}{interval(score)}"


def interval(score: Score) -> str:
    """The interval in brackets, after a space."""
    return f" [{score.interval}]" if score.interval else ""


def commit_cell(run: Run) -> str:
    """The commit's first eight digits, with a + where files differed from it."""
    return str(run.code.get("commit") or "")[:8] + ("+" if run.code.get("dirty") else "")


DEFAULT: Mapping[str, Callable[[Run], str]] = {
    "run": lambda run: run.run_id,
    "state": lambda run: run.state + (" (archived)" if run.archived else ""),
    "experiment": lambda run: run.experiment,
    "score": score_cell,
    "name": lambda run: run.name,
    "tags": lambda run: ", ".join(run.tags),
    "took": lambda run: "" if seconds_of(run) is None else numerals.seconds(seconds_of(run)),
    "commit": commit_cell,
    "arch": lambda run: _text(value(run, "params.model.arch")),
    "mode": lambda run: _text(value(run, "params.train.mode")),
    "branch": lambda run: _text(run.code.get("branch")),
}


def default_cells(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the columns that a person looks for first, without those that are empty for all *runs*."""
    columns = [[show(run) for run in runs] for show in DEFAULT.values()]
    kept = [(name, column) for name, column in zip(DEFAULT, columns, strict=True) if any(column)]
    return [name for name, _ in kept], [list(row) for row in zip(*(column for _, column in kept), strict=True)]


def chosen_cells(runs: Sequence[Run], names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the columns *names*. Raises RunhiveError for a name that no run has."""
    for name in names:
        if name not in DEFAULT:
            check_name(name, runs)
    return list(names), [[_cell(run, name) for name in names] for run in runs]


def column_names(text: str) -> list[str]:
    """The names in the comma-separated *text*. Raises RunhiveError where there are none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise RunhiveError("--columns is empty: name some, such as run,state,val.accuracy")
    return names


def _cell(run: Run, name: str) -> str:
    if name in DEFAULT and name not in FIELDS:
        return DEFAULT[name](run) or NOTHING
    found = value(run, name)
    if name in ("started", "ended") and found:
        return numerals.when(found)
    if name == "commit":
        return commit_cell(run)
    if isinstance(found, float):
        return shown(name, found) if name.removeprefix("metrics.") in run.metrics else f"{found:.6g}"
    return _text(found) or NOTHING


def _text(found: object) -> str:
    return "" if found is None else plain(found)
