"""One run as a page: the verdict first, then numbers with what they mean, then what it was made from."""

from collections.abc import Mapping, Sequence
from typing import Any

from runhive.formats.parity import Flip, Parity
from runhive.report import numerals
from runhive.report.measures import Measure, measures
from runhive.report.record import flatten, read_part
from runhive.report.summary import Summary, summarize
from runhive.report.text import clip
from runhive.report.timeline import moments
from runhive.terminal.files import places
from runhive.terminal.output import print_json, print_line, print_prose, print_section
from runhive.tracking.fields import seconds_between
from runhive.tracking.ledger.enclosed import ENCLOSURE
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.row import row_of
from runhive.tracking.ledger.run import Event, Run

GLOSSES: Mapping[str, str] = {
    "macro_f1": "harmonic mean of precision and recall, mean over the classes",
    "nll": "-log of the probability of the right class, mean over the images: 0 is best",
    "brier": "squared distance of the probabilities to the truth: 0 is best, 2 is worst",
    "ece": "how far confidence is from accuracy, mean over 15 bins: 0 is best",
    "relative_difference": "largest difference of ONNX's logits to torch's, over the logits' spread",
    "top1_agreement": "share of the images that ONNX and torch answer alike",
}
NOTE_LINES = 20
TRACEBACK_LINES = 15
HEADLINE = {"better": "bold green", "worse": "bold red"}


def print_run(ledger: Ledger, run: Run) -> None:
    """Print what the ledger knows of one run."""
    summary = summarize(run)
    print_line(f"{run.run_id}  {run.name}".rstrip(), "bold")
    print_verdict(summary)
    print_section("Traceback", [(line,) for line in (run.traceback or "").splitlines()[-TRACEBACK_LINES:]])
    print_section("Run", _about(run))
    print_prose("Notes", [("", line) for line in run.notes.splitlines()[:NOTE_LINES]])
    baseline = summary.verdict.baseline
    before = summarize(ledger.run(baseline)) if baseline and ledger.has(baseline) else None
    rows = [_measure_row(one) for one in measures(summary, before)]
    print_section(_metrics_title(summary, before is not None), rows, drop=True)
    print_prose("What they mean", _glossed(rows))
    print_prose("Parameters", _parameters(summary))
    print_prose("Code", _code(summary))
    print_prose("Data", _data(run))
    print_section("Digests", _digests(run))
    print_section("Time", _times(run))
    print_prose("Machine", _machine(run))
    print_section("ONNX", _exported(run))
    print_section("Files", [row[:3] for row in places(ledger, run)])
    print_section("Events", _events(run))


def print_run_as_json(ledger: Ledger, run: Run) -> None:
    """Print what the list's JSON says of a run, and all its other parts as the ledger holds them."""
    parts = (
        "traceback", "heartbeat", "exit_code", "input_digest", "requirements_digest", "outcome_digest", "code", "data",
        "environment", "launcher", "nodes", "command", "training", "evaluation", "parity", "comparison", "reproduction",
        "collected", "phases", "began", "used",
    )  # fmt: skip
    files = [dict(zip(("path", "bytes", "in", "md5"), row, strict=True)) for row in places(ledger, run, raw=True)]
    told = {"files": files, "events": [_told(event) for event in run.events]}
    print_json(row_of(run) | {name: getattr(run, name) for name in parts} | told)


def print_verdict(summary: Summary) -> None:
    """Print how the run ended, or how it did against its baseline."""
    verdict, run = summary.verdict, summary.run
    if summary.state != "completed":
        print_line(f"{summary.ending}{f': {run.cause}' if run.cause else ''}", "bold")
        return
    print_line(verdict.headline, HEADLINE.get(verdict.tone, "bold"))
    told = f"{verdict.detail}, against {verdict.baseline} ({verdict.choice})" if verdict.choice else verdict.detail
    if told:
        print_line(told)


def _about(run: Run) -> list[tuple[str, str]]:
    reproduced = run.reproduction
    known = {
        "experiment": run.experiment,
        "state": run.state + (" (archived)" if run.archived else ""),
        "tags": ", ".join(run.tags),
        "started": f"{numerals.when(run.started_at)} UTC",
        "took": numerals.seconds(seconds_between(run.started_at, run.ended_at)) if run.ended_at else "",
        "attempt": str(run.attempt) if run.attempt > 1 else "",
        "parent": run.parent or "",
        "launcher": " ".join(str(run.launcher[key]) for key in ("command", "url") if run.launcher.get(key)),
        "pull request": str(run.collected.get("pull_request") or ""),
        "nodes": str(run.nodes) if run.nodes > 1 else "",
        "command": " ".join(run.command),
        "reproduced": f"{reproduced.get('verdict')}, by {reproduced.get('run_id')}" if reproduced else "",
    }
    return [(name, value) for name, value in known.items() if value]


