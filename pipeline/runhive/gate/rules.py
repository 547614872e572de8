"""The rules of the gate: each looks at the evidence, and says in words what it found."""

from collections.abc import Iterator, Sequence

from runhive.gate.case import Case, Measured, Paired, paired
from runhive.gate.statistics import difference_bounds, expected_optimism, worse_p
from runhive.gate.verdict import Finding, Verdict
from runhive.metrics import wilson_interval
from runhive.params import Gate, NotWorse

MOST_NAMED = 100  # items kept by name in a verdict


def judge(gate: Gate, case: Case) -> Verdict:
    """Weigh *case* by the rules that *gate* sets."""
    findings: list[Finding] = []
    warnings: list[str] = []
    for measured in case.sets:
        findings += _of_set(gate, measured, case.current)
        warnings += _warnings(gate, measured)
    findings += [_parity(gate, case), *_costs(gate, case), *_origin(case)]
    return Verdict(
        candidate=case.candidate,
        current=case.current,
        findings=tuple(findings),
        warnings=tuple(warnings),
        sets=tuple(_kept(measured) for measured in case.sets),
        asked=gate.model_dump(mode="json"),
        numbers={
            "parity": case.parity, "onnx_bytes": case.onnx_bytes, "milliseconds": case.milliseconds, **case.machine,
        },
    )  # fmt: skip


def _of_set(gate: Gate, measured: Measured, current: str | None) -> Iterator[Finding]:
    name = measured.items.name
    if measured.selected and gate.selected == "refuse":
        yield Finding("selection", False, f"its epoch was chosen on {name}, which gate.selected refuses")
    if not measured.score()[1]:
        yield Finding("accuracy", False, f"no image of {name} has a class that the model knows")
        return
    if measured.current is None or current is None:
        yield Finding(
            "accuracy", True, f"{_accuracy(measured)}; no model had this alias, so there is none to compare with"
        )
    else:
        pair = paired(measured.items, measured.candidate, measured.current)
        if not pair.items:
            yield Finding("accuracy", False, f"no image of {name} has a class that both models know")
            return
        yield _compared(gate, measured, pair, current)
        yield from _recalls(gate, name, pair, current)
    ece = measured.ece()
    assert ece is not None
    yield Finding(
        "calibration", ece <= gate.max_ece, f"calibration error {ece:.3f} on {name}, {gate.max_ece:g} at most"
    )


def _compared(gate: Gate, measured: Measured, pair: Paired, current: str) -> Finding:
    won, lost = len(pair.won), len(pair.lost)
    counted = f"{_images(lost)} lost, {won:,} won against {current} on {pair.items:,} of {measured.items.name}"
    if pair.left_out:
        counted += f" ({pair.left_out:,} of classes that not both know left out)"
    if isinstance(gate.compare, NotWorse):
        p = worse_p(won, lost)
        fine = p >= gate.compare.level
        shown = f"p = {p:.4f}" if p >= 0.0001 else "p < 0.0001"
        return Finding("accuracy", fine, f"{counted}, {shown}: {'not shown to be worse' if fine else 'worse'}")
    low, high = difference_bounds(won, lost, pair.items, gate.compare.level)
    fine = low > -gate.compare.margin
    bounds = f"at least {100 * low:+.1f} and at most {100 * high:+.1f}"
    told = f"accuracy {100 * (won - lost) / pair.items:+.1f} points, {bounds}"
    margin = f"{100 * gate.compare.margin:g} points"
    words = f"shown to be no more than {margin} worse" if fine else f"it may be more than {margin} worse"
    return Finding("accuracy", fine, f"{counted}, {told}: {words}")


def _recalls(gate: Gate, name: str, pair: Paired, current: str) -> Iterator[Finding]:
    for label, (total, before, after) in pair.recall.items():
        drop = (before - after) / total if total else 0.0
        if drop > gate.max_recall_drop:
            words = f"recall of {label} falls from {before} to {after} of {total} against {current} on {name}"
            yield Finding("recall", False, f"{words}, by {drop:.3f}: {gate.max_recall_drop:g} at most")
    worst = max((b - a for _, b, a in pair.recall.values()), default=0)
    if worst <= 0:
        yield Finding("recall", True, f"no class of {name} is recognised less often")
    elif all((b - a) / t <= gate.max_recall_drop for t, b, a in pair.recall.values() if t):
        yield Finding("recall", True, f"no class's recall on {name} falls by more than {gate.max_recall_drop:g}")


def _parity(gate: Gate, case: Case) -> Finding:
    if case.parity is None:
        return Finding("parity", False, f"parity is not known: {case.why_no_parity}")
    fine = case.parity <= gate.parity
    words = f"the ONNX file's logits differ from those of evaluate by {case.parity:.1e} of their spread"
    return Finding("parity", fine, f"{words}, {gate.parity:g} at most")


def _costs(gate: Gate, case: Case) -> Iterator[Finding]:
    size, speed = f"{case.onnx_bytes:,} bytes", f"{case.milliseconds:.1f} ms an image"
    limits = [
        ("size", size, case.onnx_bytes, gate.max_onnx_bytes),
        ("latency", speed, case.milliseconds, gate.max_milliseconds),
    ]
    for rule, words, value, limit in limits:
        if limit is not None:
            yield Finding(rule, value <= limit, f"{words}, {limit:,} at most")


def _origin(case: Case) -> Iterator[Finding]:
    for fault in case.faults:
        yield Finding("origin", False, fault)
    if not case.faults:
        yield Finding("origin", True, "its code is committed and the digest of its data is known")


def _warnings(gate: Gate, measured: Measured) -> Iterator[str]:
    name = measured.items.name
    if measured.selected:
        yield f"its epoch was chosen on {name}: its accuracy there is flattering"
    right, total = measured.score()
    if measured.tried > 1 and total:
        best = f"{measured.tried} models were scored on {name}: the best of so many equally good ones looks"
        if right == total:
            yield f"{best} better than it is; by how much is not known, as no answer is wrong"
        else:
            optimism = expected_optimism(right / total, total, measured.tried)
            yield f"{best} up to {100 * optimism:.1f} points better than it is"
    if measured.digest_before is not None and measured.digest_before != measured.items.digest:
        yield (
            f"{name} holds other images than at the last promotion (then {measured.digest_before[:12]}): "
            "freeze it in gate.evaluation_sets"
        )


def _accuracy(measured: Measured) -> str:
    right, total = measured.score()
    low, high = wilson_interval(right, total)
    return (
        f"{right:,} of {total:,} right on {measured.items.name}, accuracy {right / total:.4f} ({low:.4f} to {high:.4f})"
    )


def _kept(measured: Measured) -> dict[str, object]:
    right, total = measured.score()
    found: dict[str, object] = {
        "name": measured.items.name, "digest": measured.items.digest, "items": len(measured.items.items),
        "right": right, "of": total, "ece": measured.ece(), "selected": measured.selected, "tried": measured.tried,
    }  # fmt: skip
    if measured.current is not None:
        pair = paired(measured.items, measured.candidate, measured.current)
        found |= {
            "won": len(pair.won), "lost": len(pair.lost), "left_out": pair.left_out,
            "items_won": _named(pair.won), "items_lost": _named(pair.lost),
            "recall": {label: list(counts) for label, counts in pair.recall.items()},
        }  # fmt: skip
    return found


def _named(items: Sequence[str]) -> list[str]:
    return list(items[:MOST_NAMED])


def _images(count: int) -> str:
    return f"{count:,} image" + ("" if count == 1 else "s")
