"""The shared corpus of filters, which tests/report/test_report_filter.py runs through the site's own reader too."""

import json
from pathlib import Path
from typing import Any

import pytest

from runhive.errors import RunhiveError
from runhive.tracking import fields
from runhive.tracking.ledger.row import Row, row_of
from runhive.tracking.ledger.run import Event, fold

CORPUS = json.loads(Path(__file__).with_name("filters.json").read_text())
EMPTY = row_of(fold("20261123-140000-000000", [Event("started", {})]))
ROWS: list[Row] = [EMPTY | row for row in CORPUS["rows"]]


@pytest.mark.parametrize("case", CORPUS["cases"], ids=lambda case: ascii(case["filter"])[1:60])
def test_a_filter_finds_these_runs_or_is_this_mistake(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(RunhiveError) as caught:
            fields.select(ROWS, case["filter"])
        assert str(caught.value) == case["error"]
    else:
        found = fields.select(ROWS, case["filter"])
        assert [ROWS.index(row) for row in found] == case["runs"]
