"""Which samples a run won and lost, and against which run."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runhive.formats.predictions import Predictions, to_csv
from runhive.metrics import mcnemar_p
from runhive.tracking.comparison import (
    Comparison,
    changed_samples,
    compare,
    find_baseline,
    kept_predictions,
)
from runhive.tracking.ledger import index
from runhive.tracking.ledger import ledger as ledger_module
from runhive.tracking.ledger.folders import read_run
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run, run_folder

Git = Callable[..., str]

DIGEST = hashlib.sha256(b"the evaluation set").hexdigest()


def digest(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def answers(
    right: Sequence[bool], contents: Sequence[object] | None = None, labels: Sequence[int] | None = None
) -> Predictions:
    """Sample i has the content `contents[i]`, and is answered right or not."""
    contents = range(len(right)) if contents is None else contents
    truth = np.array([0] * len(right) if labels is None else labels, dtype=np.int64)
    chosen = np.where(right, truth, 1 - truth)
    return Predictions(
        ["ant", "bee"], [f"val/{i}.png" for i in range(len(right))], [digest(content) for content in contents],
        truth, np.eye(2)[chosen],
    )  # fmt: skip


def shuffled(predictions: Predictions, order: list[int]) -> Predictions:
    """The same samples in another order under other names."""
    return Predictions(
        predictions.classes, [f"renamed/{i}" for i in order], [predictions.sha256[i] for i in order],
        predictions.labels[order], predictions.logits[order],
    )  # fmt: skip


def add_run(
    ledger: Ledger, number: int, experiment: str = "ants", state: str = "completed", record: str = "",
    predictions: Predictions | None = None, evaluated: str = DIGEST,
) -> Run:  # fmt: skip
    """The run that began at second *number*."""
    run_id = f"20261123-1422{number:02d}-7f3a9c"
    events = [
        Event("started", {"experiment": experiment}, time=f"2026-11-23T14:22:{number:02d}.000+00:00"),
        Event("trained", {"record_md5": record}),
        Event("evaluated", {"metrics": {}, "evaluation": {"evaluation_set": {"digest": evaluated}}}),
        *([Event("finished", {"state": state})] if state != "running" else []),
    ]
    ledger.append(run_id, events, {"predictions.csv": to_csv(predictions)} if predictions else {})
    return ledger.run(run_id)


def commit_lock(repository: Path, git: Git, record: str) -> str:
    lock = "schema: '2.0'\nstages:\n  train:\n    cmd: x\n    outs:\n    - path: models/model.json\n      md5: other\n"
    (repository / "dvc.lock").write_text(f"{lock}    - path: models/train.json\n      md5: {record}\n")
    git(repository, "add", "dvc.lock")
    git(repository, "commit", "--quiet", "--message=run")
    return git(repository, "rev-parse", "HEAD")


def test_a_sample_is_won_where_it_was_wrong_and_is_right_and_lost_the_other_way() -> None:
    before, after = answers([False, False, True, True]), answers([False, True, False, True])

    assert changed_samples(before, after) == ([1], [2])


def test_samples_are_told_apart_by_content_and_not_by_path_or_place() -> None:
    before, after = answers([False, False, True, True]), answers([False, True, False, True])

    assert changed_samples(shuffled(before, [3, 1, 0, 2]), after) == ([1], [2])
    assert changed_samples(before, shuffled(after, [2, 3, 1, 0])) == ([2], [0])


def test_the_same_answers_win_and_lose_nothing() -> None:
    assert changed_samples(answers([True, False]), answers([True, False])) == ([], [])


def test_duplicates_are_paired_one_to_one() -> None:
    twins = ["same", "same", "other"]

    assert changed_samples(answers([False, False, True], twins), answers([True, True, True], twins)) == ([0, 1], [])


def test_the_same_content_under_two_labels_is_two_samples() -> None:
    before = answers([False, True], ["same", "same"], [0, 1])
    after = answers([True, True], ["same", "same"], [1, 0])

    assert changed_samples(before, after) == ([1], [])


def test_the_order_of_the_classes_does_not_matter() -> None:
    before, after = answers([False, True]), answers([True, True])
    turned = replace(after, classes=["bee", "ant"], labels=1 - after.labels, logits=after.logits[:, ::-1])

    assert changed_samples(before, turned) == ([0], [])


@pytest.mark.parametrize(
    "other",
    [answers([True]), answers([True] * 3), answers([True, True], [0, 0]), answers([True] * 2, labels=[0, 1])],
    ids=["fewer", "more", "a duplicate", "another label"],
)
def test_other_samples_cannot_be_compared(other: Predictions) -> None:
    with pytest.raises(ValueError, match="different samples"):
        changed_samples(answers([True, True]), other)


def test_the_first_run_of_an_experiment_has_no_baseline(ledger: Ledger, repository: Path) -> None:
    run = add_run(ledger, 1)

    assert find_baseline(ledger, run, repository) == (None, "no earlier completed run in experiment ants")


def test_without_results_at_the_base_commit_the_run_before_in_the_experiment_is_the_baseline(
    ledger: Ledger, repository: Path
) -> None:
    add_run(ledger, 1)
    expected = add_run(ledger, 2)
    add_run(ledger, 3, experiment="bees")
    run = add_run(ledger, 5)
    add_run(ledger, 6)

    assert find_baseline(ledger, run, repository) == (expected, "the run before it in this experiment")


def test_of_all_runs_the_baseline_alone_is_read(
    ledger: Ledger, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [add_run(ledger, number) for number in range(4)]
    ledger.rows()
    read: list[str] = []
    for module in (ledger_module, index):
        monkeypatch.setattr(module, "read_run", lambda path, folder: (read.append(path), read_run(path, folder))[1])

    assert find_baseline(ledger, runs[3], repository)[0] == runs[2]
    assert read == [run_folder(runs[2].run_id)]


@pytest.mark.parametrize("state", ["running", "failed", "canceled", "lost"])
def test_a_run_that_did_not_complete_is_no_baseline(state: str, ledger: Ledger, repository: Path) -> None:
    expected = add_run(ledger, 1)
    add_run(ledger, 2, state=state, record="r2")
    run = add_run(ledger, 3)

    assert find_baseline(ledger, run, repository)[0] == expected


def test_the_run_whose_results_the_base_commit_holds_comes_first_whatever_its_experiment(
    ledger: Ledger, repository: Path, git: Git
) -> None:
    expected = add_run(ledger, 1, experiment="bees", record="r1")
    add_run(ledger, 2, record="r2")
    commit = commit_lock(repository, git, "r1")
    run = add_run(ledger, 3, record="r3")

    assert find_baseline(ledger, run, repository) == (expected, f"the run of the base commit {commit[:8]}")


def test_on_a_branch_the_base_commit_is_where_it_left_main(ledger: Ledger, repository: Path, git: Git) -> None:
    expected = add_run(ledger, 1, record="r1")
    add_run(ledger, 2, record="r2")
    commit_lock(repository, git, "r1")
    git(repository, "checkout", "--quiet", "-b", "idea")
    commit_lock(repository, git, "r2")
    run = add_run(ledger, 3, record="r3")

    assert find_baseline(ledger, run, repository)[0] == expected


def test_a_lock_of_a_run_that_the_ledger_lacks_falls_back_to_the_run_before(
    ledger: Ledger, repository: Path, git: Git
) -> None:
    expected = add_run(ledger, 1, record="r1")
    commit_lock(repository, git, "elsewhere")
    run = add_run(ledger, 2, record="r2")

    assert find_baseline(ledger, run, repository)[0] == expected


@pytest.mark.parametrize("lock", ["", "stages: {}\n", "schema: '2.0'\nstages:\n  fetch: {cmd: x}\n"])
def test_a_lock_without_a_trained_model_names_no_run(lock: str, ledger: Ledger, repository: Path, git: Git) -> None:
    (repository / "dvc.lock").write_text(lock or "schema: '2.0'\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "--message=lock")
    expected = add_run(ledger, 1, record="")
    run = add_run(ledger, 2)

    assert find_baseline(ledger, run, repository) == (expected, "the run before it in this experiment")


def test_a_comparison_counts_and_tests_what_changed(ledger: Ledger) -> None:
    baseline = add_run(ledger, 1, predictions=answers([False] * 6 + [True] * 4))
    found = compare(ledger, answers([True] * 6 + [False] + [True] * 3), DIGEST, baseline, "the run before")

    assert found == Comparison(baseline.run_id, "the run before", True, 6, 1, mcnemar_p(6, 1))
    assert found.p == 0.125


def test_predictions_come_out_of_the_ledger_as_they_went_in(ledger: Ledger) -> None:
    kept = kept_predictions(ledger, add_run(ledger, 1, predictions=answers([True, False])))

    assert kept is not None
    assert to_csv(kept) == to_csv(answers([True, False]))


def test_scores_on_other_images_are_not_comparable(ledger: Ledger) -> None:
    baseline = add_run(ledger, 1, predictions=answers([True]), evaluated=digest("others"))
    found = compare(ledger, answers([True]), DIGEST, baseline, "the run before")

    assert found == Comparison(baseline.run_id, "not comparable with the run before: it was scored on other images")
    assert found.comparable is False


def test_without_the_baselines_predictions_it_is_not_comparable(ledger: Ledger) -> None:
    baseline = add_run(ledger, 1)
    found = compare(ledger, answers([True]), DIGEST, baseline, "the run before")

    assert (found.comparable, found.reason) == (
        False, "not comparable with the run before: the ledger lacks its predictions",
    )  # fmt: skip


def test_without_a_baseline_the_reason_is_passed_on(ledger: Ledger) -> None:
    assert compare(ledger, answers([True]), DIGEST, None, "no earlier run") == Comparison(None, "no earlier run")
