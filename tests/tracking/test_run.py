"""Events and the record that they fold into."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.errors import RunhiveError
from runhive.tracking.ledger.run import Event, fold, new_run_id, run_folder

RUN = "20261123-142233-7f3a9c"
TIMES = st.sampled_from(["2026-11-23T14:22:33.000+00:00", "2026-11-23T14:22:34.000+00:00"])
TAGS = st.lists(st.sampled_from(["best", "shipped", "<b>"]), max_size=2)
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
    events_of("logged", st.fixed_dictionaries({"metrics": NUMBERS})),
    events_of("tagged", st.fixed_dictionaries({}, optional={"add": TAGS, "remove": TAGS})),
    events_of("noted", st.fixed_dictionaries({"text": st.text()})),
    events_of("archived", st.fixed_dictionaries({"archived": st.booleans()})),
    events_of("used", st.fixed_dictionaries({"phase": st.just("train"), "peak_memory_bytes": st.integers(0, 9)})),
    events_of("unheard-of", st.dictionaries(st.text(), st.text())),
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
    joined = fold(RUN, [*common, *here, *there])

    assert fold(RUN, [*there, *common, *here, *common]) == joined


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


def test_what_the_collector_said_of_scores_is_out_of_force_once_there_are_others() -> None:
    evaluation = {"evaluation_set": {"name": "val", "digest": "a" * 64}}
    collected = {"workflow": {"id": 1}, "checked": [], "metrics": {"val.accuracy": 0.5}, "verdict": {"admitted": True}}
    events = [
        Event("started", {}, order=1),
        Event("evaluated", {"metrics": {"val.accuracy": 0.5}, "evaluation": evaluation}, order=2),
        Event("collected", collected, order=3),
    ]
    again = Event("evaluated", {"metrics": {"val.accuracy": 0.6}, "evaluation": evaluation}, order=4)
    before, after = fold(RUN, events), fold(RUN, [*events, again])

    assert before.is_claim and before.collected == collected
    assert not after.is_claim and after.collected == {"workflow": {"id": 1}}


def test_what_an_export_no_longer_makes_is_no_longer_in_the_record() -> None:
    file = {"bytes": 1, "md5": "ab" * 16, "sha256": "cd" * 32}
    events = [
        Event("exported", {"parity": {"n": 1}, "metrics": {"export.bytes": 4, "export.int8_bytes": 1}}, order=1),
        Event("filed", {"files": {"models/int8.onnx": file, "models/model.onnx": file}}, order=2),
        Event("logged", {"metrics": {"exports": 2}}, order=3),
        Event("exported", {"parity": {"n": 2}, "metrics": {"export.bytes": 5}}, order=4),
        Event("filed", {"files": {}, "gone": ["models/int8.onnx"]}, order=5),
    ]
    run = fold(RUN, events)

    assert (run.metrics, run.parity) == ({"export.bytes": 5, "exports": 2}, {"n": 2})
    assert list(run.files) == ["models/model.onnx"]
    again = fold(RUN, [*events, Event("filed", {"files": {"models/int8.onnx": file}}, order=6)])
    assert sorted(again.files) == ["models/int8.onnx", "models/model.onnx"]


def test_tags_name_and_notes_change_and_the_last_word_counts() -> None:
    events = [
        Event("started", {"name": "first", "tags": ["b", "a"]}, order=1),
        Event("named", {"name": "second"}, order=2),
        Event("tagged", {"add": ["c"], "remove": ["a"]}, order=3),
        Event("noted", {"text": "one"}, order=4),
        Event("noted", {"text": "two"}, order=5),
        Event("archived", {"archived": True}, order=6),
    ]

    run = fold(RUN, events)

    assert (run.name, run.tags, run.notes, run.archived) == ("second", ("b", "c"), "two", True)


def test_time_of_processes_adds_up_and_the_highest_memory_counts() -> None:
    events = [
        Event("used", {"phase": "train", "attempt": n, "cpu_seconds": 2.0, "peak_memory_bytes": memory}, order=n)
        for n, memory in ((1, 70), (2, 50))
    ]

    used = fold(RUN, events).used

    assert (used["cpu_seconds"], used["peak_memory_bytes"]) == (4.0, 70)


@pytest.mark.parametrize(
    ("ready", "began", "seconds"),
    [
        ("2026-11-23T14:22:36.500+00:00", "2026-11-23T14:22:36.500+00:00", 7.5),
        ("2026-11-23T14:22:20.000+00:00", "2026-11-23T14:22:34+00:00", 10.0),
    ],
    ids=["its own", "of an attempt before"],
)
def test_train_begins_where_preparing_ends(ready: str, began: str, seconds: float) -> None:
    """The process of train prepares first, and is timed as a whole."""
    run = fold(
        RUN,
        [
            Event("prepared", {"attempt": 1}, time=ready, seconds=3.5, order=1, began="2026-11-23T14:22:33+00:00"),
            Event("trained", {"epochs": 3}, seconds=10.0, order=2, began="2026-11-23T14:22:34+00:00"),
        ],
    )

    assert run.phases == {"preparing": 3.5, "train": seconds}
    assert run.began == {"preparing": "2026-11-23T14:22:33+00:00", "train": began}


def test_a_phase_has_its_start_and_its_seconds() -> None:
    run = fold(RUN, [Event("queued", {"attempt": 1}, seconds=4.5, began="2026-11-23T14:22:33+00:00")])

    assert (run.phases, run.began) == ({"queued": 4.5}, {"queued": "2026-11-23T14:22:33+00:00"})


@pytest.mark.parametrize("run_id", [RUN, "20240229-000000-000000", pytest.param(new_run_id(), id="new")])
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
    "type": "unheard-of",
    "data": {},
    "time": "2026-11-23T14:22:33+00:00",
    "seconds": None,
    "order": 1,
}


def test_the_event_that_the_next_test_breaks_is_good() -> None:
    assert Event.from_json(json.dumps(GOOD).encode()).type == "unheard-of"


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
        json.dumps(GOOD | {"data": {"loss": 1}}).replace("1}", "1e999 }"),
        json.dumps(GOOD | {"data": {"loss": 1}}).replace("1}", "-1E+0400\n}"),
        json.dumps(GOOD | {"data": {"loss": 1}}, indent=1).replace('loss": 1', f'loss": {"1" * 250}e99'),
        json.dumps(GOOD | {"data": {"loss": 1}}, indent=1).replace('loss": 1', f'loss": {"1" * 400}.5'),
        json.dumps(GOOD | {"data": {"label": "\ud800"}}),
        json.dumps(GOOD | {"type": "started", "data": {"params": "all"}}),
        json.dumps(GOOD | {"type": "finished", "data": {}}),
        json.dumps(GOOD | {"type": "finished", "data": {"state": "running"}}),
        json.dumps(GOOD | {"type": "resumed", "data": {"attempt": "2"}}),
        json.dumps(GOOD | {"type": "evaluated", "data": {"evaluation": {}, "metrics": {"val.accuracy": "<b>"}}}),
        json.dumps(GOOD | {"began": "yesterday"}),
        json.dumps(GOOD | {"type": "tagged", "data": {"add": ["x" * 1_000_000]}}),
        json.dumps(GOOD | {"type": "tagged", "data": {"add": "best"}}),
        json.dumps(GOOD | {"type": "noted", "data": {"text": "x" * 20_001}}),
        json.dumps(GOOD | {"type": "started", "data": {"parent": "../x"}}),
        json.dumps(GOOD | {"type": "started", "data": {"nodes": 0}}),
        json.dumps(GOOD | {"type": "filed", "data": {"files": {"a": {"bytes": 1, "md5": "../x", "sha256": "0"}}}}),
        json.dumps({"schema_version": 1}),
    ],
)
def test_a_malformed_event_is_refused_in_one_line(content: str | bytes) -> None:
    with pytest.raises(RunhiveError, match="not a well-formed event") as caught:
        Event.from_json(content if isinstance(content, bytes) else content.encode())

    assert "\n" not in str(caught.value)


def test_an_event_of_a_newer_runhive_says_to_upgrade() -> None:
    with pytest.raises(RunhiveError, match="upgrade"):
        Event.from_json(json.dumps(GOOD | {"schema_version": 3, "actor": "bee"}).encode())
