"""What a run's events say, read leniently: whatever is missing is empty, whatever is odd is left out and named."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runhive.report.text import plain

AnyPart = TypeVar("AnyPart", bound=BaseModel)
Count = Annotated[int, Field(ge=0, le=10**15)]
MOST_KEYS = 400
DEEPEST = 6
WORKFLOW_RUN = re.compile(r"(https://[A-Za-z0-9.:-]+/[A-Za-z0-9-]+/[A-Za-z0-9_.-]+)/actions/runs/[0-9]+")


class Part(BaseModel):
    """One part of a record: unknown keys are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True)


class Code(Part):
    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    dirty: bool = False
    changed: list[str] = Field(default_factory=list)


class Workflow(Part):
    url: str = ""


class Collected(Part):
    """What the collector knows of a run that a workflow made."""

    pull_request: Count | None = None
    workflow: Workflow = Workflow()

    @property
    def pull_request_url(self) -> str | None:
        """The address of the pull request, in the repository of the workflow run."""
        found = WORKFLOW_RUN.fullmatch(self.workflow.url)
        return f"{found[1]}/pull/{self.pull_request}" if found and self.pull_request else None


class Data(Part):
    digest: str | None = None
    classes: list[str] = Field(default_factory=list)
    counts: dict[str, dict[str, Count]] = Field(default_factory=dict)
    left_out: Count = 0


class Selection(Part):
    rule: str | None = None
    epoch: Count | None = None


class Training(Part):
    weights_sha256: str | None = None
    epochs: Count | None = None
    selection: Selection = Selection()
    images_per_second: float | None = None
    parameters: Count | None = None


class EarlyStop(Part):
    patience: Count = 0
    watch: str = ""


class Asked(Part):
    """Of the parameters `train`, how long it should take."""

    epochs: Count
    early_stop: EarlyStop = EarlyStop()


class Comparison(Part):
    baseline: str | None = None
    reason: str = ""
    comparable: bool = False
    won: Count = 0
    lost: Count = 0
    p: Annotated[float, Field(ge=0, le=1)] | None = None


class ScoredSet(Part):
    name: str = ""
    digest: str = ""
    images: Count = 0


class Scoring(Part):
    """The small part of an evaluation, which a table of many runs needs."""

    metrics_version: int = 0
    evaluation_set: ScoredSet = ScoredSet()
    selected_on_these_images: bool = False


def read_part(part: type[AnyPart], content: object) -> AnyPart | None:
    """*content* as *part*; None where it cannot be read as such."""
    try:
        return part.model_validate(content)
    except ValidationError:
        return None


def read_json(part: type[AnyPart], content: bytes) -> AnyPart | None:
    """The JSON in *content* as *part*; None where it cannot be read as such."""
    try:
        return part.model_validate_json(content)
    except ValidationError:
        return None


def flatten(nested: dict[str, Any]) -> dict[str, str]:
    """Nested parameters as dotted keys to shown values, in the order given, the first 400."""
    return dict(islice(_leaves(nested, "", DEEPEST), MOST_KEYS))


def _leaves(nested: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, value in nested.items():
        if isinstance(value, dict) and value and depth:
            yield from _leaves(value, f"{prefix}{key}.", depth - 1)
        else:
            yield f"{prefix}{key}", plain(value)


def last_named(flat: dict[str, str], name: str) -> str | None:
    """The value of the first key whose last part is *name*."""
    return next((value for key, value in flat.items() if key.rpartition(".")[2] == name), None)
