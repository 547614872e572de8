"""Which digits of what is measured a run keeps."""

import random

from many_runs import evaluation

from runhive.stages.record import SCORES, kept_evaluation, rounded


def test_headline_numbers_are_kept_whole_and_those_of_each_class_to_six_digits() -> None:
    measured = evaluation(random.Random(0))
    third = measured.per_class[0].model_copy(update={"precision": 1 / 3, "recall": 2 / 3e6, "roc_auc": None})
    kept = kept_evaluation(measured.model_copy(update={"accuracy": 1 / 3, "per_class": [third]}))

    assert kept["accuracy"] == 1 / 3
    assert all(kept[name] == getattr(measured, name) for name in SCORES if name != "accuracy")
    assert kept["per_class"][0]["precision"] == 0.333333
    assert kept["per_class"][0]["recall"] == 6.66667e-07
    assert kept["per_class"][0]["roc_auc"] is None
    assert kept["confusion"] == measured.confusion


def test_only_floats_are_rounded() -> None:
    told = {"bytes": 44_722_886, "is": True, "none": None, "text": "1.23456789", "list": [1.23456789, {"a": 5e-324}]}

    assert rounded(told) == {**told, "list": [1.23457, {"a": 5e-324}]}
