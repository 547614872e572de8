"""The page's filters are those of `runhive runs list`: one corpus, and whatever hypothesis thinks of, read by both."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from runhive.errors import RunhiveError
from runhive.report import numerals, shards
from runhive.report.score import is_better, main_metric, shown
from runhive.report.text import visible
from runhive.tracking import fields
from runhive.tracking.expression import as_text
from runhive.tracking.ledger.row import Row, row_of
from runhive.tracking.ledger.run import Event, fold

ASSETS = Path(shards.__file__).with_name("assets")
CORPUS = json.loads((Path(__file__).parents[1] / "tracking" / "filters.json").read_text())
EMPTY = row_of(fold("20261123-140000-000000", [Event("started", {})]))
ROWS: list[Row] = [EMPTY | row for row in CORPUS["rows"]]
ANSWER = """(filters) => { const known = runhive.fields(runhive.table("runs")); return filters.map((filter) => {
  try { return {runs: known.select(filter)}; } catch (error) {
    if (!(error instanceof runhive.filter.FilterError)) throw error;
    return {error: error.message}; } }); }"""

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=12)
NUMBERS = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-330, 308).map(lambda power: float(f"1e{power}")),
)
WORDS = st.one_of(
    st.sampled_from(
        ["and", "or", "not", "in", "(", ")", ",", "==", "!=", "<", "~", "=", "!", "null", "true", "state", "tag", "x"]
    ),
    st.sampled_from([str(one) for row in CORPUS["rows"] for one in row.values()]).map(json.dumps),
    NUMBERS.map(str),
    TEXT,
)
NAMES = st.sampled_from(["state", "tag", "name", "lr", "train.lr", "val.accuracy", "x", "params.x", "seconds", "flag"])
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~"])


def quoted(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return as_text(value)


def a_test(values: Sequence[object]) -> st.SearchStrategy[str]:
    one = st.one_of(st.sampled_from(values), NUMBERS, TEXT).map(quoted)
    listed = st.lists(one, min_size=1, max_size=3).map(lambda many: f"in ({', '.join(many)})")
    return st.tuples(NAMES, st.one_of(st.tuples(SIGNS, one).map(" ".join), listed)).map(" ".join)


def joined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    both = st.tuples(parts, st.sampled_from(["and", "or"]), parts).map(" ".join)
    return st.one_of(both, parts.map("not {}".format), parts.map("({})".format))


@st.composite
def rows_and_filters(draw: st.DrawFn) -> tuple[list[Row], list[str]]:
    values = draw(st.lists(st.one_of(st.none(), st.booleans(), NUMBERS, TEXT), min_size=1, max_size=8))
    pick = st.sampled_from(values)
    rows = [
        EMPTY
        | {"run_id": f"20261123-14000{number}-00000{number}", "state": draw(st.sampled_from(["failed", "lost"]))}
        | {
            "tags": draw(st.lists(TEXT, max_size=2)),
            "name": draw(TEXT),
            "params.x": draw(pick),
            "params.lr": draw(pick),
        }
        | draw(st.dictionaries(st.sampled_from(["metrics.lr", "metrics.val.accuracy"]), NUMBERS))
        for number in range(draw(st.integers(1, 5)))
    ]
    whole = st.recursive(a_test(values), joined, max_leaves=6)
    filters = st.one_of(whole, whole, st.lists(WORDS, max_size=12).map(" ".join), TEXT)
    return rows, draw(st.lists(filters, min_size=1, max_size=40))


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def answers(page: Page, rows: Sequence[Row], filters: Sequence[str], work: Path) -> list[dict[str, Any]]:
    """What the page makes of *filters* over *rows*, the oldest first."""
    page.goto("about:blank")
    paths = [work / path for path in [shards.write_run_shard(one, work) for one in shards.blocks(rows[::-1])]]
    for path in (ASSETS / "runhive.js", *paths, *(ASSETS / f"{name}.js" for name in ("filter", "fields", "numerals"))):
        page.add_script_tag(content=path.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(ANSWER, list(filters))
    return found


def python_answer(rows: Sequence[Row], text: str) -> dict[str, Any]:
    try:
        chosen = {id(row) for row in fields.select(rows, text)}
    except RunhiveError as error:
        return {"error": str(error)}
    return {"runs": [place for place, row in enumerate(rows) if id(row) in chosen]}


def test_the_page_answers_the_shared_corpus_as_python_does(page: Page, tmp_path: Path) -> None:
    filters = [case["filter"] for case in CORPUS["cases"]]
    found = answers(page, ROWS, filters, tmp_path)

    assert [{"filter": text, **one} for text, one in zip(filters, found, strict=True)] == CORPUS["cases"]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=rows_and_filters())
def test_both_readers_agree_on_whatever_is_typed(
    drawn: tuple[list[Row], list[str]], page: Page, tmp_path: Path
) -> None:
    rows, filters = drawn

    assert answers(page, rows, filters, tmp_path) == [python_answer(rows, text) for text in filters]


TIES = st.tuples(st.integers(-9999, 9999), st.sampled_from([2.0, 4.0, 16.0, 200.0, 2000.0])).map(
    lambda two: two[0] / two[1]
)
METRICS = ["val.accuracy", "val.nll", "export.onnx_bytes", "x.f1_low", "train_loss", "val.rmse", "seconds"]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    values=st.lists(st.one_of(NUMBERS, st.floats(-1, 1), st.floats(0, 1e9), TIES), min_size=1, max_size=40),
    texts=st.lists(TEXT),
)
def test_the_page_writes_numbers_and_text_as_the_static_pages_do(
    values: list[float], texts: list[str], page: Page, tmp_path: Path
) -> None:
    answers(page, ROWS, [], tmp_path)
    found = page.evaluate(
        """([values, metrics, texts]) => { const n = runhive.numerals; return [
          values.map((value) => [n.number(value), n.seconds(value), n.percent(value), n.asText(value)]),
          metrics.map((metric) => values.map((value) => n.shown(metric, value))), texts.map((text) => n.visible(text)),
          metrics.map((metric) => n.isBetter(metric, 1, 2))]; }""",
        [values, METRICS, texts],
    )

    assert found == [
        [[numerals.number(v), numerals.seconds(v), numerals.percent(v), as_text(float(v))] for v in values],
        [[shown(metric, v) for v in values] for metric in METRICS],
        [visible(text) for text in texts],
        [is_better(metric, 1, 2) for metric in METRICS],
    ]


def test_the_page_chooses_the_same_main_metric(page: Page, tmp_path: Path) -> None:
    names = ["test.accuracy", "val.accuracy", "val.nll", "val.accuracy_low", "export.onnx_bytes", "a.b"]
    answers(page, ROWS, [], tmp_path)
    cases = [(names[start:], of_set) for start in range(len(names) + 1) for of_set in ("", "val", "test", "a")]
    found = page.evaluate("(cases) => cases.map(([names, of]) => runhive.numerals.mainMetric(names, of))", cases)

    assert found == [main_metric(list(names), of_set) for names, of_set in cases]
