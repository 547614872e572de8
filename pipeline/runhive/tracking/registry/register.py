"""A run becomes a version of a model: checked, planned, then recorded and tagged."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pygit2

from runhive.errors import RunhiveError
from runhive.formats.model_card import ModelCard
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.naming import find
from runhive.tracking.registry.catalog import Catalog, Version
from runhive.tracking.registry.clean import faults, stages_of
from runhive.tracking.registry.declared import Artifact, choose, declared
from runhive.tracking.registry.names import BUMPS, FIRST, SemVer, version_tag
from runhive.tracking.registry.objects import fault_of, read_object
from runhive.tracking.registry.writing import Registry

CARD = "models/model.json"
TRAIN_RECORD = "models/train.json"


@dataclass(frozen=True)
class Plan:
    """What a version will be: the run, the commit that the tag goes to, and all of the record but the verdict."""

    run: Run
    commit: str
    data: Mapping[str, Any]

    @property
    def title(self) -> str:
        return version_tag(self.data["name"], SemVer.parse(self.data["version"]))


def plan_version(registry: Registry, word: str | None, name: str | None, bump: str | None) -> Plan:
    """Plan the version that a run becomes, by default the run whose results HEAD's dvc.lock holds.

    Raises RunhiveError where the run is not clean, its files are not to be had, or these bytes have a version.
    """
    repository = registry.ledger.repository
    if repository.head_is_unborn:
        raise RunhiveError("there is no commit yet: commit the code and dvc.lock, then register")
    commit = str(repository.head.target)
    artifact = choose(declared(repository, commit), name)
    run = find(registry.ledger, word) if word else run_at(registry.ledger, commit)
    _refuse_unfinished(run, artifact.path)
    if wrong := faults(repository, commit, run):
        raise RunhiveError("\n".join(f"run {run.run_id} is not clean: {one}" for one in wrong))
    catalog = registry.catalog()
    files = {path: _told(file) for path, file in run.files.items() if file.get("kind") == "model" or path == CARD}
    _refuse_versioned(catalog, artifact.name, files[artifact.path]["sha256"], commit)
    if absent := [fault for path, file in sorted(files.items()) if (fault := fault_of(registry.root, path, file))]:
        raise RunhiveError(f"{absent[0]}: run `dvc pull`, or `dvc repro` to make it again")
    card = ModelCard.parse(read_object(registry.root, CARD, files[CARD]), f"{CARD} of run {run.run_id}")
    _refuse_other_model(run, card, artifact)
    known = catalog.models[artifact.name].versions if artifact.name in catalog.models else ()
    recorded = [one for one in known if one.event]
    bump = _bump(bump, recorded[-1] if recorded else None, card)
    data = {
        "name": artifact.name,
        "version": str(known[-1].version.bumped(bump) if known else FIRST),
        "number": 1 + max((one.record["number"] for one in recorded), default=0),
        "bump": bump if known else "first",
        "commit": commit,
        "files": files,
        "onnx": artifact.path,
        "weights_sha256": card.weights_sha256,
        "data_digest": run.data["digest"],
        "params_digest": hashlib.sha256(json.dumps(run.params, sort_keys=True).encode()).hexdigest(),
        "input_digest": run.input_digest,
        "classes": card.classes,
        "preprocess": card.model_dump(mode="json")["preprocess"],
        "metrics": run.metrics,
        "evaluation_set": run.evaluation["evaluation_set"],
        "by": registry.by,
    }
    return Plan(run, commit, data)


def register(registry: Registry, plan: Plan, verdict: Mapping[str, Any]) -> None:
    """Record and tag the version, or neither counts. Raises RunhiveError where somebody else was first."""
    event = Event("versioned", {**plan.data, "verdict": dict(verdict)})
    subject = f"Registering artifact {plan.data['name']} version v{plan.data['version']}"
    registry.publish(plan.run.run_id, event, plan.title, plan.commit, subject)


def run_at(ledger: Ledger, commit: str) -> Run:
    """The run whose record the dvc.lock at *commit* holds. Raises RunhiveError where the ledger has none."""
    stages = stages_of(ledger.repository[commit].peel(pygit2.Tree))
    outs = (stages or {}).get("train", {}).get("outs", ())
    md5 = next((out.get("md5") for out in outs if out.get("path") == TRAIN_RECORD), None)
    for row in ledger.rows():
        if md5 is not None and row["record_md5"] == md5:
            return ledger.run(row["run_id"])
    raise RunhiveError(
        f"dvc.lock of HEAD ({commit[:8]}) holds the results of no run in this ledger: "
        "commit the dvc.lock of the run, or `runhive runs pull` it"
    )


def _refuse_unfinished(run: Run, path: str) -> None:
    if run.state != "completed":
        raise RunhiveError(f"run {run.run_id} is {run.state}: only a completed one becomes a version")
    if absent := [one for one in (path, CARD) if one not in run.files]:
        raise RunhiveError(f"run {run.run_id} made no {absent[0]}: only runs of the pipeline become versions")
    if not run.data.get("digest"):
        raise RunhiveError(f"run {run.run_id} does not say which data it was made from: run `dvc repro` again")
    if not run.evaluation.get("evaluation_set"):
        raise RunhiveError(f"run {run.run_id} was not evaluated: run `dvc repro`")


def _refuse_other_model(run: Run, card: ModelCard, artifact: Artifact) -> None:
    if artifact.model not in ("", card.name):
        raise RunhiveError(
            f"params.yaml at HEAD names the model {one_line(artifact.model)}, and run {run.run_id} made "
            f"{one_line(card.name)}: run `dvc repro`, or take the name back, then commit"
        )
    if run.evaluation.get("weights_sha256") != card.weights_sha256:
        raise RunhiveError(f"run {run.run_id} holds the evaluation of other weights: run `dvc repro`, then commit")


def _refuse_versioned(catalog: Catalog, name: str, sha256: str, commit: str) -> None:
    for one in catalog.models[name].versions if name in catalog.models else ():
        if one.event and one.record["files"][one.record["onnx"]]["sha256"] == sha256:
            raise RunhiveError(f"these bytes are {one.title} already, of run {one.tag.run_id}: nothing to register")
        if one.tag.commit == commit:
            raise RunhiveError(
                f"commit {commit[:8]} has {one.title} already ({one.doubt or 'registered'}), and a commit holds one "
                "version of a name: commit the new dvc.lock first"
            )


def _bump(asked: str | None, before: Version | None, card: ModelCard) -> str:
    """How the number rises; raises RunhiveError where a changed class list or preprocessing asks for more."""
    if asked is not None and asked not in BUMPS:
        raise RunhiveError(f"{asked!r} is not one of {', '.join(BUMPS)}")
    if before is None:
        return asked or "minor"
    now = card.model_dump(mode="json")
    changed = [key for key in ("classes", "preprocess") if before.record[key] != now[key]]
    if changed and asked not in (None, "major"):
        raise RunhiveError(
            f"the {' and the '.join(changed)} changed since {before.title}, so what uses the model has to change: "
            "it is a major version: leave out --bump, or say --bump major"
        )
    return asked or ("major" if changed else "minor")


def _told(file: Mapping[str, Any]) -> dict[str, Any]:
    return {key: file[key] for key in ("sha256", "md5", "bytes")}
