"""The samples of a run: few rows in the ledger, whatever was taken."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.tracking.life.samples import ROWS, join_samples
from runhive.tracking.life.usage import COLUMNS

START = datetime(2026, 11, 23, 14, 22, 33, 417_000, tzinfo=UTC)
HEADER = ",".join(COLUMNS) + "\n"


def table(count: int, after: int = 0) -> bytes:
    rows = (
        f"{(START + timedelta(seconds=5 * n)).isoformat(timespec='milliseconds')},train,{n}.4,{n * 10**6 + 7},50.2,"
        f"{n * 10**6},{n * 10**6},7000000001,,\n"
        for n in range(after, after + count)
    )
    return (HEADER + "".join(rows)).encode()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_short_run_keeps_each_sample_in_whole_units() -> None:
    first, second = rows_of(join_samples(None, table(2)))

    assert (first["time"], second["time"]) == ("2026-11-23T14:22:33+00:00", "2026-11-23T14:22:38+00:00")
    assert (second["cpu_percent"], second["memory_bytes"], second["disk_free_bytes"]) == ("1", "1000000", "7000000000")
    assert (second["phase"], second["gpu_percent"]) == ("train", "")


def test_neighbours_are_merged_to_the_mean_the_peak_and_the_last() -> None:
    first, *_, last = rows_of(join_samples(None, table(3 * ROWS)))

    assert (first["cpu_percent"], first["memory_bytes"], first["disk_read_bytes"]) == ("1", "2000000", "2000000")
    assert last["time"] == "2026-11-23T14:30:28+00:00"


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=5))
def test_the_rows_are_few_however_long_a_run_is_and_the_same_again_adds_none(counts: list[int]) -> None:
    kept, after = None, 0
    for count in counts:
        new = table(count, after)
        kept = join_samples(kept, new)
        assert join_samples(kept, new) == kept
        after += count

    assert len(rows_of(kept or b"")) <= ROWS


def test_what_was_taken_up_is_not_counted_again_when_the_table_has_grown() -> None:
    assert join_samples(join_samples(None, table(10)), table(25)) == join_samples(None, table(25))


@pytest.mark.parametrize(
    "damage", [b"2026-11-2", b"2026-11-23T14:22:33+00:00,train,x,1,1,1,1,1,,\n", b"\xff\n", b"\n", b"a,train,inf"]
)
def test_a_damaged_row_costs_that_row(damage: bytes) -> None:
    assert join_samples(None, table(3) + damage) == join_samples(None, table(3))


@pytest.mark.parametrize("before", [None, b"", b"<script>", b"time\nnoon\n", b"time,time\n1,2\n"])
def test_a_table_of_another_kind_is_replaced(before: bytes | None) -> None:
    assert join_samples(before, table(3)) == join_samples(None, table(3))


def test_no_sample_leaves_what_was_there() -> None:
    assert join_samples(table(2), b"") == table(2)
