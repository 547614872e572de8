"""The grammar of filter expressions: what parses, what does not and where, and what holds."""

import operator
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runhive.errors import RunhiveError
from runhive.tracking.expression import as_text, parse

RUN: dict[str, Sequence[Any]] = {
    "val.accuracy": [0.95],
    "train.lr": [0.01],
    "epochs": [30],
    "model.arch": ["resnet18"],
    "state": ["completed"],
    "started": ["2026-11-23T14:22:33.000+00:00"],
    "tag": ["best", "paper"],
    "dirty": [False],
    "val acc": [1.0],
    "and": ["x"],
}


def holds(text: str) -> bool:
    return parse(text).holds(lambda name: RUN.get(name, []))


@pytest.mark.parametrize(
    "text",
    [
        'val.accuracy > 0.9 and model.arch == "resnet18" and state == completed',
        "val.accuracy>0.9 and(model.arch==resnet18)",
        "epochs == 30.0 and epochs <= 3e1 and epochs >= +30",
        "train.lr < 1e-1",
        "started > 2026-11-01 and started < 2026-12-01",
        "started ~ 2026-11-23",
        "model.arch ~ NET",
        "tag == best and tag == paper and tag != worst",
        "state in (failed, completed)",
        "state not in (failed, lost)",
        "not (state == failed or state == lost)",
        "not not state == completed",
        "state == failed or state == completed and epochs == 30",
        "NOT state == failed AND (epochs == 30)",
        "dirty == false and dirty != true",
        "missing == null and missing != 3",
        "'val acc' == 1",
        '"and" == x',
        r"""model.arch != 'it\'s "quoted"' """,
        "epochs in (10, 30)",
    ],
)
def test_it_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "val.accuracy > 0.95",
        'epochs == "30"',
        "model.arch > 1",
        "epochs > abc",
        "dirty == 0",
        "missing > 0 or missing < 0 or missing == 0 or missing ~ 0",
        "tag == be",
        "tag != best",
        "state == Completed",
        "not state == completed and epochs == 30",
        "(state == completed or epochs == 1) and epochs == 2",
    ],
)
def test_it_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("", 1, "the name of a field, metric or parameter expected, but it ends"),
        ("epochs = 3", 8, "write =="),
        ("epochs", 7, "a comparison"),
        ("epochs >", 9, "a value expected"),
        ("epochs > 3 epochs < 4", 12, "`and`, `or` or the end expected, but found epochs"),
        ("(epochs > 3", 12, "`)` expected"),
        ("epochs > 3)", 11, "found )"),
        ('arch == "resnet', 9, 'the quote " is not closed'),
        ("0.9 < val.accuracy", 1, "0.9 is a value"),
        ("true == dirty", 1, "true is a value"),
        ("state in completed", 10, "`(` and a list of values"),
        ("state in (a b)", 13, "`,` or `)`"),
        ("state in ()", 11, "a value expected"),
        ("state not == a", 11, "`in` expected"),
        ("epochs ! 3", 8, "not expected here"),
        ("epochs > 3 and", 15, "it ends"),
        ("epochs > and", 10, "a value expected, but found and"),
        ("(" * 60 + "a == 1" + ")" * 60, 51, "nested more than 50 deep"),
        ("not " * 60 + "a == 1", 201, "nested more than 50 deep"),
    ],
)
def test_a_mistake_is_one_line_with_its_position(text: str, position: int, told: str) -> None:
    with pytest.raises(RunhiveError, match=f"^filter, character {position}: ") as caught:
        parse(text)

    assert told in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_expression_without_end_is_refused() -> None:
    with pytest.raises(RunhiveError, match="2000 at most: shorten it"):
        parse("a == 1 or " * 1000)


WORDS = st.sampled_from(
    ["and", "or", "not", "in", "(", ")", ",", "==", "<", "~", "a", "'b c'", "1", "null", '"', "\\", "="]
)


@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=120).map(" ".join)))
@example("\x1b[31m == 1")
def test_whatever_is_typed_it_parses_or_is_one_line_of_error(text: str) -> None:
    try:
        holds(text)
    except RunhiveError as error:
        assert str(error).startswith("filter")
        assert str(error).isprintable()


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUES = st.one_of(NUMBERS, st.booleans(), st.none(), st.text(max_size=20))
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


@given(NUMBERS, st.sampled_from(sorted(ORDERS)), NUMBERS)
def test_numbers_compare_as_numbers(own: float, sign: str, other: float) -> None:
    assert parse(f"x {sign} {other!r}").holds(lambda _: [own]) == ORDERS[sign](own, other)


@given(VALUES)
def test_a_value_equals_itself_as_an_expression_writes_it(value: object) -> None:
    written = as_text(value)
    if isinstance(value, str):
        written = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    assert parse(f"x == {written}").holds(lambda _: [value])
    assert not parse(f"x != {written}").holds(lambda _: [value])
    assert parse(f"x in (1, {written})").holds(lambda _: [value])
