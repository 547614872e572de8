"""A merge publishes a version: the run that HEAD's dvc.lock holds, if its model is new and the gate admits it."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pygit2

from runhive.files import sha256_of, write_atomic
from runhive.gate.admission import admit_version
from runhive.gate.verdict import Verdict
from runhive.params import Gate
from runhive.report.model_card import card_of, markdown
from runhive.tracking.ledger.run import Run
from runhive.tracking.registry.catalog import Catalog
from runhive.tracking.registry.clean import LOCK, stages_of
from runhive.tracking.registry.download import download
from runhive.tracking.registry.find import find_version
from runhive.tracking.registry.register import TRAIN_RECORD, plan_version, run_at
from runhive.tracking.registry.writing import Registry, registry_of

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Registered:
    """A version that was made now, of a run."""

    title: str
    run_id: str
    verdict: Verdict


def look(root: Path) -> Run | str:
    """The run whose model HEAD holds and no version has yet, or why there is nothing to register.

    Raises RunhiveError where HEAD holds a model that the ledger has no run of.
    """
    with registry_of(root) as registry:
        return _candidate(registry)


def register_new(root: Path, gate: Gate, assets: Path) -> Registered | str:
    """Register the model that HEAD holds and put its files into *assets*, or say why there is nothing to register.

    Raises RunhiveError where the model is new and cannot be a version, and where the gate refuses it.
    """
    with registry_of(root) as registry:
        found = _candidate(registry)
        if isinstance(found, str):
            return found
        plan = plan_version(registry, found.run_id, None, None)
        verdict = admit_version(registry, plan, gate, force=False, reason="")
        assert verdict is not None  # there is a gate
        write_assets(registry, plan.title, assets)
    return Registered(plan.title, found.run_id, verdict)


def write_assets(registry: Registry, title: str, assets: Path) -> None:
    """Put the files of a version into the folder *assets*, flat as a release has them, with their SHA-256 sums."""
    version = find_version(registry.catalog(), title)
    card = markdown(card_of(version, registry.ledger.run(version.tag.run_id), registry.ledger))
    with TemporaryDirectory() as folder:
        download(registry.root, version, Path(folder), card, force=False, title=title)
        for file in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
            name = "-".join(file.relative_to(folder).parts)
            write_atomic(assets / name, file.read_bytes())
    sums = [f"{sha256_of(file)}  {file.name}\n" for file in sorted(assets.iterdir())]
    write_atomic(assets / SUMS, "".join(sums).encode())


def _candidate(registry: Registry) -> Run | str:
    repository = registry.ledger.repository
    commit = str(repository.head.target)
    if not _holds_a_model(repository, commit):
        return f"nothing to register: {LOCK} of {commit[:8]} holds no model"
    run = run_at(registry.ledger, commit)
    known = _version_of(registry.catalog(), run)
    return f"nothing to register: the model of {commit[:8]} is {known}" if known else run


def _holds_a_model(repository: pygit2.Repository, commit: str) -> bool:
    stages = stages_of(repository[commit].peel(pygit2.Tree)) or {}
    return any(out.get("path") == TRAIN_RECORD for out in stages.get("train", {}).get("outs", ()))


def _version_of(catalog: Catalog, run: Run) -> str | None:
    """The version with the same ONNX file, whichever run made it."""
    made = {file["sha256"] for file in run.files.values() if file.get("kind") == "model"}
    for model in catalog.models.values():
        for one in model.versions:
            if one.event and one.record["files"][one.record["onnx"]]["sha256"] in made:
                return one.title
    return None
