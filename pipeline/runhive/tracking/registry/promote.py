"""An alias goes to a version, forward through the gate or back to where it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.run import Event
from runhive.tracking.registry.catalog import Model, Version
from runhive.tracking.registry.find import version_at
from runhive.tracking.registry.names import SemVer, alias_tag, check_alias
from runhive.tracking.registry.records import checked_reason, digest_of
from runhive.tracking.registry.writing import Registry
from runhive.tracking.repository import common_folder


def refuse_promotion(model: Model, version: Version, alias: str) -> None:
    """Raise RunhiveError where *version* cannot get *alias* whatever a gate says."""
    check_alias(alias)
    if version.event is None:
        raise RunhiveError(f"{version.title} is unverified ({version.doubt}): register its run, then promote that")
    if version.deprecated is not None or version.archived:
        state = "archived" if version.deprecated is None else "deprecated"
        raise RunhiveError(f"{version.title} is {state}: promote another")
    if (now := model.aliases.get(alias)) and now.version == version.version:
        raise RunhiveError(f"{model.name}#{alias} is {version.title} already: nothing to promote")


def promote(
    registry: Registry,
    model: Model,
    version: Version,
    alias: str,
    verdict: Mapping[str, Any],
    forced: bool,
    reason: str,
) -> None:
    """Give *alias* to *version*, with the gate's verdict. Raises RunhiveError where somebody else was first."""
    refuse_promotion(model, version, alias)
    _assign(registry, model, version, alias, {"verdict": dict(verdict), "forced": forced, "reason": reason})


def rollback(registry: Registry, model: Model, alias: str, reason: str) -> Version:
    """Give *alias* back to the version that had it before, and return that. The gate is not asked: it was then.

    One that was stopped after its tag is not done again; `rollback_told` ends it. Raises RunhiveError where there was
    no version before.
    """
    if stopped := _untold(registry, model, alias):
        return stopped
    target = version_at(model, before(model, alias))
    if target is None:
        raise RunhiveError(f"{model.name}#{alias} was never anything else: there is nothing to go back to")
    refuse_promotion(model, target, alias)
    _assign(registry, model, target, alias, {"rollback": True, "reason": reason})
    return target


def rollback_told(registry: Registry) -> None:
    """Let the next rollback be another step back: who asked for the last one was told that it is done."""
    path = _pending(registry)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RunhiveError(f"{path} cannot be removed ({error.strerror}): mend its permissions, remove it") from error


def _untold(registry: Registry, model: Model, alias: str) -> Version | None:
    """The version that *alias* went to last, where that was a rollback of ours that nobody was told of."""
    path, now = _pending(registry), model.aliases.get(alias)
    if now is None or not path.exists() or path.read_text() != now.tag.record:
        return None
    return version_at(model, now.version)


def _pending(registry: Registry) -> Path:
    """Holds the digest of a rollback's record until it is told."""
    return common_folder(registry.ledger.repository) / "runhive" / "rollback"


def before(model: Model, alias: str) -> SemVer | None:
    """The version that a rollback goes to: promotions pile up, and a rollback takes the last one off."""
    if alias not in model.aliases:
        known = ", ".join(model.aliases) or "none"
        raise RunhiveError(f"{model.name} has no alias {check_alias(alias)!r} (there: {known})")
    pile: list[SemVer] = []
    for one in model.assignments:
        if one.alias != alias or one.version is None:
            continue
        if one.is_rollback and len(pile) > 1:
            pile.pop()
        elif not pile or pile[-1] != one.version:
            pile.append(one.version)
    return pile[-2] if len(pile) > 1 else None


def _assign(registry: Registry, model: Model, version: Version, alias: str, said: Mapping[str, Any]) -> None:
    now = model.aliases.get(alias)
    data = {
        "name": model.name,
        "version": str(version.version),
        "alias": alias,
        "counter": model.counter,
        "before": str(now.version) if now else "",
        "by": registry.by,
        **said,
        "reason": checked_reason(str(said["reason"])),
    }
    subject = f"Assigning stage {alias} to artifact {model.name} version v{version.version}"
    ref, event = alias_tag(model.name, alias, model.counter), Event("promoted", data)
    if "rollback" in said:
        write_atomic(_pending(registry), digest_of(event).encode())
    registry.publish(version.tag.run_id, event, ref, version.tag.commit, subject)
