"""Each type of event with the shape of what it says, by which an event is checked."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from runhive.tracking.ledger import shapes
from runhive.tracking.ledger.version_shapes import Deprecated, Promoted, Versioned, VersionMarked

DATA: dict[str, type[shapes.Shape]] = {
    "started": shapes.Started,
    "resumed": shapes.Resumed,
    "queued": shapes.OfAttempt,
    "prepared": shapes.OfAttempt,
    "used": shapes.Used,
    "evaluated": shapes.Evaluated,
    "exported": shapes.Exported,
    "configured": shapes.Configured,
    "ran": shapes.Ran,
    "logged": shapes.Logged,
    "filed": shapes.Filed,
    "enclosed": shapes.Enclosed,
    "finished": shapes.Finished,
    "named": shapes.Named,
    "tagged": shapes.Tagged,
    "noted": shapes.Noted,
    "archived": shapes.Archived,
    "reproduced": shapes.Reproduced,
    "collected": shapes.Collected,
    "versioned": Versioned,
    "promoted": Promoted,
    "deprecated": Deprecated,
    "version-marked": VersionMarked,
}


def check_envelope(told: object) -> shapes.Envelope:
    """Return the outside of an event of this or a newer schema. Raises ValueError in one line."""
    try:
        envelope = shapes.Envelope.model_validate(told)
    except ValidationError as error:
        raise ValueError(_first(error)) from error
    for name in ("time", "began"):
        text = getattr(envelope, name)
        if text is not None and datetime.fromisoformat(text).tzinfo is None:
            raise ValueError(f"{name!r}: Input should have timezone info")
    return envelope


def check_data(type: str, data: dict[str, Any]) -> None:
    """Raise ValueError, in one line, where `fold` could not read *data* of an event of this *type*."""
    try:
        DATA.get(type, shapes.Shape).model_validate(data)
    except ValidationError as error:
        raise ValueError(_first(error)) from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where!r}: {first['msg']}" if where else first["msg"]
