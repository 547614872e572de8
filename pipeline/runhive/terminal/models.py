"""What `runhive models` prints."""

from collections.abc import Sequence
from typing import Any

from runhive.metrics import mcnemar_p
from runhive.report import numerals
from runhive.report.model_card import card_of, findings_of
from runhive.report.record import flatten
from runhive.terminal.output import print_json, print_line, print_prose, print_section, print_table
from runhive.tracking.comparison import compare_runs
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.registry.catalog import Catalog, Model, Version, when
from runhive.tracking.registry.names import version_tag

NONE = "no version of any model is here: `git pull` brings those of others, `runhive models register` makes one"


def print_models(models: Sequence[Model], archived: bool) -> None:
    """One row a version, the highest first."""
    rows = [_row(one) for model in models for one in reversed(model.versions) if archived or not one.archived]
    if not rows:
        print_line(NONE)
        return
    print_table(("version", "number", "aliases", "state", "accuracy", "run", "registered", "by"), rows, drop=True)


def print_models_as_json(models: Sequence[Model], archived: bool) -> None:
    print_json([version_facts(one) for model in models for one in model.versions if archived or not one.archived])


def _row(one: Version) -> tuple[str, ...]:
    event = one.event
    record = event.data if event else {}
    return (
        one.title, str(one.number or ""), " ".join(one.aliases), state(one), accuracy(record), one.tag.run_id,
        numerals.when(event.time if event else when(one.tag)), str(record.get("by", "")),
    )  # fmt: skip


def state(one: Version) -> str:
    """A version's state in a word or two."""
    if one.doubt:
        return f"unverified: {one.doubt}"
    if one.deprecated is not None:
        return "deprecated"
    verdict = one.event.data.get("verdict", {}) if one.event else {}
    words = "archived" if one.archived else "registered"
    return f"{words}, forced" if verdict.get("forced") else words


def accuracy(record: dict[str, Any]) -> str:
    """The accuracy that the run reported, with its interval."""
    name = record.get("evaluation_set", {}).get("name", "")
    metrics = record.get("metrics", {})
    value, low, high = (metrics.get(f"{name}.accuracy{end}") for end in ("", "_low", "_high"))
    if value is None:
        return ""
    interval = f" ({numerals.percent(low)} to {numerals.percent(high)})" if low is not None and high is not None else ""
    return f"{numerals.percent(value)}{interval}"


def version_facts(one: Version) -> dict[str, Any]:
    """A version as JSON."""
    return {
        "version": one.title, "number": one.number, "aliases": one.aliases, "unverified": one.doubt,
        "deprecated": one.deprecated, "archived": one.archived, "notes": one.notes, "tags": one.tags,
        "run_id": one.tag.run_id, "commit": one.tag.commit, "registered_at": one.event.time if one.event else None,
        "record": one.event.data if one.event else None,
    }  # fmt: skip


def print_version(ledger: Ledger, one: Version) -> None:
    """The card of a version."""
    print_line(one.title, "bold")
    print_line(", ".join([*one.aliases, state(one)]))
    if one.event is None:
        print_line(f"commit {one.tag.commit}; nothing else is known of it")
        return
    run = ledger.run(one.tag.run_id)
    for section in card_of(one, run, ledger).sections:
        if section.lines:
            print_prose(section.title, [("", line) for line in section.lines])
        if section.table:
            print_section("" if section.lines else section.title, section.table)
        if section.code:
            print_section(section.title, [("", line) for code in section.code for line in code.splitlines()])


def print_history(model: Model) -> None:
    """All that was done with a model, in the order of its assignments, registrations first."""
    rows = []
    for one in model.versions:
        told = one.event.data.get("bump", "") if one.event else one.doubt
        rows.append(
            (
                one.title,
                "registered",
                told,
                numerals.when(one.event.time if one.event else when(one.tag)),
                _by(one.event),
            )
        )
        if one.deprecated is not None:
            rows.append((one.title, "deprecated", one.deprecated, "", ""))
    for given in model.assignments:
        version = version_tag(model.name, given.version) if given.version else ""
        data = given.event.data if given.event else {}
        what = "rolled back to" if given.is_rollback else "promoted" if given.version else "taken away"
        verdict = data.get("verdict", {})
        told = f"forced: {data['reason']}" if data.get("forced") else given.doubt or data.get("reason", "")
        told = told or str(verdict.get("headline", ""))
        rows.append(
            (
                version,
                f"{given.alias} #{given.tag.name.counter} {what}",
                told,
                numerals.when(given.event.time if given.event else when(given.tag)),
                _by(given.event),
            )
        )
    print_table(("version", "what", "why", "when", "by"), rows, drop=True)


def _by(event: Any) -> str:
    return str(event.data.get("by", "")) if event else ""


def print_lineage(catalog: Catalog, one: Version) -> None:
    """From the version back to what it was made from."""
    record = one.record
    others = [other.title for other in catalog.versions_of(one.tag.run_id) if other.title != one.title]
    rows = [
        ("version", one.title, f"number {one.number}" + (f", {', '.join(one.aliases)}" if one.aliases else "")),
        ("ONNX", record["files"][record["onnx"]]["sha256"], record["onnx"]),
        ("weights", record["weights_sha256"], ""),
        ("run", one.tag.run_id, f"also {', '.join(others)}" if others else ""),
        ("code", record["commit"], ""),
        ("data", record["data_digest"], ""),
        ("parameters", record["params_digest"], ""),
    ]
    print_table(("what", "digest", ""), rows)


def print_lineage_of_run(catalog: Catalog, run_id: str) -> None:
    """From a run to its versions."""
    found = catalog.versions_of(run_id)
    if not found:
        print_line(f"run {run_id} has no version")
        return
    print_table(
        ("version", "number", "aliases"), [(one.title, str(one.number), " ".join(one.aliases)) for one in found]
    )


def print_diff(ledger: Ledger, first: Version, second: Version) -> None:
    """What differs between two versions: metrics, answers, parameters, data, sizes."""
    before, after = ledger.run(first.tag.run_id), ledger.run(second.tag.run_id)
    rows: list[tuple[str, ...]] = []
    for key in ("commit", "data_digest", "weights_sha256"):
        if first.record[key] != second.record[key]:
            rows.append((key, first.record[key][:12], second.record[key][:12]))
    for key in ("classes", "preprocess"):
        if first.record[key] != second.record[key]:
            rows.append((key, str(first.record[key]), str(second.record[key])))
    rows.append(("ONNX size", _size(first), _size(second)))
    names = sorted(before.metrics.keys() | after.metrics.keys())
    rows += [
        (name, *(numerals.number(run.metrics[name]) if name in run.metrics else "" for run in (before, after)))
        for name in names
        if before.metrics.get(name) != after.metrics.get(name)
    ]
    print_table(("", first.title, second.title), rows)
    found = compare_runs(ledger, before, after)
    if found.comparable:
        told = f"{found.won} won, {found.lost} lost, {numerals.p_value(mcnemar_p(found.won, found.lost))}"
        print_section("Answers", [("images", told)])
    else:
        print_section("Answers", [("not comparable", found.reason)])
    was, now = flatten(before.params), flatten(after.params)
    changed = [
        (key, was.get(key, ""), now.get(key, ""))
        for key in sorted(was.keys() | now.keys())
        if was.get(key) != now.get(key)
    ]
    print_section("Parameters", changed)


def _size(one: Version) -> str:
    return numerals.size(one.record["files"][one.record["onnx"]]["bytes"])


def print_verdict(verdict: dict[str, Any]) -> None:
    """A verdict's words."""
    print_prose("Gate", [("", line) for line in findings_of(verdict)])
