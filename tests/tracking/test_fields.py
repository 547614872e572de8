"""Names of columns, metrics and parameters: what they stand for in a run, and runs chosen and sorted by them."""

from typing import Any

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.fields import check_name, select, sort, value
from runhive.tracking.ledger.row import COLUMNS, Row, row_of
from runhive.tracking.ledger.run import Event, fold


def row(run_id: str, **known: Any) -> Row:
    empty: Row = dict.fromkeys(COLUMNS) | {"tags": [], "started_at": "2026-11-23T14:00:00+00:00"}
    return empty | {"run_id": run_id} | {name.replace("__", "."): value for name, value in known.items()}


ROWS = [
    row("a", state="completed", metrics__val__loss=0.5, params__lr=0.1, tags=["best", "x"], notes="hi"),
    row("b", state="failed", params__lr=0.01, params__url=None, ended_at="2026-11-23T14:01:30+00:00"),
    row("c", state="completed", metrics__val__loss=2.0, metrics__lr=7.0, params__lr="warm"),
]


def ids(rows: list[Row]) -> str:
    return "".join(row["run_id"] for row in rows)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("run", "a"),
        ("tag", ["best", "x"]),
        ("note", "hi"),
        ("val.loss", 0.5),
        ("metrics.val.loss", 0.5),
        ("lr", 0.1),
        ("params.lr", 0.1),
        ("metrics.lr", None),
        ("ended", None),
        ("seconds", None),
        ("nothing", None),
    ],
)
def test_a_name_stands_for_a_column_a_metric_or_a_parameter(name: str, found: object) -> None:
    assert value(ROWS[0], name) == found


def test_a_metric_goes_before_a_parameter_of_its_name() -> None:
    assert (value(ROWS[2], "lr"), value(ROWS[2], "params.lr")) == (7.0, "warm")


def test_seconds_are_from_start_to_end() -> None:
    assert value(ROWS[1], "seconds") == 90


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("val.loss < 1", "a"),
        ("tag == x or state == failed", "ab"),
        ("params.lr ~ wa", "c"),
        ("url == null", "abc"),
        ("seconds >= 90", "b"),
        ("not val.loss > 0", "b"),
    ],
)
def test_a_filter_keeps_the_order(text: str, found: str) -> None:
    assert ids(select(ROWS, text)) == found


def test_an_unknown_name_is_told_with_its_position_and_the_nearest() -> None:
    with pytest.raises(RunhiveError, match=r"^filter, character 21: no run has val.los: did you mean val.loss\?$"):
        select(ROWS, "state == failed and val.los > 1")


def test_a_name_that_one_run_alone_has_is_known_even_where_it_is_null() -> None:
    assert ids(select(ROWS, "url != null")) == ""


def test_the_last_part_of_a_name_finds_the_whole() -> None:
    with pytest.raises(RunhiveError, match=r"did you mean val\.loss\?"):
        check_name("loss", [row("a", metrics__val__loss=1.0)])


@pytest.mark.parametrize(("name", "order"), [("val.loss", "acb"), ("-val.loss", "cab"), ("-state", "bac")])
def test_runs_are_sorted_and_those_without_a_value_come_last(name: str, order: str) -> None:
    assert ids(sort(ROWS, name)) == order


def test_numbers_and_text_of_one_name_sort_as_text() -> None:
    assert ids(sort(ROWS, "params.lr")) == "bac"


@pytest.mark.parametrize(
    ("compared", "verdict", "change"),
    [
        ({"comparable": True, "won": 12, "lost": 2, "p": 0.01}, "better", 0.1),
        ({"comparable": True, "won": 2, "lost": 12, "p": 0.01}, "worse", -0.1),
        ({"comparable": True, "won": 4, "lost": 2, "p": 0.7}, "same", 0.02),
        ({"comparable": True, "won": 4, "lost": 2, "p": "odd"}, "same", 0.02),
        ({"comparable": False, "won": 0, "lost": 0, "p": 1.0}, None, None),
        ({"comparable": True, "won": -3, "lost": "x"}, None, None),
        ({}, None, None),
    ],
)
def test_a_row_says_whether_the_run_beat_its_baseline(
    compared: dict[str, Any], verdict: str | None, change: float | None
) -> None:
    scored = {"evaluation_set": {"name": "val", "digest": "ab", "images": 100}, "metrics_version": 1}
    events = [
        Event("started", {}),
        Event("evaluated", {"metrics": {}, "evaluation": scored}),
        Event("compared", compared),
    ]
    found = row_of(fold("20261123-142233-7f3a9c", events))

    assert (found["verdict"], found["change"]) == (verdict, change)
    assert (found["evaluation_digest"], found["evaluation_images"], found["metrics_version"]) == ("ab", 100, 1)
