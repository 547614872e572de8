"""A model card: what a version is, for what, how good, from what, in sections that are Markdown or a page alike."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runhive.formats.evaluation import Evaluation
from runhive.formats.parity import Parity
from runhive.report.answers import answers_of, mistakes
from runhive.report.numerals import number, percent, seconds, size, when
from runhive.report.record import Data, flatten, read_part
from runhive.report.text import visible
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.registry.catalog import Version

MOST_MISTAKES = 10
PUNCTUATION = re.compile(r"([\\`*\[\]<>#|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")  # _ within a word is plain
OPENING = re.compile(r"^(\d*)([-+=]|[.)](?=\s|$))")  # what makes a list or a heading of a line that begins with it


@dataclass(frozen=True)
class Section:
    """A heading with lines of text, a table whose first row is its header, and code."""

    title: str
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """`lead` says in a line what the version is."""

    title: str
    lead: str
    sections: tuple[Section, ...] = field(default_factory=tuple)


def card_of(version: Version, run: Run, ledger: Ledger) -> Card:
    """Gather the card of a version that the ledger confirms."""
    record = version.record
    evaluation = read_part(Evaluation, run.evaluation)
    parity = read_part(Parity, run.parity)
    data = read_part(Data, run.data) or Data()
    sections = [
        _intended(record, data, evaluation),
        _metrics(run, evaluation),
        _classes(evaluation),
        _known_mistakes(ledger, run),
        _gate(record["verdict"]),
        _data(data, record),
        _recipe(run),
        _exported(parity),
        _environment(run),
        _provenance(version, run),
        _use(version),
        _said(version),
    ]
    answers = f"{record['name']} answers with one of {len(record['classes'])} classes for an image."
    lead = f"{answers} Version {version.number}, {version.title}."
    return Card(version.title, lead, tuple(one for one in sections if one.lines or one.table or one.code))


def markdown(card: Card) -> str:
    """The card as Markdown; whatever a run says stays text."""
    lines = [f"# {_escaped(card.title)}", "", _escaped(card.lead), ""]
    for section in card.sections:
        lines += [f"## {_escaped(section.title)}", ""]
        for line in section.lines:
            lines += [_escaped(line), ""]
        if section.table:
            header, *rows = section.table
            lines += [_row(header), "|" + "---|" * len(header), *map(_row, rows), ""]
        for code in section.code:
            lines += ["```", visible(code), "```", ""]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(text: str) -> str:
    return OPENING.sub(r"\1\\\2", PUNCTUATION.sub(r"\\\1", visible(str(text)).replace("\n", " ").strip()))


def _intended(record: Mapping[str, Any], data: Data, evaluation: Evaluation | None) -> Section:
    preprocess = record["preprocess"]
    scored = record["evaluation_set"]
    selected = evaluation is not None and evaluation.selected_on_these_images
    flatters = ": its epoch was chosen on these images, so the numbers flatter" if selected else ""
    lines = (
        f"Images like those that it learned from, of these classes: {', '.join(record['classes'])}. "
        "It answers with one of them for every image, also for one of none.",
        f"An image is resized to {preprocess['resize_size']} pixels on its shorter side and cropped to "
        f"{preprocess['image_size']} by {preprocess['image_size']}; the ONNX file says so itself.",
        f"Measured on {scored.get('name')}, {scored.get('images')} images, "
        f"digest {str(scored.get('digest'))[:12]}{flatters}.",
    )
    return Section("Intended data", lines)


def _metrics(run: Run, evaluation: Evaluation | None) -> Section:
    if evaluation is None:
        return Section("Metrics")
    interval = f"{percent(evaluation.accuracy_low)} to {percent(evaluation.accuracy_high)}"
    rows = [
        ("Metric", "Value", "95 % interval"),
        ("accuracy", percent(evaluation.accuracy), interval),
        ("macro F1", percent(evaluation.macro_f1), ""),
        ("negative log-likelihood", number(evaluation.nll), ""),
        ("Brier score", number(evaluation.brier), ""),
        ("expected calibration error", number(evaluation.ece), ""),
    ]
    return Section("Metrics", table=tuple(rows))


def _classes(evaluation: Evaluation | None) -> Section:
    if evaluation is None:
        return Section("By class")
    rows = [
        (one.label, number(one.images), percent(one.precision), percent(one.recall), percent(one.f1))
        for one in evaluation.per_class
    ]
    return Section("By class", table=(("Class", "Images", "Precision", "Recall", "F1"), *rows))


def _known_mistakes(ledger: Ledger, run: Run) -> Section:
    answers = answers_of(run.run_id, ledger)
    wrong = mistakes(answers) if answers else []
    if not wrong:
        return Section("Known mistakes")
    rows = [(one.path, one.actual, one.predicted, percent(one.confidence)) for one in wrong[:MOST_MISTAKES]]
    lines = (f"{len(wrong)} images are answered wrongly; the most confident of them first.",)
    return Section("Known mistakes", lines, (("Image", "Is", "Answer", "Confidence"), *rows))


def _gate(verdict: Mapping[str, Any]) -> Section:
    return Section("Gate at registration", tuple(findings_of(verdict)))


def findings_of(verdict: Mapping[str, Any]) -> Iterator[str]:
    """The words of a verdict, as the ledger keeps it, a line each."""
    if not verdict:
        return
    against = verdict.get("current") or "no other model"
    yield f"{'Admitted' if verdict.get('admitted') else 'Refused, and forced'} against {against}."
    for one in verdict.get("findings", ()):
        yield f"{one.get('rule')}: {one.get('words')}"
    for warning in verdict.get("warnings", ()):
        yield f"Note: {warning}."
    if verdict.get("reason"):
        yield f"Reason for the force: {verdict['reason']}"


def _data(data: Data, record: Mapping[str, Any]) -> Section:
    labels = list(dict.fromkeys(label for counts in data.counts.values() for label in counts))
    rows = [(split, *(number(counts.get(label, 0)) for label in labels)) for split, counts in data.counts.items()]
    table = (("Split", *labels), *rows) if rows else ()
    return Section("Data", (f"Digest {record['data_digest']}",), table)


def _recipe(run: Run) -> Section:
    rows = [(key, value) for key, value in flatten(run.params).items() if key.partition(".")[0] in ("model", "train")]
    return Section("Training recipe", table=(("Parameter", "Value"), *rows) if rows else ())


def _exported(parity: Parity | None) -> Section:
    if parity is None:
        return Section("Exported files")
    rows = [
        ("File", "Size", "One image", "One of a batch of 32", "Against torch"),
        ("torch", size(parity.torch_bytes), f"{number(parity.torch_milliseconds)} ms", "", ""),
        (
            "fp32", size(parity.onnx_bytes), f"{number(parity.onnx_milliseconds)} ms",
            _milliseconds(parity.onnx_milliseconds_in_32), f"{len(parity.flips)} answers changed",
        ),
    ]  # fmt: skip
    for one in parity.variants:
        told = f"left out: {one.reason}" if one.reason else f"{len(one.flips)} answers changed"
        speeds = (_milliseconds(one.milliseconds), _milliseconds(one.milliseconds_in_32))
        rows.append((one.name, size(one.onnx_bytes), *speeds, told))
    difference = f"{number(parity.relative_difference)} of their spread"
    words = f"Largest difference of logits: {difference}, over {parity.images} images."
    return Section("Exported files", (words,), tuple(rows))


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{number(value)} ms"


def _environment(run: Run) -> Section:
    known = {key: value for key, value in run.environment.items() if value not in (None, {})}
    rows = tuple(flatten(known).items())
    return Section("Environment", table=(("What", "Value"), *rows) if rows else ())


def _provenance(version: Version, run: Run) -> Section:
    assert version.event
    record = version.record
    rows = [
        ("What", "Value"),
        ("version", version.title),
        ("plain number", str(version.number)),
        ("aliases", ", ".join(version.aliases) or "none"),
        ("registered", f"{when(version.event.time)} UTC by {record['by']}"),
        ("run", version.tag.run_id),
        ("code", record["commit"]),
        ("data", record["data_digest"]),
        ("parameters", record["params_digest"]),
        ("weights SHA-256", record["weights_sha256"]),
        ("ONNX SHA-256", record["files"][record["onnx"]]["sha256"]),
        ("took", seconds(sum(run.phases.values())) if run.phases else ""),
    ]
    return Section("Provenance", table=tuple(rows))


def _use(version: Version) -> Section:
    python = (
        "from runhive import Model\n\n"
        f'model = Model.load("{version.title}")  # or the model.onnx that was downloaded\n'
        'for answer in model.predict(["one.jpg", "two.jpg"]):\n'
        "    print(answer.label, answer.confidence)"
    )
    shell = f"runhive models download {version.title} model\nrunhive predict model/model.onnx images"
    return Section("How to use it", code=(python, shell))


def _said(version: Version) -> Section:
    lines = [version.notes] if version.notes else []
    lines += [f"Tags: {', '.join(version.tags)}"] if version.tags else []
    lines += [f"Deprecated: {version.deprecated or 'no reason given'}"] if version.deprecated is not None else []
    return Section("Notes", tuple(lines))
