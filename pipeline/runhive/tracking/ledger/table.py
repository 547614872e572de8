"""Many runs as one table."""

import io
import json
from collections.abc import Iterable, Sequence
from itertools import chain
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from runhive.files import write_atomic
from runhive.tracking.ledger.columns import ABSENT, Column, Columns, columns_of
from runhive.tracking.ledger.index import Month
from runhive.tracking.ledger.row import COLUMNS, Row


def tabulate(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one row per run: COLUMNS, then `params.*` and `metrics.*`, both sorted; NaN where a run lacks one."""
    return _frame([(columns_of(rows), len(rows))] if rows else [])


def tabulate_months(months: Iterable[Month]) -> pd.DataFrame:
    """Return what `tabulate` does of the rows of *months*, newest first."""
    parts = [(month.columns, len(month.folders)) for month in months if month.folders]
    starts, ids = (_joined([(part.get(name), size) for part, size in parts]) for name in ("started_at", "run_id"))
    order = sorted(range(len(ids)), key=lambda place: (starts[place], ids[place]), reverse=True)
    frame = _frame(parts)
    return frame if order == list(range(len(order))) else frame.take(order).reset_index(drop=True)


Part = tuple[Columns, int]


def _frame(parts: Sequence[Part]) -> pd.DataFrame:
    """One under the other, *parts* of so many rows each."""
    open_columns = {name for columns, _ in parts for name in columns}.difference(COLUMNS)
    params = sorted(name for name in open_columns if name.startswith("params."))
    names = [*COLUMNS, *params, *sorted(open_columns.difference(params))]
    rows = sum(size for _, size in parts)
    cells = {name: _cells([(columns.get(name), size) for columns, size in parts], rows) for name in names}
    return pd.DataFrame(cells, columns=names, index=range(rows))


def _cells(parts: Sequence[tuple[Column | None, int]], rows: int) -> Any:
    """What pandas makes of all cells; of a value that every row has, it has to look at one."""
    found = {repr(part.values[0]) if part and part.is_one() else None for part, _ in parts}
    if len(found) == 1 and None not in found and parts[0][0] and not isinstance(parts[0][0].values[0], list):
        return pd.Series(parts[0][0].values).array.repeat(rows)
    return _joined(parts)


def _joined(parts: Sequence[tuple[Column | None, int]]) -> list[Any]:
    cells = chain.from_iterable(part.cells(size) if part else [ABSENT] * size for part, size in parts)
    return [nan if cell is ABSENT else cell for cell in cells]


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write *rows* to *path* as CSV, tags with spaces between."""
    table = tabulate(rows)
    table["tags"] = [" ".join(tags) for tags in table["tags"]]
    write_atomic(path, table.to_csv(index=False, lineterminator="\n").encode())


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """Write *rows* to *path* as Parquet. Raises ModuleNotFoundError without pyarrow.

    A column that holds values of several kinds, as a parameter may, is written as text: Parquet has one type a column.
    """
    import pyarrow  # noqa: F401  # so that what is missing has its own name, not pandas' long text

    table = tabulate(rows).convert_dtypes()
    for name in table.columns:
        if table[name].dtype == object and name != "tags":
            table[name] = [None if value is None else _text(value) for value in table[name]]
    content = io.BytesIO()
    table.to_parquet(content, engine="pyarrow", index=False)
    write_atomic(path, content.getvalue())


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
