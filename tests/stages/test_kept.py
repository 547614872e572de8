"""What a run keeps of what is measured and of what it is made from."""

import random
from pathlib import Path

import pytest
from many_runs import evaluation
from ruamel.yaml import YAML

from runhive.stages.inputs import kept_inputs
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


def test_parameters_and_the_lock_of_the_stages_asked_for_are_kept_without_their_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(f"data:\n  url: https://me:{token}@example.org/x.zip\n")
    stage = f"{{cmd: a, params: {{params.yaml: {{data: {{url: 'https://me:{token}@example.org/x.zip'}}}}}}}}"
    Path("dvc.lock").write_text(f"schema: '2.0'\nstages:\n  fetch: {stage}\n  train: {stage}\n")

    kept = kept_inputs(("train",))

    assert sorted(kept) == ["dvc.lock", "params.yaml"]
    assert not any(token.encode() in content for content in kept.values())
    assert b"fetch" in kept["dvc.lock"] and b"train" not in kept["dvc.lock"]


def test_a_lock_of_which_a_whole_value_is_a_secret_stays_one_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("data: {}\n")
    secret = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"
    Path("dvc.lock").write_text(f"schema: '2.0'\nstages:\n  fetch: {{cmd: a, params: {{a.yaml: {{k: {secret}}}}}}}\n")

    lock = YAML(typ="safe").load(kept_inputs(())["dvc.lock"])

    assert secret not in str(lock) and lock["stages"]["fetch"]["cmd"] == "a"