def _digests(run: Run) -> list[tuple[str, str]]:
    """What the run was made of and what it made; runs of equal inputs or outcomes have equal digests."""
    known = {
        "inputs": run.input_digest,
        "requirements": run.requirements_digest,
        "weights": run.training.get("weights_sha256"),
        "ONNX": run.parity.get("onnx_sha256"),
        "outcome": run.outcome_digest,
    }
    return [(name, numerals.digest(value)) for name, value in known.items() if value]


def _metrics_title(summary: Summary, compared: bool) -> str:
    score = summary.score
    if score is None:
        return "Metrics"
    scored = f" on {score.set_name}, {score.images:,} images" if score.images else ""
    selected = ", selected on these images" if score.selected else ""
    claim = ", a claim: other images than the base branch's" if score.is_claim else ""
    return f"Metrics{scored}{selected}{claim}{'; the change against the baseline in brackets' if compared else ''}"


def _measure_row(one: Measure) -> tuple[str, str, str, str]:
    return one.name, one.value, f"({one.change})" if one.change else "", one.interval


def _glossed(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, str]]:
    names = [row[0].rpartition(".")[2] for row in rows]
    return [(name, GLOSSES[name]) for name in GLOSSES if name in names]


def _parameters(summary: Summary) -> list[tuple[str, str]]:
    """One line for each section of params.yaml."""
    sections: dict[str, list[str]] = {}
    for key, value in summary.parameters.items():
        section, _, name = key.partition(".")
        sections.setdefault(section, []).append(f"{name} {value}" if name else value)
    return [(section, ", ".join(values)) for section, values in sections.items()]


def _code(summary: Summary) -> list[tuple[str, str]]:
    code = summary.code
    if code.commit is None:
        return []
    changed = f"uncommitted changes in {', '.join(code.changed)}" if code.changed else "uncommitted changes"
    lines = [("commit", f"{code.commit[:8]}{f' on {code.branch}' if code.branch else ''}")]
    return [*lines, ("dirty", changed)] if code.dirty else lines


def _data(run: Run) -> list[tuple[str, str]]:
    counts = run.data.get("counts")
    digest = run.data.get("digest")
    lines = [("digest", numerals.digest(digest))] if digest else []
    if isinstance(counts, dict):
        lines += [
            (str(split), ", ".join(f"{count} {label}" for label, count in classes.items()))
            for split, classes in counts.items()
            if isinstance(classes, dict)
        ]
    return lines


def _exported(run: Run) -> list[tuple[str, ...]]:
    """Size, milliseconds and answers of each exported file, after those of torch."""
    parity = read_part(Parity, run.parity)
    if parity is None:
        return []
    rows: list[tuple[str, ...]] = [
        ("torch", numerals.size(parity.torch_bytes), _milliseconds(parity.torch_milliseconds), "", ""),
        (
            "fp32", numerals.size(parity.onnx_bytes), _milliseconds(parity.onnx_milliseconds),
            _milliseconds(parity.onnx_milliseconds_in_32), _changed(parity.flips),
        ),
    ]  # fmt: skip
    for one in parity.variants:
        told = f"left out: {one.reason}" if one.reason else _changed(one.flips)
        speeds = (_milliseconds(one.milliseconds), _milliseconds(one.milliseconds_in_32))
        rows.append((one.name, numerals.size(one.onnx_bytes), *speeds, clip(told, 200)))
    return [("", "size", "one image", "one of 32", "against torch"), *rows]


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{numerals.number(value)} ms"


def _changed(flips: Sequence[Flip]) -> str:
    paths = ", ".join(flip.path for flip in flips[:3]) + (", …" if len(flips) > 3 else "")
    return f"{len(flips)} answers changed" + (f": {paths}" if flips else "")


def _times(run: Run) -> list[tuple[str, str, str]]:
    rows = []
    for phase, seconds in run.phases.items():
        began = run.began.get(phase)
        rows.append((phase, numerals.seconds(seconds), f"from {numerals.when(began)}" if began else ""))
    used = run.used
    if used.get("cpu_seconds"):
        rows.append(("CPU time", numerals.seconds(used["cpu_seconds"]), ""))
    if used.get("gpu_hours"):
        rows.append(("GPU hours", numerals.number(used["gpu_hours"]), ""))
    if used.get("peak_memory_bytes"):
        rows.append(("memory", numerals.size(int(used["peak_memory_bytes"])), "at its highest"))
    return rows


def _machine(run: Run) -> list[tuple[str, str]]:
    known: dict[str, Any] = {key: value for key, value in run.environment.items() if value is not None}
    packages = known.pop("packages", {})
    lines = list(flatten(known).items())
    if isinstance(packages, dict) and packages:
        lines.append(("packages", ", ".join(f"{name} {version}" for name, version in packages.items())))
    return lines


def _told(event: Event) -> dict[str, Any]:
    """All of *event*; of what it encloses the names, as it is among the files."""
    return vars(event) | ({"data": {"files": sorted(event.data["files"])}} if event.type == ENCLOSURE else {})


def _events(run: Run) -> list[tuple[str, str, str]]:
    return [(numerals.when(one.time), one.type, clip(one.note, 100)) for one in moments(run)]
