"""Runs side by side: what differs, and which images each won and lost."""

from pathlib import Path

import pytest
from calling import FIRST, SECOND, THIRD, add_run, as_json, refusal, shown

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.marks import archive


def compared(folder: Path, *words: str) -> dict[str, str]:
    lines = shown(folder, "compare", *words).splitlines()
    start = lines[0].index("2026")
    return {line[:start].strip(): " ".join(line[start:].split()) for line in lines if line}


def test_the_last_two_completed_runs_are_compared_the_older_first(two_runs: Path) -> None:
    found = compared(two_runs)

    assert found[""] == f"{FIRST} {SECOND}"
    assert found["train.lr"] == "0.1 0.2"
    assert found["accuracy"] == "50.0 %* 75.0 %*"
    assert found["95 % interval"] == "25.0–87.5 % 25.0–87.5 %"
    assert found["images won / lost"] == "2 / 1"
    assert found["McNemar"] == "p = 1"
    assert found["model size"] == "2.5 MB 2.5 MB"
    assert found["train"] == "12 s 12 s"


def test_what_is_the_same_is_left_out(two_runs: Path) -> None:
    found = compared(two_runs)

    assert {"train.mode", "val.ece", "code", "machine"}.isdisjoint(found)


def test_named_runs_are_compared_in_the_order_given(two_runs: Path) -> None:
    found = compared(two_runs, SECOND, FIRST)

    assert (found[""], found["images won / lost"]) == (f"{SECOND} {FIRST}", "1 / 2")


def test_an_archived_run_is_not_one_of_the_last_two(ledger: Ledger, two_runs: Path) -> None:
    add_run(ledger, THIRD, 0.3, [True, True, True, True])
    archive(ledger, ledger.run(SECOND), True)

    assert compared(two_runs)[""] == f"{FIRST} {THIRD}"


def test_several_runs_are_each_put_against_the_first(ledger: Ledger, two_runs: Path) -> None:
    add_run(ledger, THIRD, 0.3, [True, True, True, True])
    said = shown(two_runs, "compare", FIRST, SECOND, THIRD)

    assert "2 / 1                   2 / 0" in said
    assert said.splitlines()[-1] == "p is of each pair alone: of 2 pairs, trust one below 0.025"


def test_on_a_narrow_terminal_runs_have_numbers_and_come_in_blocks(ledger: Ledger, two_runs: Path) -> None:
    ids = [FIRST, SECOND, *(f"20261123-1422{n:02d}-7f3a9c" for n in range(18))]
    for run_id in ids[2:]:
        add_run(ledger, run_id, 0.3, [True, True, True, True])
    said = shown(two_runs, "compare", *ids, FORCE_COLOR="1", TERM="xterm", COLUMNS="80", NO_COLOR="1")
    plain = said.replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[2m", "")

    assert plain.splitlines()[0] == f" 1  {FIRST}"
    assert max(map(len, plain.splitlines())) <= 80
    assert plain.count("train.lr") > 1


def test_json_has_what_differs_and_each_run_against_the_first(two_runs: Path) -> None:
    told = as_json(two_runs, "runs", "compare", FIRST, SECOND)

    assert told["runs"] == [FIRST, SECOND]
    assert told["params"] == {"train.lr": [0.1, 0.2]}
    assert told["metrics"] == {"val.accuracy": [0.5, 0.75]}
    (against,) = told["against_first"]
    assert (against["run"], against["won"], against["lost"], against["p"]) == (SECOND, 2, 1, 1.0)


def test_runs_on_other_images_are_not_compared(ledger: Ledger, two_runs: Path) -> None:
    add_run(ledger, THIRD, 0.1, [True], digest="others")

    assert f"{THIRD} is not comparable with {SECOND}: not comparable with" not in shown(two_runs, "compare")
    assert f"{THIRD} is not comparable with {SECOND}: scored on other images" in shown(two_runs, "compare")


def test_predictions_of_other_samples_than_the_digest_says_are_not_compared(ledger: Ledger, two_runs: Path) -> None:
    add_run(ledger, THIRD, 0.1, [True])

    assert "the predictions are of different samples" in shown(two_runs, "compare")


@pytest.mark.parametrize("number", [1, 21])
def test_comparing_takes_two_to_twenty_runs(number: int, two_runs: Path) -> None:
    assert refusal(two_runs, "compare", *[FIRST] * number).startswith(f"comparing takes 2 to 20 runs, got {number}")


def test_comparing_in_an_empty_ledger_is_one_line(repository: Path) -> None:
    assert refusal(repository, "compare").startswith("comparing takes 2 to 20 runs, got 0")
