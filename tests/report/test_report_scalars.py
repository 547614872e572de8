"""Curves of the numbers that a run's own code logged."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.report.scalars import scalar_charts
from runhive.report.text import HIDDEN

HEADER = b"step,name,value,seconds\n"


def test_each_name_with_more_than_one_step_has_a_curve() -> None:
    rows = b"1,loss,0.5,0\n1,once,3,0\n2,loss,0.25,1\n1,acc,0.5,0\n3,acc,0.75,2\n"
    charts = scalar_charts(HEADER + rows)

    assert [chart.title for chart in charts] == ["loss", "acc"]
    assert charts[0].description == "loss by step; 0.25 in step 2."


def test_the_last_value_of_a_step_counts_and_what_is_no_number_is_passed_over() -> None:
    rows = b"1,loss,9,0\n1,loss,4,0\n2,loss,nan,0\n3,loss,2,0\n"
    (chart,) = scalar_charts(HEADER + rows)

    assert str(chart.lines[0].paths[0]).count(",") == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"a,b\n", HEADER + b"1,loss\n", HEADER + b"x,loss,1,0\n", HEADER + b"-1,a,1,0\n-2,a,1,0\n"],
)
def test_another_table_has_no_curve(content: bytes) -> None:
    assert scalar_charts(content) == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"')))
def test_a_hostile_name_is_shown_without_what_is_invisible(name: str) -> None:
    (chart,) = scalar_charts(HEADER + f'1,"{name}",1,0\n2,"{name}",2,0\n'.encode())

    assert not {unicodedata.category(character) for character in chart.title if character not in "\n\t"} & HIDDEN
