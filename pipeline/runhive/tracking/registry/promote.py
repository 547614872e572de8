"""An alias goes to a version, forward through the gate or back to where it was."""

from collections.abc import Mapping
from typing import Any

from runhive.errors import RunhiveError
from runhive.tracking.ledger.run import Event
from runhive.tracking.registry.catalog import Model, Version
from runhive.tracking.registry.find import version_of
from runhive.tracking.registry.names import SemVer, alias_tag, check_alias, version_tag
from runhive.tracking.registry.records import checked_reason
from runhive.tracking.registry.writing import Registry


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


def rollback(registry: Registry, model: Model, alias: str, to: str, reason: str) -> Version:
    """Give *alias* back to the version that had it before, or to the earlier one *to*, and return that.

    The gate is not asked: it was then. Raises RunhiveError where there is no such version, and, without *to*, where the
    last change was a rollback: one that is done again, or by two people at once, goes one step back.
    """
    *earlier, now = held(model, alias)
    if to:
        target = version_of(model, to)
        if target.version not in (*earlier, now):
            there = ", ".join(f"v{one}" for one in dict.fromkeys(earlier)) or "nothing before"
            raise RunhiveError(f"{model.name}#{alias} does not go back to {target.title} (it was {there}): promote it")
    elif model.aliases[alias].is_rollback:
        further = f": to go further, add --to v{earlier[-1]}" if earlier else ": there is nothing before that"
        raise RunhiveError(f"{model.name}#{alias} went back to {version_tag(model.name, now)} already{further}")
    elif not earlier:
        raise RunhiveError(f"{model.name}#{alias} was never anything else: there is nothing to go back to")
    else:
        target = version_of(model, str(earlier[-1]))
    refuse_promotion(model, target, alias)
    _assign(registry, model, target, alias, {"rollback": True, "reason": reason})
    return target


def held(model: Model, alias: str) -> list[SemVer]:
    """The versions that *alias* was given to, the present one last: a promotion adds one, a rollback takes some off."""
    if alias not in model.aliases:
        known = ", ".join(model.aliases) or "none"
        raise RunhiveError(f"{model.name} has no alias {check_alias(alias)!r} (there: {known})")
    pile: list[SemVer] = []
    for one in model.assignments:
        if one.alias != alias or one.version is None:
            continue
        if one.is_rollback and one.version in pile[:-1]:
            pile.pop()
            while pile[-1] != one.version:
                pile.pop()
        elif pile[-1:] != [one.version]:
            pile.append(one.version)
    return pile


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
    ref = alias_tag(model.name, alias, model.counter)
    registry.publish(version.tag.run_id, Event("promoted", data), ref, version.tag.commit, subject)
