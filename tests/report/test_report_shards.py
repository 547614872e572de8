"""Data shards: what the page reads is what the ledger says, digit by digit, and nothing in it is markup."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hostile_ledger import PAYLOADS, attacked
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from runhive.report import shards
from runhive.report.shards import blocks, columnar, write_run_shard, write_shard
from runhive.tracking.fields import value
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.row import COLUMNS, Row, row_of
from runhive.tracking.ledger.run import Event, fold

LOADER = Path(shards.__file__).with_name("assets") / "runhive.js"
READ = """() => { const table = runhive.table("runs");
  return Object.fromEntries(table.names.map((name) => [name, table.column(name)])); }"""
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text()
)


def _written(newest_first: Sequence[Row], work: Path) -> list[str]:
    return [write_run_shard(rows, work) for rows in blocks(newest_first)]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Any:
    page = browser.new_page()
    yield page
    page.close()


def read_back(page: Page, work: Path, paths: list[str]) -> dict[str, list[Any]]:
    page.goto("about:blank")
    for path in (LOADER, *(work / path for path in paths)):
        page.add_script_tag(content=path.read_text(encoding="ascii"))
    found: dict[str, list[Any]] = page.evaluate(READ)
    return found


def is_number(one: object) -> bool:
    return isinstance(one, int | float) and not isinstance(one, bool)


def a_row(number: int, **known: Any) -> Row:
    run_id = f"20261101-{number:06d}-abcdef"
    return row_of(fold(run_id, [Event("started", {"params": known}, time=f"2026-11-01T00:00:00.{number:03d}+00:00")]))


def test_the_page_reads_every_column_of_the_ledger_s_table(ledger: Ledger, page: Page, tmp_path: Path) -> None:
    rows = ledger.rows()[::-1]
    found = read_back(page, tmp_path, _written(ledger.rows(), tmp_path))
    timed = [row | {"seconds": value(row, "seconds")} for row in rows]

    assert {*COLUMNS, "metrics.val.accuracy", "params.train.lr"} <= found.keys()
    assert found == {
        name: [row.get(name) for row in timed] for name in dict.fromkeys(name for row in timed for name in row)
    }


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(VALUES, min_size=1, max_size=60),
    name=st.sampled_from(["lr", "__proto__", "constructor", "</script>"]),
)
def test_a_value_comes_through_unchanged(values: list[Any], name: str, page: Page, tmp_path: Path) -> None:
    rows = [a_row(number, **{name: one}) for number, one in enumerate(values)]
    found = read_back(page, tmp_path, _written(rows[::-1], tmp_path))

    written = found.get(f"params.{name}", [None] * len(values))
    assert [float(one) if is_number(one) else one for one in written] == values


def test_a_shard_is_ascii_without_markup_and_runs_nothing_of_a_run(page: Page, tmp_path: Path) -> None:
    for payload in PAYLOADS:
        path = write_shard(tmp_path, "runs", attacked({"a": payload, "b": [payload]}, payload))
        script = (tmp_path / path).read_bytes()

        assert script.isascii() and not {*b"<>&\x7f\x1b"} & {*script}
        page.goto("about:blank")
        page.add_script_tag(content=LOADER.read_text())
        page.add_script_tag(content=script.decode())
        assert page.evaluate("[window.pwned ?? null, runhive.shards('runs')[0].a]") == [None, payload]


def test_a_new_run_changes_the_last_shard_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "RUNS_A_SHARD", 4)
    rows = [a_row(number, lr=number) for number in range(11)][::-1]
    before, after = _written(rows[1:], tmp_path), _written(rows, tmp_path)

    assert len(before) == len(after) == 3
    assert before[:2] == after[:2] and before[2] != after[2]


def test_what_repeats_is_written_once() -> None:
    table = pd.DataFrame(
        {"state": ["completed", None, "completed", "failed"] * 3, "lr": range(12), "gone": [None] * 12}
    )

    assert columnar(table) == {
        "rows": 12,
        "columns": {
            "state": {"of": ["completed", None, "failed"], "at": [0, 1, 0, 2] * 3},
            "lr": list(range(12)),
        },
        "empty": ["gone"],
    }
