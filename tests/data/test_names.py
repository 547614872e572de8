"""Names that strangers chose."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runhive.data.names import listed, name_fault, shown


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[])))
def test_what_is_shown_is_one_line_of_utf8(text: str) -> None:
    line = shown(text)

    assert line.isprintable()
    assert json.loads(json.dumps(line).encode()) == line


@pytest.mark.parametrize("name", ["a.jpg", "Ameise \u00fc.png", "\u8681.png", "a:b, c.png", "x" * 255])
def test_a_name_that_people_write_has_no_fault(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "word"),
    [("a\nb", "line break"), ("a\x1b[31m", "control"), ("a\u2028b", "line break"), ("\udcff", "UTF-8")],
)
def test_a_name_that_breaks_a_line_or_is_no_utf8_has_a_fault(name: str, word: str) -> None:
    assert word in str(name_fault(name))


def test_a_long_list_says_how_many_more() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"
