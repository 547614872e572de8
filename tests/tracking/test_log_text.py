"""A log without what only a terminal understands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.tracking.life.log_text import LogText, tail


def clean(output: bytes) -> str:
    text = LogText()
    return text.feed(output) + text.rest()


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (b"\x1b[1;32mgreen\x1b[0m\n", "green\n"),
        (b"10 %\r50 %\r100 %\n", "100 %\n"),
        (b"100 %\r\n", "100 %\n"),
        (b"\r\x1b[2Kepoch 1\r\x1b[2Kepoch 2", "epoch 2\n"),
        (b"\x1b]0;title\x07text\n", "text\n"),
        (b"\x1b]8;;https://hive.example\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        (b"a\x00b\x07c\x08\n", "abc\n"),
        ("safe \u202egnp.exe\n".encode(), "safe gnp.exe\n"),
        (b"\xff\xfe\n", "\ufffd\ufffd\n"),
        ("Mühe\tTab\n".encode(), "Mühe\tTab\n"),
        (b"", ""),
        (b"\n\n", "\n\n"),
    ],
)
def test_output_becomes_clean_text(output: bytes, text: str) -> None:
    assert clean(output) == text


@given(st.binary(max_size=60), st.integers(0, 60))
def test_where_output_is_cut_into_pieces_does_not_matter(output: bytes, at: int) -> None:
    text = LogText()

    assert text.feed(output[:at]) + text.feed(output[at:]) + text.rest() == clean(output)


@given(st.binary(max_size=60))
def test_no_control_character_is_left(output: bytes) -> None:
    assert not set(clean(output)) & set(map(chr, [*range(9), *range(11, 32), 127]))


def test_a_bar_drawn_over_for_hours_takes_no_memory() -> None:
    text = LogText()
    for step in range(3000):
        assert text.feed(b"\r%d " % step + b"#" * 200) == ""

    assert text.rest().startswith("2999 #")


def test_the_tail_is_whole_lines_and_says_what_is_left_out() -> None:
    text = "".join(f"line {number}\n" for number in range(100))

    assert tail(text, 10_000) == text
    assert tail(text, 20) == "[774 bytes before this are left out]\nline 98\nline 99\n"
