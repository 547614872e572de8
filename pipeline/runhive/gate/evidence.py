"""From a version and the one that has the alias to the case that the gate weighs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.formats.predictions import from_csv
from runhive.gate.case import Case, Measured
from runhive.gate.images import Images, Run, answers_of, machine, milliseconds_of, parity_of, read_set
from runhive.mistakes import one_line
from runhive.params import Gate
from runhive.scoring.model import Model
from runhive.scoring.package import parse_package
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run as Trained
from runhive.tracking.registry.catalog import Version
from runhive.tracking.registry.clean import faults
from runhive.tracking.registry.objects import read_object
from runhive.tracking.storage.artifacts import kept

PREDICTIONS = "results/predictions.csv"


@dataclass(frozen=True)
class Candidate:
    """A version, perhaps still to be made: its name, its record, and the run that made it."""

    title: str
    record: Mapping[str, Any]
    run: Trained


def gather(
    ledger: Ledger, root: Path, gate: Gate, one: Candidate, current: Version | None, last: Mapping[str, Any]
) -> Case:
    """Compute the evidence on the candidate *one* against *current*. *last* is the verdict before this one, or empty.

    Raises RunhiveError where bytes or images are not to be had.
    """
    candidate = open_model(root, one.record, one.title)
    opponent = open_model(root, current.record, current.title) if current else None
    sets = [read_set(root, name, frozen) for name, frozen in gate.evaluation_sets.items()]
    runs = [answers_of(candidate, images) for images in sets]
    parity, why = _parity(ledger, root, one.run, sets, runs)
    tried = tried_on(ledger)
    selection = one.run.training.get("selection", {}).get("digest")
    before = {told["name"]: told["digest"] for told in last.get("sets", ())}
    measured = tuple(
        Measured(
            items=images.items,
            candidate=answered.answers,
            current=answers_of(opponent, images).answers if opponent else None,
            selected=selection == images.items.digest,
            tried=tried.get(images.items.digest, 0),
            digest_before=before.get(images.items.name),
        )
        for images, answered in zip(sets, runs, strict=True)
    )
    return Case(
        candidate=one.title,
        current=current.title if current else None,
        sets=measured,
        parity=parity,
        why_no_parity=why,
        onnx_bytes=one.record["files"][one.record["onnx"]]["bytes"],
        milliseconds=milliseconds_of(candidate, sets[0]),
        faults=tuple(faults(ledger.repository, one.record["commit"], one.run)),
        machine=dict(machine()),
    )


def open_model(root: Path, record: Mapping[str, Any], title: str) -> Model:
    """Open a version's ONNX file, whose bytes are those of its *record*."""
    path = record["onnx"]
    package = parse_package(read_object(root, path, record["files"][path]), f"{one_line(path)} of {title}")
    if package.metadata.weights_sha256 != record["weights_sha256"]:
        raise RunhiveError(
            f"the ONNX file of {title} was made from other weights than its record says: export it again"
        )
    return Model(package, title, title)


def _parity(ledger: Ledger, root: Path, run: Trained, sets: list[Images], runs: list[Run]) -> tuple[float | None, str]:
    """The ONNX file's answers, computed now, against those of the weights, which evaluate kept."""
    told = run.files.get(PREDICTIONS, {})
    content = ledger.file(run.run_id, str(told["ledger"])) if told.get("ledger") else None
    content = content or kept(root, str(told.get("md5")))
    if content is None:
        return None, f"{PREDICTIONS} of run {run.run_id} is neither in the ledger nor in the cache"
    predictions = from_csv(content, f"{PREDICTIONS} of run {run.run_id}")
    for images, answered in zip(sets, runs, strict=True):
        if (found := parity_of(images, answered, predictions)) is not None:
            return found, ""
    name = run.evaluation.get("evaluation_set", {}).get("name")
    return None, f"evaluate scored the weights on {name}, which is none of gate.evaluation_sets as they are here"


def tried_on(ledger: Ledger) -> dict[str, int]:
    """How many different weights were scored on each evaluation set, by its digest."""
    seen: dict[str, set[str]] = {}
    for run in ledger.runs():
        digest = run.evaluation.get("evaluation_set", {}).get("digest")
        if isinstance(digest, str):
            seen.setdefault(digest, set()).add(str(run.evaluation.get("weights_sha256")))
    return {digest: len(weights) for digest, weights in seen.items()}
