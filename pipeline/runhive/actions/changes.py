"""The tables of an answer: metrics and parameters that changed, classes that moved, images that flipped, costs."""

from collections.abc import Iterator, Mapping
from typing import Any

from runhive.actions.compared import Flip
from runhive.actions.facts import Answer
from runhive.actions.markdown import code, folded, table
from runhive.report import numerals
from runhive.report.score import BOUNDS, finite_metrics, has_direction, is_better, is_share, shown, shown_change
from runhive.report.text import plain
from runhive.tracking.fields import PARAMS, seconds_between
from runhive.tracking.ledger.row import row_of
from runhive.tracking.ledger.run import Run

MOST_ROWS = 20
MOST_CLASSES = 8
SIDE = 120  # pixels of a flipped image
CLAIM = " \\*"


def metrics(answer: Answer) -> Iterator[str]:
    """Those that changed; what was not computed anew is marked."""
    before = finite_metrics(answer.base) | dict(answer.base_numbers) if answer.base else {}
    after = finite_metrics(answer.run) | dict(answer.numbers)
    rows = []
    for name in dict.fromkeys([*answer.numbers, *after, *before]):
        was, now = before.get(name), after.get(name)
        if name.endswith(BOUNDS) or was == now:
            continue
        change = _change(name, was, now) if was is not None and now is not None else ""
        mark = CLAIM if answer.numbers and now is not None and name not in answer.numbers else ""
        cells = [numerals.NOTHING if one is None else shown(name, one) for one in (was, now)]
        rows.append([f"{code(name)}{mark}", *cells, change])
    yield from table(["metric", "base", "this run", "change"], rows[:MOST_ROWS])
    if any(row[0].endswith(CLAIM) for row in rows[:MOST_ROWS]):
        yield from ("\\* the run's own word, which was not computed again.", "")
    yield from _left_out(rows, "metrics")


def _change(name: str, was: float, now: float) -> str:
    """The difference, and whether it is for the better where that is known of the metric."""
    change = shown_change(name, now - was) + (" points" if is_share(name) else "")
    if not has_direction(name):
        return change
    return f"{change}, {'better' if is_better(name, now, was) else 'worse'}"


def parameters(answer: Answer) -> Iterator[str]:
    """Those that differ from the base's."""
    if answer.base is None:
        return
    was, now = _flat(answer.base), _flat(answer.run)
    names = [name for name in dict.fromkeys([*now, *was]) if was.get(name) != now.get(name)]
    rows = [[code(name), *(_value(of, name) for of in (was, now))] for name in names]
    yield from table(["parameter", "base", "this run"], rows[:MOST_ROWS], numeric=False)
    yield from _left_out(rows, "parameters")
    if not rows:
        yield from ("The parameters are those of the base.", "")


def _flat(run: Run) -> dict[str, Any]:
    return {name.removeprefix(PARAMS): value for name, value in row_of(run).items() if name.startswith(PARAMS)}


def _value(params: dict[str, Any], name: str) -> str:
    return code(plain(params[name])) if name in params else numerals.NOTHING


def _left_out(rows: list[list[str]], what: str) -> Iterator[str]:
    if len(rows) > MOST_ROWS:
        yield from (f"{len(rows) - MOST_ROWS} more {what} changed: see the run's page.", "")


def classes(answer: Answer) -> Iterator[str]:
    """Those whose recall moved most."""
    moved = answer.compared.moved if answer.compared else ()
    rows = [
        [
            code(one.label), f"{one.images:,}", f"{one.before:,}", f"{one.after:,}",
            numerals.points((one.after - one.before) / one.images),
        ]
        for one in moved[:MOST_CLASSES]
    ]  # fmt: skip
    yield from table(["class that moved", "images", "right before", "right now", "recall, points"], rows)


def flips(answer: Answer) -> Iterator[str]:
    """Images that were won and lost, folded away."""
    if answer.compared is None:
        return
    rows = [
        [
            _image(one, answer.links.site),
            code(one.label),
            code(one.before),
            code(one.after),
            "won" if one.won else "lost",
        ]
        for one in answer.compared.flips
    ]
    total = answer.compared.won + answer.compared.lost
    some = f"{len(rows)} of the {total:,} images" if len(rows) < total else f"The {total:,} images"
    title = "The image whose answer changed" if total == 1 else f"{some} whose answers changed"
    yield from folded(title, table(["image", "is", "base said", "this run says", ""], rows, numeric=False))


def _image(flip: Flip, site: str | None) -> str:
    """The picture, where the site that holds it can be read by who reads this; its name otherwise."""
    if site is None:
        return code(flip.path)
    picture = f"{site}media/{flip.sha256[:2]}/{flip.sha256}.jpg"
    return f'<img src="{picture}" width="{SIDE}" alt=""><br>{code(flip.path, 60)}'


def costs(answer: Answer) -> Iterator[str]:
    """Time and GPU-hours against the base, and what the ONNX file costs in use."""
    numbers = answer.verdict.numbers if answer.verdict else {}
    known = finite_metrics(answer.base) | dict(answer.base_numbers) if answer.base else {}
    base = (_spent(answer.base) if answer.base else {}) | _in_use({"onnx_bytes": known.get("export.onnx_bytes")})
    now = _spent(answer.run) | _in_use(numbers)
    rows = [[name, base.get(name, numerals.NOTHING), now.get(name, numerals.NOTHING)] for name in {**now, **base}]
    yield from table(["cost", "base", "this run"], rows)
    if numbers.get("parity") is not None:
        parity = f"{numbers['parity']:.1e} of their spread" if numbers["parity"] else "nothing"
        yield from (f"The ONNX file's logits differ from those of the weights by {parity}.", "")


def _in_use(numbers: Mapping[str, Any]) -> dict[str, str]:
    found = {"ONNX file": numerals.size(numbers["onnx_bytes"])} if numbers.get("onnx_bytes") else {}
    if numbers.get("milliseconds"):
        found["one image, on the collector's CPU"] = f"{numbers['milliseconds']:.3g} ms"
    return found


def _spent(run: Run) -> dict[str, str]:
    took = {
        "time": seconds_between(run.started_at, run.ended_at),
        "waiting for a runner": run.phases.get("queued"),
        "training": run.phases.get("train"),
    }
    spent = {name: numerals.seconds(one) for name, one in took.items() if one is not None}
    hours = run.used.get("gpu_hours", 0.0)
    attempts = {"attempts": str(run.attempt)} if run.attempt > 1 else {}
    return spent | ({"GPU-hours": f"{hours:.2f}"} if hours else {}) | attempts
