"""What an event's file may hold: it can come from anybody's clone, so nothing in it is taken on trust."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

EventType = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]


class Shape(BaseModel):
    """Strictly typed where it is named; other keys are carried along unread."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class Envelope(Shape):
    """The outside of an event's file."""

    schema_version: int
    type: EventType
    data: dict[str, Any]
    time: str
    seconds: float | None
    order: int = Field(ge=0)


class Started(Shape):
    """What `started` says of the run's inputs, each where it is known."""

    experiment: str = ""
    input_digest: str = ""
    params: dict[str, Any] = {}
    code: dict[str, Any] = {}
    data: dict[str, Any] = {}
    environment: dict[str, Any] = {}


class Resumed(Shape):
    """The number of the attempt that begins."""

    attempt: int


class Finished(Shape):
    """How the run ended, and why in words."""

    state: Literal["completed", "failed", "canceled", "lost"]
    cause: str | None = None


class Evaluated(Shape):
    """The evaluation, and its numbers keyed `split.name`."""

    evaluation: dict[str, Any]
    metrics: dict[str, float]


class Exported(Shape):
    """The parity of the export, and its numbers keyed `split.name`."""

    parity: dict[str, Any]
    metrics: dict[str, float]


DATA: dict[str, type[Shape]] = {
    "started": Started,
    "resumed": Resumed,
    "finished": Finished,
    "evaluated": Evaluated,
    "exported": Exported,
}
TIME = TypeAdapter(AwareDatetime)


def parse_envelope(content: bytes) -> Envelope:
    """Parse an event's file of this or a newer schema. Raises ValueError in one line."""
    try:
        envelope = Envelope.model_validate_json(content)
        TIME.validate_python(envelope.time)
    except ValidationError as error:
        raise ValueError(_first(error)) from error
    return envelope


def check_data(type: str, data: dict[str, Any]) -> None:
    """Raise ValueError, in one line, where `fold` could not read *data* of an event of this *type*."""
    try:
        DATA.get(type, Shape).model_validate(data)
    except ValidationError as error:
        raise ValueError(_first(error)) from error


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where!r}: {first['msg']}" if where else first["msg"]
