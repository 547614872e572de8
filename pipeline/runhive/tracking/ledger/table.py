"""Many runs as one table."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from runhive.files import write_atomic
from runhive.tracking.ledger.row import COLUMNS, Row


def tabulate(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one row per run: COLUMNS, then `params.*` and `metrics.*`, both sorted; NaN where a run lacks one."""
    open_columns = {name for row in rows for name in row}.difference(COLUMNS)
    params = sorted(name for name in open_columns if name.startswith("params."))
    return pd.DataFrame(rows, columns=[*COLUMNS, *params, *sorted(open_columns.difference(params))])


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
