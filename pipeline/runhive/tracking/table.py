"""Many runs as one table."""

from collections.abc import Sequence

import pandas as pd

from runhive.tracking.row import COLUMNS, Row


def tabulate(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one row per run: COLUMNS, then `params.*` and `metrics.*`, both sorted; NaN where a run lacks one."""
    open_columns = {name for row in rows for name in row}.difference(COLUMNS)
    params = sorted(name for name in open_columns if name.startswith("params."))
    return pd.DataFrame(rows, columns=[*COLUMNS, *params, *sorted(open_columns.difference(params))])
