"""What the pages of the models show: each name with its versions, aliases, verdicts and trends; each version's card."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runhive.formats.parity import Parity
from runhive.report.model_card import Card, card_of, findings_of
from runhive.report.numerals import when
from runhive.report.record import read_part
from runhive.report.summary import Summary
from runhive.report.tryit.offer import TryIt
from runhive.report.tryit.onnx_file import Onnx
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.registry.catalog import Assignment, Catalog, Model, Version
from runhive.tracking.registry.names import version_tag

MOST_SHOWN = 200  # versions of a name with a page, the highest


@dataclass(frozen=True)
class VersionRow:
    """One version in the table of its model; empty where the ledger does not confirm it."""

    version: Version
    page: str
    state: str
    accuracy: float | None
    low: float | None
    high: float | None
    scored_on: str
    scored_digest: str
    parity: Parity | None
    registered: str


@dataclass(frozen=True)
class Step:
    """One assignment: what was done, why, and the verdict's lines."""

    alias: str
    version: str
    what: str
    words: tuple[str, ...]
    when: str
    by: str
    tone: str


@dataclass(frozen=True)
class ModelView:
    """A name: versions from the highest down, and what was done with its aliases, the last first.

    `has_latest` says whether a version may be given an alias.
    """

    name: str
    has_latest: bool
    rows: list[VersionRow]
    hidden: int
    aliases: list[tuple[str, str, str]]
    steps: list[Step]


@dataclass(frozen=True)
class VersionPage:
    """A version's page; `card` is None where the ledger does not confirm it."""

    row: VersionRow
    card: Card | None
    lineage: list[tuple[str, str, str]]
    steps: list[Step]
    try_it: TryIt | None


def page_of(version: Version) -> str:
    """The file of a version's page: no name of a model has a dot, so no two have the same."""
    return f"{version.name}-{version.version}.html"


def model_view(model: Model, runs: Mapping[str, Run]) -> ModelView:
    """Gather one model."""
    shown = list(reversed(model.versions))[:MOST_SHOWN]
    rows = [version_row(one, runs.get(one.tag.run_id)) for one in shown]
    aliases = []
    for alias in model.aliases:
        version = model.at(alias)
        aliases.append((alias, version.title if version else "no version", page_of(version) if version else ""))
    hidden = len(model.versions) - len(shown)
    return ModelView(model.name, model.latest is not None, rows, hidden, aliases, list(_steps(model)))


def version_row(one: Version, run: Run | None) -> VersionRow:
    """The facts of one version."""
    record = one.event.data if one.event else {}
    scored = record.get("evaluation_set", {})
    value, low, high = (_metric(record, f"{scored.get('name')}.accuracy{end}") for end in ("", "_low", "_high"))
    parity = read_part(Parity, run.parity) if run and run.parity and one.event else None
    return VersionRow(
        version=one,
        page=page_of(one),
        state=state(one),
        accuracy=value,
        low=low,
        high=high,
        scored_on=str(scored.get("name", "")),
        scored_digest=str(scored.get("digest", "")),
        parity=parity,
        registered=when(one.event.time) if one.event else "",
    )


def version_page(
    one: Version, model: Model, run: Run | None, ledger: Ledger, try_it: TryIt | None = None
) -> VersionPage:
    """Gather the page of one version."""
    card = card_of(one, run, ledger) if one.event and run else None
    mine = [step for step in _steps(model) if step.version == one.title]
    return VersionPage(version_row(one, run), card, _lineage(one), mine, try_it)


def tried(catalog: Catalog, summaries: Mapping[str, Summary]) -> dict[str, Summary]:
    """The runs of verified versions by title, those in use first, each with the ONNX file that the gate measures."""
    versions = [one for model in catalog.models.values() for one in model.versions[-MOST_SHOWN:] if one.event]
    return {
        one.title: replace(summaries[one.tag.run_id], onnx=_onnx_of(one))
        for one in sorted(versions, key=lambda one: (not one.aliases, one.deprecated is not None, -one.number))
        if one.tag.run_id in summaries
    }


def _onnx_of(one: Version) -> Onnx:
    told = one.record["files"][one.record["onnx"]]
    return Onnx(one.record["onnx"], told["bytes"], told["md5"], told["sha256"])


def state(one: Version) -> str:
    """A version's state, in words."""
    if one.doubt:
        return "unverified"
    if one.deprecated is not None:
        return "deprecated"
    return "archived" if one.archived else "registered"


def registry_state(catalog: Catalog) -> list[tuple[str, str, str, str]]:
    """What the home page says: name, alias, version and page of each alias; of a model without one, its latest."""
    found = []
    for model in catalog.models.values():
        given = [(alias, version) for alias in model.aliases if (version := model.at(alias))]
        latest = model.latest
        pairs = given or ([("latest", latest)] if latest else [])
        found += [(model.name, alias, version.title, page_of(version)) for alias, version in pairs]
    return found


def _metric(record: Mapping[str, Any], name: str) -> float | None:
    value = record.get("metrics", {}).get(name)
    return value if isinstance(value, int | float) else None


def _lineage(one: Version) -> list[tuple[str, str, str]]:
    """Data and code → run → weights → ONNX → version: kind, digest, address."""
    if one.event is None:
        return [("code", one.tag.commit, ""), ("version", one.title, "")]
    record = one.record
    return [
        ("data", record["data_digest"], "../data/index.html"),
        ("code", record["commit"], ""),
        ("run", one.tag.run_id, f"../runs/{one.tag.run_id}.html"),
        ("weights", record["weights_sha256"], ""),
        ("ONNX", record["files"][record["onnx"]]["sha256"], ""),
        ("version", one.title, ""),
    ]


def _steps(model: Model) -> Iterator[Step]:
    for given in reversed(model.assignments):
        version = version_tag(model.name, given.version) if given.version else ""
        data = given.event.data if given.event else {}
        yield Step(
            alias=given.alias,
            version=version,
            what=_what(given, data),
            words=tuple(_why(data)),
            when=when(given.event.time) if given.event else "",
            by=str(data.get("by", "")),
            tone="none" if given.doubt else "worse" if data.get("forced") else "same" if given.is_rollback else "pass",
        )


def _why(data: Mapping[str, Any]) -> Iterator[str]:
    if data.get("reason"):
        yield f"Reason: {data['reason']}"
    yield from findings_of(data.get("verdict", {}))


def _what(given: Assignment, data: Mapping[str, Any]) -> str:
    if given.version is None:
        return "taken away"
    if given.doubt:
        return f"assigned, unverified: {given.doubt}"
    if given.is_rollback:
        return "rolled back"
    return "promoted by force, against the gate" if data.get("forced") else "promoted"
