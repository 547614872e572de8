"""What people say of a version after the fact: that nobody should use it, notes, tags, archive."""

from collections.abc import Iterable

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.sync import push
from runhive.tracking.marks import LONGEST_NOTE, LONGEST_TAG, TAG
from runhive.tracking.registry.catalog import Version
from runhive.tracking.registry.names import version_tag
from runhive.tracking.registry.records import checked_reason
from runhive.tracking.registry.writing import Registry
from runhive.tracking.secrets import masked


def deprecate(registry: Registry, version: Version, reason: str) -> None:
    """Say that nobody should use *version*, with GTO's tag for it. Raises RunhiveError where an alias stands for it."""
    if version.event is None:
        raise RunhiveError(f"{version.title} is unverified ({version.doubt}): delete its tag instead")
    if version.deprecated is not None:
        raise RunhiveError(f"{version.title} is deprecated already")
    _refuse_in_use(version)
    data = {
        "name": version.name, "version": str(version.version), "reason": checked_reason(reason), "by": registry.by,
    }  # fmt: skip
    subject = f"Deregistering artifact {version.name} version v{version.version}"
    ref = f"{version_tag(version.name, version.version)}!"
    registry.publish(version.tag.run_id, Event("deprecated", data), ref, version.tag.commit, subject)


def archive(registry: Registry, version: Version, archived: bool) -> bool:
    """Leave *version* out of lists, or let it in again; say whether that changed anything."""
    if archived:
        _refuse_in_use(version)
    changed = version.archived != archived
    _mark(registry, version, {"archived": archived} if changed else {})
    return changed


def note(registry: Registry, version: Version, text: str) -> None:
    """Replace the notes of *version*. Raises RunhiveError for text that is too long."""
    if len(text) > LONGEST_NOTE:
        raise RunhiveError(f"the note has {len(text):,} characters, {LONGEST_NOTE:,} at most: shorten it")
    kept = masked(text)
    _mark(registry, version, {"notes": kept} if kept != version.notes else {})


def tag(registry: Registry, version: Version, add: Iterable[str], remove: Iterable[str]) -> tuple[str, ...]:
    """Change the tags of *version* and return those it has then. Raises RunhiveError for what is no tag."""
    added, removed = [masked(one) for one in add], list(remove)
    for one in added:
        if not TAG.fullmatch(one) or not one.isprintable() or len(one) > LONGEST_TAG:
            raise RunhiveError(f"{one_line(one)[:LONGEST_TAG]!r} is no tag: use one word without commas and quotes")
    if absent := [one for one in removed if one not in version.tags]:
        raise RunhiveError(f"{version.title} has no tag {one_line(absent[0])[:LONGEST_TAG]!r}")
    new = [one for one in added if one not in version.tags]
    if new or removed or added:
        _mark(registry, version, {"add": new, "remove": removed} if new or removed else {})
    return tuple(sorted(set(version.tags).difference(removed).union(new)))


def _mark(registry: Registry, version: Version, said: dict[str, object]) -> None:
    """Keep what is *said*, and push; with nothing new, what an earlier try did not bring to the remote."""
    if version.event is None:
        raise RunhiveError(f"{version.title} is unverified ({version.doubt}): there is no record to mark")
    data = {"name": version.name, "version": str(version.version), "by": registry.by, **said}
    if said:
        registry.ledger.append(version.tag.run_id, [Event("version-marked", data)])
    if registry.remote:
        push(registry.remote)


def _refuse_in_use(version: Version) -> None:
    if version.aliases:
        raise RunhiveError(f"{version.title} is {', '.join(version.aliases)}: promote another to that first")
