"""Events and the record that they fold into."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.errors import RunhiveError
from runhive.tracking.run import Event, fold, new_run_id, run_folder

RUN = "20261123-142233-7f3a9c"
TIMES = st.sampled_from(["2026-11-23T14:22:33.000+00:00", "2026-11-23T14:22:34.000+00:00"])
NUMBERS = st.dictionaries(
    st.sampled_from(["val.accuracy", "val.loss"]), st.floats(allow_nan=False, allow_infinity=False)
)


def events_of(type: str, data: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Event]:
    seconds = st.none() | st.floats(0, 1e6)
    return st.builds(Event, type=st.just(type), data=data, time=TIMES, seconds=seconds, order=st.integers(1, 4))


EVENTS = st.one_of(
    events_of(
        "started", st.fixed_dictionaries({}, optional={"experiment": st.text(), "code": st.just({"dirty": True})})
    ),
    events_of("resumed", st.fixed_dictionaries({"attempt": st.integers(2, 9)})),
    events_of(
        "finished", st.fixed_dictionaries({"state": st.sampled_from(["completed", "failed", "canceled", "lost"])})
    ),
    events_of("trained", st.fixed_dictionaries({"weights_sha256": st.text()})),
    events_of("evaluated", st.fixed_dictionaries({"metrics": NUMBERS, "evaluation": st.just({})})),
    events_of("exported", st.fixed_dictionaries({"metrics": NUMBERS, "parity": st.just({})})),
    events_of("noted", st.dictionaries(st.text(), st.text())),
)


@given(
    st.lists(EVENTS, min_size=1, max_size=6).flatmap(lambda events: st.tuples(st.just(events), st.permutations(events)))
)
def test_any_permutation_of_events_folds_to_the_same_record(pair: tuple[list[Event], list[Event]]) -> None:
    events, shuffled = pair

    assert fold(RUN, events) == fold(RUN, shuffled)


@given(st.lists(EVENTS, min_size=1, max_size=4), st.lists(EVENTS, max_size=4), st.lists(EVENTS, max_size=4))
def test_the_union_of_two_clones_folds_the_same_from_both_sides(
    common: list[Event], here: list[Event], there: list[Event]
) -> None:
    mine = {event.file_name(): event for event in [*common, *here]}
    theirs = {event.file_name(): event for event in [*common, *there]}

    assert fold(RUN, (mine | theirs).values()) == fold(RUN, (theirs | mine).values())


@given(EVENTS)
def test_an_event_survives_its_file(event: Event) -> None:
    assert Event.from_json(event.to_json()) == event


def test_a_resumed_run_is_running_again_under_its_next_attempt() -> None:
    events = [
        Event("started", {}, order=1),
        Event("finished", {"state": "failed", "attempt": 1, "cause": "out of memory"}, order=2),
        Event("resumed", {"attempt": 2}, order=3),
    ]

    run = fold(RUN, events)

    assert (run.state, run.attempt, run.cause, run.ended_at) == ("running", 2, None, None)


def test_the_last_evaluation_is_in_force_and_the_earlier_one_stays_readable() -> None:
    events = [
        Event("evaluated", {"evaluation": {}, "metrics": {"val.accuracy": number}}, order=order)
        for order, number in enumerate((0.5, 0.75), start=1)
    ]

    run = fold(RUN, events)

    assert run.metrics == {"val.accuracy": 0.75}
    assert run.events[0].data["metrics"] == {"val.accuracy": 0.5}


@pytest.mark.parametrize("run_id", [RUN, "20240229-000000-000000", new_run_id()])
def test_a_run_id_has_a_folder_by_its_day(run_id: str) -> None:
    assert run_folder(run_id) == f"runs/{run_id[:4]}/{run_id[4:6]}/{run_id[6:8]}/{run_id}"


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        "latest",
        "20261123-142233",
        "20261123-142233-7F3A9C",
        "20261123-142233-7f3a9c\n",
        "20261123-142233-7f3a9c/../x",
        "../../../../etc/passwd",
        "٢٠٢٦١١٢٣-142233-7f3a9c",
        f"{RUN}{RUN}",
    ],
)
def test_what_is_no_run_id_has_no_folder(run_id: str) -> None:
    with pytest.raises(RunhiveError, match="is not a run id"):
        run_folder(run_id)


GOOD = {
    "schema_version": 1,
    "type": "noted",
    "data": {},
    "time": "2026-11-23T14:22:33+00:00",
    "seconds": None,
    "order": 1,
}


def test_the_event_that_the_next_test_breaks_is_good() -> None:
    assert Event.from_json(json.dumps(GOOD).encode()).type == "noted"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"[]",
        b"\xff\xfe",
        b"[" * 10_000,
        json.dumps(GOOD | {"type": "../noted"}),
        json.dumps(GOOD | {"data": []}),
        json.dumps(GOOD | {"time": "yesterday"}),
        json.dumps(GOOD | {"order": -1}),
        json.dumps(GOOD | {"order": "1"}),
        json.dumps(GOOD | {"seconds": float("nan")}),
        json.dumps(GOOD | {"data": {"loss": float("nan")}}),
        json.dumps(GOOD | {"data": {"loss": 1}}).replace("1}", "1e999}"),
        json.dumps(GOOD | {"data": {"label": "\ud800"}}),
        json.dumps(GOOD | {"type": "started", "data": {"params": "all"}}),
        json.dumps(GOOD | {"type": "finished", "data": {}}),
        json.dumps(GOOD | {"type": "finished", "data": {"state": "running"}}),
        json.dumps(GOOD | {"type": "resumed", "data": {"attempt": "2"}}),
        json.dumps(GOOD | {"type": "evaluated", "data": {"evaluation": {}, "metrics": {"val.accuracy": "<b>"}}}),
        json.dumps({"schema_version": 1}),
    ],
)
def test_a_malformed_event_is_refused_in_one_line(content: str | bytes) -> None:
    with pytest.raises(RunhiveError, match="not a well-formed event") as caught:
        Event.from_json(content if isinstance(content, bytes) else content.encode())

    assert "\n" not in str(caught.value)


def test_an_event_of_a_newer_runhive_says_to_upgrade() -> None:
    with pytest.raises(RunhiveError, match="upgrade"):
        Event.from_json(json.dumps(GOOD | {"schema_version": 2, "actor": "bee"}).encode())
