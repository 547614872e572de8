"""All models of a repository, as its tags and its ledger tell of them together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.registry.names import SemVer, version_tag
from runhive.tracking.registry.records import find_record
from runhive.tracking.registry.tags import Tag, read_tags

BY_HAND = "made by hand"


@dataclass(frozen=True)
class Version:
    """A version: its tag and, where both agree, its record. `doubt` says why it is unverified, empty where it is not.

    `number` counts the versions of the name as they were registered, 0 for an unverified one.
    """

    name: str
    version: SemVer
    tag: Tag
    doubt: str
    event: Event | None
    number: int = 0
    aliases: tuple[str, ...] = ()
    deprecated: str | None = None
    archived: bool = False
    notes: str = ""
    tags: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How people write it."""
        return version_tag(self.name, self.version)

    @property
    def record(self) -> dict[str, Any]:
        """What the ledger keeps of it. Raises RunhiveError where it is unverified."""
        if self.event is None:
            raise RunhiveError(f"{self.title} is unverified ({self.doubt}): nothing is known of it")
        return self.event.data


@dataclass(frozen=True)
class Assignment:
    """An alias that was given to a version, or, where `version` is None, taken away."""

    alias: str
    version: SemVer | None
    tag: Tag
    doubt: str
    event: Event | None

    @property
    def is_rollback(self) -> bool:
        return bool(self.event and self.event.data.get("rollback"))


@dataclass(frozen=True)
class Model:
    """A name with its versions, lowest first, and its assignments in their order."""

    name: str
    versions: tuple[Version, ...]
    assignments: tuple[Assignment, ...]
    last_time: int

    @property
    def aliases(self) -> dict[str, Assignment]:
        """The assignment in force of each alias."""
        last = {one.alias: one for one in self.assignments}
        return {alias: one for alias, one in sorted(last.items()) if one.version is not None}

    @property
    def counter(self) -> int:
        """The number that the next assignment has."""
        return 1 + max((one.tag.name.counter for one in self.assignments), default=0)

    @property
    def latest(self) -> Version | None:
        """The highest verified version that is neither deprecated nor archived."""
        usable = [one for one in self.versions if not one.doubt and one.deprecated is None and not one.archived]
        return usable[-1] if usable else None

    def at(self, alias: str) -> Version | None:
        """The version that *alias* stands for."""
        given = self.aliases.get(alias)
        return next((one for one in self.versions if given and one.version == given.version), None)


@dataclass(frozen=True)
class Catalog:
    """The models of a repository, by name."""

    models: dict[str, Model] = field(default_factory=dict)

    def run_ids(self) -> set[str]:
        """The runs that verified versions were made from."""
        return {one.tag.run_id for model in self.models.values() for one in model.versions if not one.doubt}

    def versions_of(self, run_id: str) -> list[Version]:
        """The verified versions that were made from a run."""
        found = [one for model in self.models.values() for one in model.versions]
        return [one for one in found if not one.doubt and one.tag.run_id == run_id]


def read_catalog(ledger: Ledger) -> Catalog:
    """Read tags and ledger. A tag that the ledger does not confirm makes an unverified version, never an error."""
    by_name: dict[str, list[Tag]] = {}
    for tag in read_tags(ledger.repository):
        by_name.setdefault(tag.name.name, []).append(tag)
    runs = _runs(ledger, {tag.run_id for tags in by_name.values() for tag in tags if tag.run_id})
    return Catalog({name: _model(name, tags, runs) for name, tags in sorted(by_name.items())})


def _runs(ledger: Ledger, ids: Iterable[str]) -> dict[str, Run]:
    found = {}
    for run_id in ids:
        try:
            if ledger.has(run_id):
                found[run_id] = ledger.run(run_id)
        except RunhiveError:  # no id, or a run that cannot be read: what its tags say is then not confirmed
            continue
    return found


