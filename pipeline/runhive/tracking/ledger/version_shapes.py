"""Shapes of the events of a model's versions: each is kept with the run that made the version."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from runhive.tracking.ledger.shapes import Digest, Name, Shape, Tag

REASON = 2_000  # characters
Number = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){2}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Reason = Annotated[str, StringConstraints(max_length=REASON)]


class KeptFile(Shape):
    """A file of a version: what it hashes to, for us and for DVC, and its bytes."""

    sha256: Digest
    md5: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    bytes: int = Field(ge=0)


class Versioned(Shape):
    """A version: the run's files by their path, what they were made from, how good they are, and who made it one.

    `number` counts the versions of the name from 1; `onnx` is a path of `files`. `verdict` is the gate's, empty
    where it was not asked.
    """

    name: Name
    version: Number
    number: int = Field(ge=1)
    bump: Literal["first", "major", "minor", "patch"]
    commit: Commit
    files: dict[str, KeptFile]
    onnx: str
    weights_sha256: Digest
    data_digest: Digest
    params_digest: Digest
    input_digest: str
    classes: list[str]
    preprocess: dict[str, Any]
    metrics: dict[str, float]
    evaluation_set: dict[str, Any]
    verdict: dict[str, Any] = Field(default_factory=dict)
    by: str


class Promoted(Shape):
    """An alias given to a version: the `counter`-th assignment of the name. `before` is the version that had it.

    `forced` is set where the gate refused, with the `reason`; a rollback has no verdict.
    """

    name: Name
    version: Number
    alias: Name
    counter: int = Field(ge=1)
    before: str
    rollback: bool = False
    forced: bool = False
    reason: Reason = ""
    verdict: dict[str, Any] = Field(default_factory=dict)
    by: str


class Deprecated(Shape):
    """A version that nobody should use any more; what it is stays readable."""

    name: Name
    version: Number
    reason: Reason
    by: str


class VersionMarked(Shape):
    """What people say of a version after the fact: notes and archive as from now on, tags that come and go."""

    name: Name
    version: Number
    notes: str | None = None
    archived: bool | None = None
    add: list[Tag] = Field(default_factory=list)
    remove: list[Tag] = Field(default_factory=list)
    by: str
