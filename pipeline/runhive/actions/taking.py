"""From a bundle and GitHub's own word into the ledger: all is checked first, then written in one commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from runhive.actions.belonging import Incoming, incoming_runs
from runhive.actions.bundle import MODEL
from runhive.actions.claims import check_claims, check_file, checked_sets
from runhive.actions.compared import Compared, compare_answers
from runhive.actions.reading import Opened, open_bundle, refused
from runhive.actions.standing import PARAMS
from runhive.actions.told import Computed, Told, ending_events, ending_id, events_of
from runhive.actions.weighing import Base, Weighed, weigh
from runhive.actions.workflow import WorkflowRun, bad_ending
from runhive.errors import RunhiveError
from runhive.formats.predictions import Predictions, from_csv
from runhive.gate.verdict import Finding, Verdict
from runhive.params import load_params
from runhive.tracking.applying import WHOLE_LOCK
from runhive.tracking.comparison import BASES_OWN, PREDICTIONS, Comparison, find_baseline, is_of_base
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

OTHER_IMAGES = "scored on images on which the collector could not check it"
UNSCORED = "only the model of the pipeline's own run is scored again"


class NothingTrained(RunhiveError):
    """DVC restored all that the pipeline makes, and nobody told the ledger of the run that made it."""


@dataclass(frozen=True)
class Taken:
    """A run that is in the ledger now, what it is put against, and what was computed of its model.

    `params` is the params.yaml that lay beside the model, as the job says.
    `compared` says in words why there is no comparison; the base of the base branch's own model is itself.
    """

    run: Run
    base: Run | None
    base_reason: str
    compared: Compared | str
    weighed: Weighed | None
    verdict: Verdict | None
    is_new: bool
    params: bytes | None = None


def take(ledger: Ledger, root: Path, folder: Path | None, told: Told) -> Taken | None:
    """Add the runs of the bundle in *folder* to the ledger, or one that the workflow alone tells of; None for neither.

    Raises RunhiveError where the bundle is refused, before anything is written.
    """
    opened = open_bundle(folder) if folder is not None and folder.is_dir() and any(folder.iterdir()) else None
    if opened is not None:
        _check_origin(opened, told.workflow)
    if opened is None or opened.bundle.run is None:
        if opened is not None and told.workflow.conclusion == "success":
            raise NothingTrained(
                "the ledger has no run of this model: run `runhive runs push` where it was trained, then run the "
                "workflow again"
            )
        return _take_ending(ledger, told)
    incoming = {one.run.run_id: one for one in incoming_runs(opened, ledger, told.workflow)}
    for one in incoming.values():
        _check_place(ledger, root, one)
    main = incoming[opened.bundle.run]
    _refuse_older(ledger, main.run.run_id, told.workflow)
    is_bases = not main.is_new and is_of_base(main.run, root)
    base, reason = (main.run, BASES_OWN) if is_bases else find_baseline(ledger, main.run, root)
    weighed = _weighed(ledger, root, opened, main, base)
    compared = _compared(weighed, base, reason)
    kept = None if main.is_new else _kept_verdict(main.run, told.workflow)
    verdict = kept or (weighed.verdict if weighed else None)
    new = [one for one in incoming.values() if one.is_new]
    if new:
        computed = {one.run.run_id: _unscored(one.run) for one in new}
        if weighed:
            computed[main.run.run_id] = _computed(main.run, weighed, base, reason, compared)
        events = {one.run.run_id: events_of(one.run, told, computed[one.run.run_id]) for one in new}
        ledger.adopt(_contents(opened, new), events, {main.run.run_id: _whole_lock(opened)})
    used = opened.path(PARAMS)
    params = used.read_bytes() if used else None
    return Taken(ledger.run(main.run.run_id), base, reason, compared, weighed, verdict, main.is_new, params)


def _check_origin(opened: Opened, workflow: WorkflowRun) -> None:
    said = opened.bundle
    if said.repository not in ("", workflow.repository.full_name) or said.workflow_run not in (None, workflow.id):
        raise refused("it says that another workflow run made it")


def _check_place(ledger: Ledger, root: Path, one: Incoming) -> None:
    """The base branch's dvc.lock is public: a run with the record in it is the base's where the ledger knew it so."""
    run_id = one.run.run_id
    if one.is_new and is_of_base(one.run, root) and not (ledger.has(run_id) and is_of_base(ledger.run(run_id), root)):
        raise refused(f"run {run_id} says that it is the base branch's own run, which the ledger has not")


def _refuse_older(ledger: Ledger, run_id: str, workflow: WorkflowRun) -> None:
    """Two events of one workflow run may come in the wrong order."""
    known = ledger.run(run_id).collected.get("workflow", {}) if ledger.has(run_id) else {}
    if known.get("id") == workflow.id and known.get("attempt", 0) > workflow.run_attempt:
        raise RunhiveError(f"attempt {known['attempt']} of the workflow run is collected: an older one adds nothing")


def _weighed(ledger: Ledger, root: Path, opened: Opened, main: Incoming, base: Run | None) -> Weighed | None:
    """What the base branch's code computes of the bundle's model; None where it has none."""
    model, run = opened.path(MODEL), main.run
    if model is None:
        if run.state == "completed" and run.evaluation:
            raise refused(f"run {run.run_id} says that it is complete, and its model is not there")
        return None
    check_file(opened, run)
    claimed = _claimed_answers(main)
    gate = load_params(root / "params.yaml").gate
    found = weigh(ledger, Base(root, gate, base), model, run, claimed)
    check_claims(run, found, claimed)
    return found


def _compared(weighed: Weighed | None, base: Run | None, reason: str) -> Compared | str:
    if weighed is None:
        return "the job left no model"
    return reason if base is None else compare_answers(weighed.before, weighed.after)


def _computed(run: Run, weighed: Weighed, base: Run | None, reason: str, compared: Compared | str) -> Computed:
    """What the ledger keeps of it: a run whose own numbers could not be checked is comparable with nothing."""
    checked = checked_sets(run, weighed)
    against, why = base.run_id if base else None, compared if isinstance(compared, str) else OTHER_IMAGES
    if isinstance(compared, str) or not checked:
        comparison = Comparison(against, why)
    else:
        comparison = Comparison(against, reason, True, compared.won, compared.lost, compared.p)
    told = {"metrics": dict(weighed.numbers), "checked": checked, "verdict": weighed.verdict.kept()}
    return Computed(told, comparison)


def _unscored(run: Run) -> Computed:
    """What it says of its scores stays its word."""
    return Computed({"checked": []}, Comparison(None, UNSCORED) if run.comparison else None)


def _claimed_answers(main: Incoming) -> Predictions | None:
    run, content = main.run, main.files.get(PREDICTIONS)
    if content is None:
        return None
    try:
        found = from_csv(content, PREDICTIONS)
    except RunhiveError:
        raise refused(f"{PREDICTIONS} of run {run.run_id} is damaged") from None
    if not len(found.labels) or not np.isfinite(found.logits).all():
        raise refused(f"{PREDICTIONS} of run {run.run_id} holds what is no answer")
    return found


def _contents(opened: Opened, new: list[Incoming]) -> Mapping[str, bytes]:
    """What goes into the ledger as it is: events and files of the new runs, and pictures."""
    ids = {one.run.run_id for one in new}
    return {path: one for path, one in opened.ledger.items() if path.startswith("media/") or path.split("/")[4] in ids}


def _whole_lock(opened: Opened) -> Mapping[str, bytes]:
    """The dvc.lock with the stages that come after the run's own, which `runs apply` brings to the author."""
    lock = opened.path("dvc.lock")
    return {WHOLE_LOCK: lock.read_bytes()} if lock else {}


def _take_ending(ledger: Ledger, told: Told) -> Taken | None:
    """A run that left no record of its own: the workflow's times and its end are all that is known."""
    ending = bad_ending(told.workflow, told.jobs)
    if ending is None:
        return None
    workflow = told.workflow
    run_id = ending_id(workflow)
    _refuse_older(ledger, run_id, workflow)
    is_new = ledger.adopt({}, {run_id: ending_events(told, ending)})
    return Taken(ledger.run(run_id), None, "", "the job left no model", None, None, is_new)


def _kept_verdict(run: Run, workflow: WorkflowRun) -> Verdict | None:
    """The verdict that was given when this workflow run was collected before, so that the answer stays the same."""
    kept = run.collected.get("verdict") or {}
    if not kept or run.collected.get("workflow", {}).get("id") != workflow.id:
        return None
    fields = {name: kept[name] for name in ("candidate", "current", "asked", "numbers")}
    findings = tuple(Finding(**one) for one in kept["findings"])
    return Verdict(findings=findings, warnings=tuple(kept["warnings"]), sets=tuple(kept["sets"]), **fields)
