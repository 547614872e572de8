"""What a name stands for in a run: the names of filter expressions, of columns and of sort keys.

The columns of a row come first, such as `state`; then a metric such as `val.accuracy`, then a parameter such as
`train.lr`. `metrics.` and `params.` before a name say which is meant.
"""

from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from typing import Any

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.expression import parse, tests_of
from runhive.tracking.ledger.row import COLUMNS, Row
from runhive.tracking.tokens import fault

SHORT = {"run": "run_id", "tag": "tags", "note": "notes", "started": "started_at", "ended": "ended_at"}
SECONDS = "seconds"  # from start to end; no column of its own
METRICS, PARAMS = "metrics.", "params."


def value(row: Row, name: str) -> object:
    """The value of *name* in *row*; None where it has none. That of `tags` is a list."""
    if name == SECONDS:
        return seconds_between(row["started_at"], row["ended_at"])
    key = _key(row, name)
    return None if key is None or row[key] == "" else row[key]


def select(rows: Sequence[Row], filter_text: str) -> list[Row]:
    """The *rows* for which the filter expression holds. Raises RunhiveError for a mistake in it or an unknown name."""
    expression = parse(filter_text)
    for test in tests_of(expression):
        if problem := _unknown(test.name, rows):
            raise fault(test.position, problem)
    return [row for row in rows if expression.holds(partial(_values, row))]


def sort(rows: Sequence[Row], name: str) -> list[Row]:
    """The *rows* by the value of *name*, the lowest first, with a `-` before it the highest.

    Those without a value come last.
    """
    key = name.removeprefix("-")
    check_name(key, rows)
    found = [(one, row) for row in rows if (one := value(row, key)) is not None]
    numeric = all(isinstance(one, int | float) for one, _ in found)

    def order(pair: tuple[object, Row]) -> Any:
        return pair[0] if numeric else str(pair[0])

    found.sort(key=order, reverse=name.startswith("-"))
    return [row for _, row in found] + [row for row in rows if value(row, key) is None]


def check_name(name: str, rows: Sequence[Row]) -> None:
    """Raise RunhiveError for a name that no run has."""
    if problem := _unknown(name, rows):
        raise RunhiveError(one_line(problem))


def seconds_between(start: object, end: object) -> float | None:
    """The seconds between two ISO times; None where one is missing or none."""
    try:
        return (datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))).total_seconds()
    except (ValueError, TypeError):
        return None


def _values(row: Row, name: str) -> Sequence[object]:
    found = value(row, name)
    return found if isinstance(found, list) else [] if found is None else [found]


def _key(row: Row, name: str) -> str | None:
    """The row's own name for *name*; None where it has none."""
    name = SHORT.get(name, name)
    return next((key for key in (name, METRICS + name, PARAMS + name) if key in row), None)


def _unknown(name: str, rows: Sequence[Row]) -> str | None:
    if name == SECONDS or not rows or any(_key(row, name) for row in rows):
        return None
    known = {*SHORT, SECONDS, *COLUMNS, *(key for row in rows for key in row)}
    known |= {key.removeprefix(METRICS).removeprefix(PARAMS) for key in known}
    near = get_close_matches(name, sorted(known), 1, 0.6) or sorted(one for one in known if one.endswith(f".{name}"))
    return f"no run has {name}: " + (f"did you mean {near[0]}?" if near else "`runhive runs show latest` lists names")
