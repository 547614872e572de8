"""The file that holds the events of one append."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.errors import RunhiveError
from runhive.tracking.ledger.batch import in_batches, is_in_one_form, read_batch, without, write_batch
from runhive.tracking.ledger.row import UNSHOWN, row_of
from runhive.tracking.ledger.run import Event, fold

RUN = "20261123-142233-7f3a9c"
TIME = "2026-11-23T14:22:33.000+00:00"
TEXTS = st.text() | st.sampled_from(['"type":"filed"}', '\n{"type":"used"},\n', "[\n", "\n]\n"])
TYPES = st.sampled_from(["unheard-of", "noticed", "seen-again"])
EVENTS = st.builds(
    Event,
    type=TYPES,
    data=st.dictionaries(
        TEXTS, TEXTS | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60)
    ),
    time=st.just(TIME),
    seconds=st.none() | st.floats(0, 1e6),
    order=st.integers(1, 99),
)
BEFORE = [
    Event("started", {"params": {"lr": 0.1}}, TIME, order=1),
    Event("trained", {"images_per_second": 3.5}, TIME, 9.0, 2, TIME),
    Event("finished", {"state": "completed"}, TIME, order=3),
]
UNSEEN: dict[str, dict[str, Any]] = {
    "used": {"phase": "train", "attempt": 1, "cpu_seconds": 5.0},
    "filed": {"files": {"models/model.onnx": {"bytes": 1, "md5": "0" * 32, "sha256": "0" * 64}}},
    "ran": {"exit_code": 3},
    "prepared": {"attempt": 2},
}


@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_events_survive_their_file_which_has_one_form(events: list[Event]) -> None:
    content = write_batch(events)

    assert read_batch(content) == events
    assert is_in_one_form(content)
    assert content.count(b"\n{") == len(events)


@given(st.lists(EVENTS, min_size=1, max_size=5), st.lists(TYPES, max_size=2))
def test_only_the_events_of_the_named_types_are_passed_over(events: list[Event], types: list[str]) -> None:
    assert read_batch(without(write_batch(events), types)) == [event for event in events if event.type not in types]


@pytest.mark.parametrize("content", [b'{"type":"used"}', b'[{"type":"used"}]', b'[\n{"type":"used"}]', b"", b"[\n]\n"])
def test_what_is_not_in_the_one_form_is_not_passed_over(content: bytes) -> None:
    assert without(content, ["used"]) == content


@pytest.mark.parametrize("type", UNSHOWN)
def test_a_row_shows_nothing_of_what_is_passed_over_for_it(type: str) -> None:
    unseen = Event(type, UNSEEN.get(type, {}), TIME, 4.0, 4, TIME)

    assert row_of(fold(RUN, [*BEFORE, unseen])) == row_of(fold(RUN, BEFORE))


@given(st.lists(EVENTS, max_size=6), st.integers(1, 400))
def test_batches_keep_the_order_and_the_cap(events: list[Event], most: int) -> None:
    batches = list(in_batches(events, most))

    assert [event for batch in batches for event in batch] == events
    assert all(len(write_batch(batch)) <= most or len(batch) == 1 for batch in batches)


@pytest.mark.parametrize("number", ["1e999", "-1E+0400", "1" * 400, f"{'9' * 309}.5"])
def test_a_number_too_large_for_a_float_is_no_event_s(number: str) -> None:
    content = write_batch([Event("noticed", {"loss": 1.5}, TIME)]).replace(b"1.5", number.encode())

    if number.isdigit():
        assert read_batch(content)[0].data == {"loss": int(number)}
        return
    with pytest.raises(RunhiveError, match="not a well-formed event"):
        read_batch(content)
