"""Each rule of the gate at its edge: what is just let in, what is just refused, and the words for it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from runhive.gate.case import Answers, Case, ItemSet, Measured, paired
from runhive.gate.rules import judge
from runhive.gate.verdict import Verdict
from runhive.params import Gate, parse_params
from runhive.presets import presets

GATE = parse_params(presets()["digits"]).gate.model_copy(update={"max_ece": 1.0, "max_recall_drop": 1.0})
CLASSES = ("ants", "bees")


def asked(**changes: Any) -> Gate:
    return Gate.model_validate(GATE.model_dump() | changes)


def answers(labels: list[str], wrong: set[int], classes: tuple[str, ...] = CLASSES, sure: float = 0.75) -> Answers:
    """A model that is wrong on these items, and *sure* of each answer."""
    rows = np.full((len(labels), len(classes)), (1 - sure) / (len(classes) - 1))
    for row, label in enumerate(labels):
        right = classes.index(label) if label in classes else 0
        rows[row, (right + 1) % len(classes) if row in wrong else right] = sure
    return Answers(classes, rows)


def measured(labels: list[str], new: set[int], old: set[int] | None = None, **changes: Any) -> Measured:
    """The candidate wrong on the items *new*, the current model on *old*; without it there is no current one."""
    items = ItemSet("val", "d" * 64, tuple(f"{index}.jpg" for index in range(len(labels))), tuple(labels))
    current = None if old is None else answers(labels, old)
    found = Measured(items, answers(labels, new), current, selected=False, tried=1, digest_before=None)
    return replace(found, **changes)


def case(*sets: Measured, **changes: Any) -> Case:
    current = "m@v1.0.0" if any(one.current for one in sets) else None
    found = Case(
        candidate="m@v1.1.0", current=current, sets=sets, parity=0.0, why_no_parity="", onnx_bytes=1000,
        milliseconds=2.0, faults=(), machine={},
    )  # fmt: skip
    return replace(found, **changes)


def refused(verdict: Verdict) -> list[str]:
    return [finding.words for finding in verdict.findings if not finding.admitted]


ANTS = ["ants"] * 153


@pytest.mark.parametrize(("won", "lost", "admitted"), [(1, 6, True), (1, 8, False), (0, 4, True), (0, 5, False)])
def test_not_worse_refuses_from_the_first_count_whose_p_is_below_the_level(won: int, lost: int, admitted: bool) -> None:
    """By the binomial distribution p is 8/128, 10/512, 1/16 and 1/32."""
    new, old = set(range(lost)), set(range(100, 100 + won))
    verdict = judge(GATE, case(measured(ANTS, new, old)))

    assert verdict.admitted is admitted
    words = f"{lost} images lost, {won} won against m@v1.0.0 on 153 of val, p = "
    assert verdict.findings[0].words.startswith(words)
    assert verdict.findings[0].words.endswith(": not shown to be worse" if admitted else ": worse")


def test_the_sentence_of_the_issue_is_said_word_by_word() -> None:
    (first, *_) = judge(GATE, case(measured(ANTS, set(range(6)), {100}))).findings

    assert "6 images lost, 1 won" in first.words
    assert "p = 0.0625: not shown to be worse" in first.words


def test_not_worse_lets_in_at_the_level_itself() -> None:
    at_level = asked(compare={"name": "not_worse", "level": 0.0625})

    assert judge(at_level, case(measured(ANTS, set(range(6)), {100}))).admitted
    assert not judge(
        asked(compare={"name": "not_worse", "level": 0.063}), case(measured(ANTS, set(range(6)), {100}))
    ).admitted


@pytest.mark.parametrize(("margin", "admitted"), [(0.077, False), (0.078, True)])
def test_non_inferior_asks_the_lower_bound_of_tangos_interval(margin: float, admitted: bool) -> None:
    """Won 1 and lost 6 of 153: -0.0774 at 0.025, which test_statistics finds by search too."""
    gate = asked(compare={"name": "non_inferior", "level": 0.025, "margin": margin})
    verdict = judge(gate, case(measured(ANTS, set(range(6)), {100})))

    assert verdict.admitted is admitted
    assert ("shown to be no more than" if admitted else "it may be more than") in verdict.findings[0].words


def test_non_inferior_cannot_be_passed_by_an_equal_model_on_too_few_images() -> None:
    gate = asked(compare={"name": "non_inferior", "level": 0.05, "margin": 0.02})

    assert "it may be more than 2 points worse" in refused(judge(gate, case(measured(["ants"] * 20, set(), set()))))[0]
    assert judge(gate, case(measured(["ants"] * 2000, set(), set()))).admitted


def test_recall_may_fall_by_the_margin_and_by_no_image_more() -> None:
    labels = ["ants"] * 10 + ["bees"] * 10
    gate = asked(max_recall_drop=0.1, compare={"name": "not_worse", "level": 0.0001})

    assert judge(gate, case(measured(labels, {0}, set()))).admitted
    verdict = judge(gate, case(measured(labels, {0, 1}, set())))
    assert refused(verdict) == [
        "recall of ants falls from 10 to 8 of 10 against m@v1.0.0 on val, by 0.200: 0.1 at most"
    ]


def test_a_class_that_falls_is_refused_though_another_rises_as_much() -> None:
    labels = ["ants"] * 10 + ["bees"] * 10
    verdict = judge(asked(max_recall_drop=0.1), case(measured(labels, {0, 1, 2}, {10, 11, 12})))

    assert [line[:14] for line in refused(verdict)] == ["recall of ants"]


@pytest.mark.parametrize(("most", "admitted"), [(0.25, True), (0.249, False)])
def test_calibration_is_the_distance_of_confidence_from_accuracy(most: float, admitted: bool) -> None:
    """All right, and 0.75 sure of each: the error is a quarter."""
    verdict = judge(asked(max_ece=most), case(measured(ANTS, set())))

    assert verdict.admitted is admitted
    assert any(one.words.startswith("calibration error 0.250 on val") for one in verdict.findings)


@pytest.mark.parametrize(
    ("rule", "limits", "change", "admitted"),
    [
        ("parity", {"parity": 0.001}, {"parity": 0.001}, True),
        ("parity", {"parity": 0.001}, {"parity": 0.0011}, False),
        ("parity", {}, {"parity": None, "why_no_parity": "gone"}, False),
        ("size", {"max_onnx_bytes": 1000}, {}, True),
        ("size", {"max_onnx_bytes": 999}, {}, False),
        ("latency", {"max_milliseconds": 2.0}, {}, True),
        ("latency", {"max_milliseconds": 1.9}, {}, False),
        ("origin", {}, {"faults": ("its code is not what commit 1 has",)}, False),
    ],
)
def test_a_limit_lets_in_what_is_at_it_and_refuses_what_is_beyond(
    rule: str, limits: dict[str, Any], change: dict[str, Any], admitted: bool
) -> None:
    verdict = judge(asked(**limits), case(measured(ANTS, set()), **change))

    assert verdict.admitted is admitted
    assert [one.admitted for one in verdict.findings if one.rule == rule] == [admitted]
    assert all(one.admitted for one in verdict.findings if one.rule != rule)


def test_a_limit_of_null_is_not_asked() -> None:
    found = judge(asked(max_onnx_bytes=None, max_milliseconds=None), case(measured(ANTS, set())))

    assert not {"size", "latency"} & {one.rule for one in found.findings}


def test_a_set_that_chose_the_epoch_is_refused_or_said() -> None:
    chosen = case(measured(ANTS, set(), selected=True))
    told, said = judge(asked(selected="refuse"), chosen), judge(asked(selected="say"), chosen)

    assert refused(told) == ["its epoch was chosen on val, which gate.selected refuses"]
    assert said.admitted
    assert said.warnings == ("its epoch was chosen on val: its accuracy there is flattering",)


def test_the_best_of_many_is_warned_of_with_the_optimism_to_expect() -> None:
    """Of ten equally good models at 0.5 on 100 images: 1.54 standard errors of 5 points (Blom: 1.55)."""
    found = case(measured(["ants"] * 100, set(range(50)), tried=10))

    assert judge(GATE, found).warnings == (
        "10 models were scored on val: the best of so many equally good ones looks up to 7.7 points better than it is",
    )
    assert judge(GATE, case(measured(ANTS, set(), tried=1))).warnings == ()


def test_the_best_of_many_that_is_wrong_nowhere_is_not_said_to_be_as_good_as_it_looks() -> None:
    """Its standard error is zero: the formula would say 0.0 points."""
    assert judge(GATE, case(measured(ANTS, set(), tried=10))).warnings == (
        "10 models were scored on val: the best of so many equally good ones looks better than it is; "
        "by how much is not known, as no answer is wrong",
    )


def test_images_that_changed_since_the_last_promotion_are_warned_of() -> None:
    (warning,) = judge(GATE, case(measured(ANTS, set(), digest_before="e" * 64))).warnings

    assert "val holds other images than at the last promotion (then eeeeeeeeeeee)" in warning
    assert judge(GATE, case(measured(ANTS, set(), digest_before="d" * 64))).warnings == ()


def test_a_changed_class_list_is_compared_on_what_both_know_class_by_class() -> None:
    """The candidate knows wasps too: their images are left out, and an answer `wasps` elsewhere is a wrong one."""
    labels = ["ants"] * 4 + ["bees"] * 4 + ["wasps"] * 4
    items = ItemSet("val", "d" * 64, tuple(map(str, range(12))), tuple(labels))
    new, old = answers(labels, {0}, ("bees", "ants", "wasps")), answers(labels, {4, 5})
    pair = paired(items, new, old)

    assert new.predicted()[0] == "wasps"
    assert (pair.items, pair.left_out, pair.won, pair.lost) == (8, 4, ("4", "5"), ("0",))
    assert pair.recall == {"ants": (4, 4, 3), "bees": (4, 2, 4)}
    verdict = judge(GATE, case(Measured(items, new, old, False, 1, None)))
    assert "on 8 of val (4 of classes that not both know left out)" in verdict.findings[0].words


def test_models_that_share_no_class_cannot_be_compared_and_are_refused() -> None:
    items = ItemSet("val", "d" * 64, ("0", "1"), ("ants", "ants"))
    verdict = judge(
        GATE, case(Measured(items, answers(["ants"] * 2, set()), answers(["x"] * 2, set(), ("x", "y")), False, 1, None))
    )

    assert "no image of val has a class that both models know" in refused(verdict)
    alone = judge(GATE, case(Measured(items, answers(["x"] * 2, set(), ("x", "y")), None, False, 1, None)))
    assert refused(alone) == ["no image of val has a class that the model knows"]


def test_each_of_several_sets_decides_by_itself() -> None:
    other = measured(ANTS, set(range(9)), set())
    harder = replace(other, items=replace(other.items, name="night"))
    verdict = judge(GATE, case(measured(ANTS, set(), set()), harder))

    assert not verdict.admitted
    assert refused(verdict) == ["9 images lost, 0 won against m@v1.0.0 on 153 of night, p = 0.0020: worse"]
    assert [one["name"] for one in verdict.sets] == ["val", "night"]


def test_what_the_ledger_keeps_of_a_verdict_is_plain_data_with_its_reason_first() -> None:
    kept = judge(GATE, case(measured(ANTS, set(range(9)), set()))).kept()

    assert (kept["admitted"], kept["headline"]) == (
        False,
        refused(judge(GATE, case(measured(ANTS, set(range(9)), set()))))[0],
    )
    assert kept["sets"][0]["items_lost"] == [f"{index}.jpg" for index in range(9)]
    assert kept["asked"]["compare"] == {"name": "not_worse", "level": 0.05}
