"""The JSON schema of what the ledger holds: a file of events, and the record that a run's events fold into."""

import json
from typing import Any

from pydantic import TypeAdapter

from runhive.tracking.ledger.event_types import DATA
from runhive.tracking.ledger.run import SCHEMA_VERSION, Run
from runhive.tracking.ledger.shapes import Envelope

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = "#/$defs/{model}"


def json_schema() -> str:
    """Return the schema as JSON: the root is a file of events, `$defs/StoredEvent` is one, `$defs/Run` the record."""
    definitions: dict[str, Any] = {}
    rules = []
    for type, shape in DATA.items():
        own = shape.model_json_schema(ref_template=REFERENCE)
        definitions |= own.pop("$defs", {}) | {shape.__name__: own}
        data = {"properties": {"data": {"$ref": f"#/$defs/{shape.__name__}"}}}
        rules.append({"if": {"properties": {"type": {"const": type}}}, "then": data})
    envelope = Envelope.model_json_schema(ref_template=REFERENCE)
    record = TypeAdapter(Run).json_schema(ref_template=REFERENCE)
    envelope["properties"]["schema_version"] = {"enum": [*range(1, SCHEMA_VERSION + 1)]}
    event = {**envelope, "title": "An event of a run", "allOf": rules}
    definitions |= record.pop("$defs", {}) | {"StoredEvent": event, "Run": record}
    items = {"type": "array", "minItems": 1, "items": {"$ref": REFERENCE.format(model="StoredEvent")}}
    content = {"$schema": DIALECT, "title": "The events of one append", **items, "$defs": definitions}
    return json.dumps(content, indent=2) + "\n"
