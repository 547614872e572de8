"""The columns of a list of runs, and each run's cells."""

from collections.abc import Callable, Mapping, Sequence

from runhive.errors import RunhiveError
from runhive.report import numerals
from runhive.report.score import main_metric, shown
from runhive.report.text import plain
from runhive.tracking.fields import METRICS, SHORT, check_name, seconds_between, value
from runhive.tracking.ledger.row import Row

SELECTED = "*"  # explained below the list
NOTHING = "–"


def score_cell(row: Row) -> str:
    """The main metric with its interval, by its name unless it is an accuracy."""
    metrics = [key.removeprefix(METRICS) for key in row if key.startswith(METRICS)]
    metric = main_metric(metrics, str(row["evaluation_set"] or ""))
    if metric is None:
        return ""
    name = metric.rpartition(".")[2]
    value, low, high = (row.get(f"{METRICS}{metric}{end}") for end in ("", "_low", "_high"))
    label = "" if name == "accuracy" else f"{name} "
    told = f"{label}{shown(metric, value) if value is not None else NOTHING}{SELECTED if row['selected'] else ''}"
    if low is None or high is None:
        return told
    return f"{told} [{shown(metric, low).removesuffix('%').rstrip()}–{shown(metric, high)}]"


def commit_cell(row: Row) -> str:
    """The commit's first eight digits, with a + where files differed from it."""
    return str(row["commit"] or "")[:8] + ("+" if row["dirty"] else "")


def _took(row: Row) -> str:
    seconds = seconds_between(row["started_at"], row["ended_at"])
    return "" if seconds is None else numerals.seconds(seconds)


SHOWN: Mapping[str, Callable[[Row], str]] = {
    "run": lambda row: row["run_id"],
    "state": lambda row: row["state"] + (" (archived)" if row["archived"] else ""),
    "experiment": lambda row: row["experiment"],
    "score": score_cell,
    "name": lambda row: row["name"],
    "tags": lambda row: ", ".join(row["tags"]),
    "took": _took,
    "commit": commit_cell,
    "arch": lambda row: _text(row.get("params.model.arch")),
    "mode": lambda row: _text(row.get("params.train.mode")),
    "branch": lambda row: _text(row["branch"]),
}


def usual_cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and cells of the columns that a person looks for first, without those that are empty in all *rows*."""
    columns = {name: [show(row) for row in rows] for name, show in SHOWN.items()}
    kept = {name: column for name, column in columns.items() if any(column)}
    return list(kept), [list(cells) for cells in zip(*kept.values(), strict=True)]


def chosen_cells(rows: Sequence[Row], names: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Header and cells of the columns *names*. Raises RunhiveError for a name that no run has."""
    for name in names:
        if name not in SHOWN:
            check_name(name, rows)
    return list(names), [[_cell(row, name) or NOTHING for name in names] for row in rows]


def column_names(text: str) -> list[str]:
    """The names in the comma-separated *text*. Raises RunhiveError where there are none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise RunhiveError("--columns is empty: name some, such as run,state,val.accuracy")
    return names


def _cell(row: Row, name: str) -> str:
    if name in SHOWN:
        return SHOWN[name](row)
    found = value(row, name)
    if SHORT.get(name, name) in ("started_at", "ended_at") and found:
        return numerals.when(found)
    is_metric = name.startswith(METRICS) or METRICS + name in row
    if isinstance(found, int | float) and is_metric:
        return shown(name, found)
    return f"{found:.6g}" if isinstance(found, float) else _text(found)


def _text(found: object) -> str:
    return "" if found is None else plain(found)
