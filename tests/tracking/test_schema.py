"""The published schema, against what is really written; and what the first Runhive wrote."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import jsonschema
import pygit2
import pytest

from runhive.tracking.ledger.batch import write_batch
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, fold, run_folder
from runhive.tracking.ledger.schema import json_schema
from runhive.tracking.ledger.verify import verify

Plant = Callable[[str, bytes], None]

RUN = "20261123-142233-7f3a9c"
STORED = Path(__file__).parent / "version-1"
SCHEMA = json.loads(json_schema())
FILE = {"bytes": 1, "md5": "0" * 32, "sha256": "0" * 64, "kind": "model", "ledger": None}
EVENTS = [
    Event("started", {"name": "a", "tags": ["b"], "params": {"lr": 0.1}, "nodes": 2}, order=1),
    Event("used", {"phase": "train", "attempt": 1, "cpu_seconds": 1.5}, order=2),
    Event("filed", {"files": {"models/model.onnx": FILE}}, order=3),
    Event("evaluated", {"evaluation": {}, "metrics": {"val.accuracy": 0.5}}, seconds=2.0, order=4),
    Event("tagged", {"add": ["c"]}, order=5),
    Event("finished", {"state": "failed", "cause": "x", "traceback": "y"}, order=6),
    Event("unheard-of", {"anything": 1}, order=7),
]


def test_events_and_their_record_keep_to_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(write_batch(EVENTS)), SCHEMA)
    record = json.loads(json.dumps(asdict(fold(RUN, EVENTS))))
    jsonschema.validate(record, {"$ref": "#/$defs/Run", "$defs": SCHEMA["$defs"]})


@pytest.mark.parametrize(
    "data",
    [{"type": "finished", "data": {"state": "running"}}, {"type": "tagged", "data": {"add": [""]}}, {"order": -1}],
)
def test_what_runhive_refuses_the_schema_refuses(data: dict[str, object]) -> None:
    content = json.loads(EVENTS[-1].to_json()) | data

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([content], SCHEMA)


def test_the_first_ledgers_with_a_file_for_each_event_are_read_and_go_on(ledger: Ledger, plant: Plant) -> None:
    log = b"epoch 1\n"
    for path in STORED.glob("*.json"):
        plant(f"{run_folder(RUN)}/events/{path.name}", path.read_bytes())
    plant(f"{run_folder(RUN)}/files/0007-{str(pygit2.hash(log))[:8]}-log.txt", log)
    ledger.append(RUN, [Event("noted", {"text": "old"})], {"log.txt": b"epoch 2\n"})

    run = ledger.run(RUN)

    assert verify(ledger.repository).problems == ()
    assert [event.order for event in run.events] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (run.notes, ledger.file(RUN, "log.txt")) == ("old", b"epoch 2\n")
    assert (run.state, run.attempt, run.experiment) == ("completed", 1, "my-images")
    assert run.metrics["val.accuracy"] == run.evaluation["accuracy"]
    assert set(run.phases) == {"fetch", "train", "evaluate", "export"}
    assert run.began == {}
