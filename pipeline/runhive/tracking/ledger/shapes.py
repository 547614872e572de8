"""What an event's file may hold: it can come from anybody's clone, so nothing in it is taken on trust."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

EventType = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]
RunId = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(max_length=200)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
Path = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Amount = Annotated[float, Field(ge=0)]


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
    began: str | None = None


class Started(Shape):
    """What the run is: its inputs, who started it and on what, each where it is known.

    `name` and `tags` are those that it begins with; `parent` is the run that started it, as a sweep starts its trials.
    """

    experiment: str = ""
    name: Name = ""
    tags: list[Tag] = []
    parent: RunId | None = None
    input_digest: str = ""
    requirements_digest: str | None = None
    params: dict[str, Any] = {}
    code: dict[str, Any] = {}
    data: dict[str, Any] = {}
    environment: dict[str, Any] = {}
    launcher: dict[str, Any] = {}
    nodes: int = Field(default=1, ge=1)
    command: list[str] = []


class Resumed(Shape):
    """The number of the attempt that begins."""

    attempt: int = Field(ge=1)


class OfAttempt(Shape):
    """`queued` and `prepared`: the envelope's `began` and `seconds` say when and for how long."""

    attempt: int = Field(default=1, ge=1)


class Used(Shape):
    """What one process of the run and its children took, memory at its highest."""

    phase: str
    attempt: int = Field(default=1, ge=1)
    cpu_seconds: Amount = 0.0
    gpu_hours: Amount = 0.0
    peak_memory_bytes: int = Field(default=0, ge=0)
    peak_gpu_memory_bytes: int = Field(default=0, ge=0)


class Finished(Shape):
    """How the run ended, and why: in one line, as a traceback, by its exit code. `heartbeat` is a lost run's last."""

    state: Literal["completed", "failed", "canceled", "lost"]
    cause: str | None = None
    traceback: str | None = None
    exit_code: int | None = None
    heartbeat: str | None = None
    outcome_digest: str = ""


class Evaluated(Shape):
    """The evaluation, and its numbers keyed `split.name`."""

    evaluation: dict[str, Any]
    metrics: dict[str, float]


class Exported(Shape):
    """The parity of the export, and its numbers keyed `export.name`, in place of those of the export before."""

    parity: dict[str, Any]
    metrics: dict[str, float]


class Configured(Shape):
    """Parameters that the run's own code tells after the start."""

    experiment: str | None = None
    params: dict[str, Any] = {}


class Ran(Shape):
    """A command of one's own ended."""

    exit_code: int


class Logged(Shape):
    """The last value of each number that the run's own code logged."""

    metrics: dict[str, float]


class File(Shape):
    """A file that the run made. `ledger` is its name among the run's files in the ledger, None where it is not there.

    `md5` names it in DVC's cache, which holds what the ledger does not; `kept` is false where another tool has it.
    `sha256` is told of what a version of a model may hold.
    """

    bytes: int = Field(ge=0)
    md5: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    sha256: Digest | None = None
    kind: Literal["file", "log", "model", "data", "image", "table", "confusion"] = "file"
    ledger: str | None = None
    kept: bool = True


class Filed(Shape):
    """Files by the path that the run gave them; those of all `filed` events count, the last of a path is in force.

    `gone` are the paths that a later stage of the run no longer makes.
    """

    files: dict[Path, File]
    gone: list[Path] = []


class Enclosed(Shape):
    """Small files among the events, as text by their names; the last of a name is in force."""

    files: dict[FileName, str]


class Named(Shape):
    """The display name, from now on."""

    name: Name


class Tagged(Shape):
    """Tags that come and go."""

    add: list[Tag] = []
    remove: list[Tag] = []


class Noted(Shape):
    """Notes in plain text, in place of those before."""

    text: Annotated[str, StringConstraints(max_length=20_000)]


class Archived(Shape):
    """Whether lists leave the run out."""

    archived: bool


class Reproduced(Shape):
    """What came of running it again: the other run, and how near it came.

    `differences` are metrics that differ by more or less than `tolerance`, `surroundings` what else was not alike: this
    run's value, then the other's.
    """

    verdict: Literal["bit for bit", "within tolerance", "not"]
    run_id: RunId | None = None
    tolerance: Amount | None = None
    same_weights: bool | None = None
    differences: dict[str, list[float | None]] = {}
    surroundings: dict[str, list[Any]] = {}


class Collected(Shape):
    """What the collector, the base branch's code, knows of a run that a workflow made.

    `workflow` is GitHub's word: id, attempt, url, event, branch, commit, conclusion, times. `metrics` are those that
    the collector computed itself from the ONNX file, keyed `split.name`; `checked` are the digests of the images on
    which it checked the run's own numbers; `verdict` is the gate's.
    """

    workflow: dict[str, Any]
    checked: list[Digest] | None = None
    pull_request: int | None = Field(default=None, ge=1)
    metrics: dict[str, float] = {}
    verdict: dict[str, Any] = {}
