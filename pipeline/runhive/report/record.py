"""What a run's events say, read leniently: whatever is missing is empty, whatever is odd is left out and named."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runhive.report.text import plain


class Part(BaseModel):
    """One part of a record: unknown keys are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, coerce_numbers_to_str=True)


class Code(Part):
    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    dirty: bool = False
    changed: list[str] = Field(default_factory=list)


class Data(Part):
    digest: str | None = None
    classes: list[str] = Field(default_factory=list)
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    left_out: int = 0


class Selection(Part):
    rule: str | None = None
    epoch: int | None = None


class Training(Part):
    weights_sha256: str | None = None
    epochs: int | None = None
    selection: Selection = Selection()
    images_per_second: float | None = None
    parameters: int | None = None


class Comparison(Part):
    baseline: str | None = None
    reason: str = ""
    comparable: bool = False
    won: int = Field(default=0, ge=0)
    lost: int = Field(default=0, ge=0)
    p: float | None = None


class ScoredSet(Part):
    name: str = ""
    digest: str = ""
    images: int = 0


class Scoring(Part):
    """The small part of an evaluation, which a table of many runs needs."""

    metrics_version: int = 0
    evaluation_set: ScoredSet = ScoredSet()
    selected_on_these_images: bool = False


def read_part[P: BaseModel](part: type[P], content: object) -> P | None:
    """*content* as *part*; None where it cannot be read as such."""
    try:
        return part.model_validate(content)
    except ValidationError:
        return None


def flatten(nested: dict[str, Any], prefix: str = "", depth: int = 6) -> dict[str, str]:
    """Nested parameters as dotted keys to shown values, in the order given."""
    flat: dict[str, str] = {}
    for key, value in nested.items():
        if isinstance(value, dict) and value and depth:
            flat.update(flatten(value, f"{prefix}{key}.", depth - 1))
        else:
            flat[f"{prefix}{key}"] = plain(value)
    return flat


def last_named(flat: dict[str, str], name: str) -> str | None:
    """The value of the first key whose last part is *name*."""
    return next((value for key, value in flat.items() if key.rpartition(".")[2] == name), None)
