"""Registration and promotion through the gate: refused with the verdict's own words, or forced and recorded as such."""

from collections.abc import Mapping
from typing import Any

from runhive.errors import RunhiveError
from runhive.gate.evidence import Candidate, gather
from runhive.gate.rules import judge
from runhive.gate.verdict import Verdict
from runhive.params import Gate
from runhive.tracking.registry.catalog import Model, Version
from runhive.tracking.registry.promote import promote, refuse_promotion
from runhive.tracking.registry.register import Plan, register
from runhive.tracking.registry.writing import Registry


def admit_version(registry: Registry, plan: Plan, gate: Gate | None, force: bool, reason: str) -> Verdict | None:
    """Register the planned version; where *gate* is set, only if it admits it or with *force*."""
    _check_force(force, reason)
    if gate is None:
        register(registry, plan, {})
        return None
    model = registry.catalog().models.get(plan.data["name"])
    latest = model.latest if model else None
    verdict = _judge(registry, gate, Candidate(plan.title, plan.data, plan.run), latest, model)
    _refuse(verdict, force, "register")
    register(registry, plan, verdict.kept() | _forced(verdict, reason))
    return verdict


def admit_promotion(
    registry: Registry, model: Model, version: Version, alias: str, gate: Gate, force: bool, reason: str
) -> Verdict:
    """Give *alias* to *version* if the gate admits it against the version that has it, or with *force*."""
    _check_force(force, reason)
    refuse_promotion(model, version, alias)
    current = model.at(alias)
    if current is not None and current.event is None:
        raise RunhiveError(
            f"{model.name}#{alias} is {current.title}, which is unverified ({current.doubt}): the gate has nothing to "
            "compare with: delete its tag"
        )
    run = registry.ledger.run(version.tag.run_id)
    verdict = _judge(registry, gate, Candidate(version.title, version.record, run), current, model)
    _refuse(verdict, force, "promote")
    promote(registry, model, version, alias, verdict.kept(), not verdict.admitted, reason)
    return verdict


def _judge(
    registry: Registry, gate: Gate, candidate: Candidate, current: Version | None, model: Model | None
) -> Verdict:
    last: Mapping[str, Any] = {}
    for one in model.assignments if model else ():
        last = one.event.data.get("verdict") or last if one.event else last
    return judge(gate, gather(registry.ledger, registry.root, gate, candidate, current, last))


def _check_force(force: bool, reason: str) -> None:
    if force and not reason.strip():
        raise RunhiveError("--force needs --reason TEXT: it is kept for ever beside the verdict")


def _refuse(verdict: Verdict, force: bool, action: str) -> None:
    if verdict.admitted or force:
        return
    lines = [finding.words for finding in verdict.findings if not finding.admitted]
    told = [f"{verdict.candidate} is refused: {line}" for line in lines]
    raise RunhiveError("\n".join([*told, f"to {action} it all the same: --force --reason TEXT"]))


def _forced(verdict: Verdict, reason: str) -> dict[str, Any]:
    return {} if verdict.admitted else {"forced": True, "reason": reason}
