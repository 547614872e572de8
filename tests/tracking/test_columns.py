"""Rows as columns and back, and as a DataFrame."""

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.tracking.ledger.columns import columns_of, rows_of
from runhive.tracking.ledger.index import Month
from runhive.tracking.ledger.row import COLUMNS, Row
from runhive.tracking.ledger.table import tabulate, tabulate_months

NUMBERS = st.sampled_from([0, 0.0, -0.0, 1, 1.0, True, False, 2**53 + 1, -3, 0.1])
VALUES = st.none() | NUMBERS | st.sampled_from(["", "a", "1", "None"]) | st.lists(NUMBERS, max_size=2)
NAMES = st.sampled_from(["params.lr", "params.betas", "metrics.val.accuracy", "tags", "name"])
ROWS = st.lists(st.dictionaries(NAMES, VALUES), max_size=6)
LIKE_ROWS = st.integers(1, 6).flatmap(
    lambda count: st.dictionaries(NAMES, st.lists(VALUES, min_size=count, max_size=count), min_size=1).map(
        lambda columns: [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    )
)


def months(rows: list[Row], parts: int) -> list[Month]:
    pieces = [rows[part::parts] for part in range(parts)]
    return [Month("t", {row["run_id"]: "f" for row in piece}, columns_of(piece)) for piece in pieces]


def numbered(rows: list[Row]) -> list[Row]:
    return [{"run_id": f"{9 - number}", "started_at": f"{9 - number // 2}", **row} for number, row in enumerate(rows)]


@given(ROWS | LIKE_ROWS)
def test_rows_survive_as_columns_each_value_of_its_type(rows: list[Row]) -> None:
    found = list(rows_of(columns_of(rows), len(rows))) if any(rows) else rows

    assert [dict(sorted(row.items())) for row in found] == [dict(sorted(row.items())) for row in rows]
    assert json.dumps(found, sort_keys=True) == json.dumps(rows, sort_keys=True)


@given(LIKE_ROWS, st.integers(1, 3))
def test_a_table_of_columns_is_the_one_that_pandas_makes_of_the_rows(rows: list[Row], parts: int) -> None:
    rows = numbered(rows)
    names = {name for row in rows for name in row}.difference(COLUMNS)
    params = sorted(name for name in names if name.startswith("params."))
    expected = pd.DataFrame(rows, columns=[*COLUMNS, *params, *sorted(names.difference(params))])

    pd.testing.assert_frame_equal(tabulate(rows), expected)
    pd.testing.assert_frame_equal(tabulate_months(months(rows, parts)), expected)


def test_a_table_of_months_is_in_the_order_of_the_starts() -> None:
    rows = [{"run_id": name, "started_at": start} for name, start in (("a", "3"), ("b", "1"), ("c", "2"))]

    assert tabulate_months(months(rows, 2))["run_id"].tolist() == ["a", "c", "b"]


@pytest.mark.parametrize("rows", [[], [{}]])
def test_no_rows_and_no_values_are_a_table(rows: list[dict[str, Any]]) -> None:
    assert list(tabulate(rows).columns) == list(COLUMNS)
    assert len(tabulate(rows)) == len(rows)


def test_no_two_rows_share_a_list() -> None:
    first, second = rows_of(columns_of([{"tags": ["a"]}, {"tags": ["a"]}]), 2)
    first["tags"].append("b")

    assert second["tags"] == ["a"]