def _model(name: str, tags: list[Tag], runs: dict[str, Run]) -> Model:
    given = [tag for tag in tags if tag.name.version and not tag.name.cancel]
    cancelled = {tag.name.version: tag for tag in tags if tag.name.version and tag.name.cancel}
    versions = sorted((_version(name, tag, runs) for tag in given), key=lambda one: one.version)
    assigned = sorted((tag for tag in tags if tag.name.alias), key=lambda tag: tag.name.counter)
    assignments = tuple(_assignment(name, tag, versions, runs) for tag in assigned)
    model = Model(name, (), assignments, max(tag.time for tag in tags))
    numbers = _numbers(versions)
    aliases = {alias: one.version for alias, one in model.aliases.items()}
    told = tuple(_told(one, numbers.get(one.version, 0), aliases, cancelled.get(one.version), runs) for one in versions)
    return Model(name, told, assignments, model.last_time)


def _numbers(versions: list[Version]) -> dict[SemVer, int]:
    """1, 2, 3 in the order in which they were registered, which the records say."""
    known = sorted((one for one in versions if one.event), key=lambda one: (one.record["number"], one.version))
    return {one.version: number for number, one in enumerate(known, 1)}


def _version(name: str, tag: Tag, runs: dict[str, Run]) -> Version:
    assert tag.name.version
    event, doubt = _confirmed(tag, runs, "versioned")
    if event and (event.data["name"], event.data["version"], event.data["commit"]) != (
        name, str(tag.name.version), tag.commit,
    ):  # fmt: skip
        event, doubt = None, "its tag is not where its record says"
    return Version(name, tag.name.version, tag, doubt, event)


def _confirmed(tag: Tag, runs: dict[str, Run], type: str) -> tuple[Event | None, str]:
    """The event that *tag* names, or why there is none."""
    if not tag.annotated or not tag.run_id or not tag.record:
        return None, BY_HAND
    if tag.run_id not in runs:
        return None, f"the ledger here lacks run {one_line(tag.run_id)[:40]}: `runhive runs pull`"
    event = find_record(runs[tag.run_id], tag.record)
    if event is None or event.type != type:
        return None, "the ledger has no record of it"
    return event, ""


def _assignment(name: str, tag: Tag, versions: list[Version], runs: dict[str, Run]) -> Assignment:
    event, doubt = _confirmed(tag, runs, "promoted")
    if tag.name.cancel:
        return Assignment(tag.name.alias, None, tag, doubt, None)
    here = [one.version for one in versions if one.tag.commit == tag.commit]
    if event:
        said = (event.data["name"], event.data["alias"], event.data["counter"])
        recorded = SemVer.parse(event.data["version"])
        if said == (name, tag.name.alias, tag.name.counter) and recorded in here:
            return Assignment(tag.name.alias, recorded, tag, "", event)
        event, doubt = None, "its tag is not where its record says"
    return Assignment(tag.name.alias, here[-1] if here else None, tag, doubt, event)


def _told(
    one: Version, number: int, aliases: dict[str, SemVer | None], cancelled: Tag | None, runs: dict[str, Run]
) -> Version:
    """*one* with what was said of it since."""
    marks: dict[str, Any] = {"notes": "", "archived": False}
    tags: set[str] = set()
    reason = None if cancelled is None else ""
    for event in runs[one.tag.run_id].events if one.tag.run_id in runs else ():
        if (event.data.get("name"), event.data.get("version")) != (one.name, str(one.version)):
            continue
        if event.type == "deprecated" and reason is not None:
            reason = str(event.data["reason"])
        if event.type == "version-marked":
            marks |= {key: event.data[key] for key in marks if event.data.get(key) is not None}
            tags = tags.difference(event.data.get("remove", ())).union(event.data.get("add", ()))
    own = tuple(alias for alias, version in aliases.items() if version == one.version)
    return Version(
        one.name, one.version, one.tag, one.doubt, one.event, number, own, reason, marks["archived"], marks["notes"],
        tuple(sorted(tags)),
    )  # fmt: skip


def when(tag: Tag) -> str:
    """The time that a tag gives for itself, as ISO 8601."""
    return datetime.fromtimestamp(tag.time, UTC).isoformat() if tag.annotated else ""
