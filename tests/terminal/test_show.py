"""The page of one run on the terminal, and as JSON."""

import re
from pathlib import Path

from calling import FIRST, SECOND, as_json, refusal, shown

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event


def section(said: str, title: str) -> dict[str, str]:
    """The rows below a heading, first cell to the rest."""
    body = re.search(rf"^{re.escape(title)}.*\n((?:  .*\n)+)", said, re.MULTILINE)
    assert body, said
    cells = [re.split(r"  +", line.strip(), maxsplit=1) for line in body[1].splitlines()]
    return {first: " ".join(rest) for first, *rest in cells}


def test_the_verdict_comes_first(ledger: Ledger, two_runs: Path) -> None:
    compared = {"baseline": FIRST, "reason": "the run before it", "comparable": True, "won": 2, "lost": 1, "p": 1.0}
    ledger.append(SECOND, [Event("compared", compared)])

    assert shown(two_runs, "runs", "show", SECOND).splitlines()[:3] == [
        SECOND,
        "No clear difference to its baseline",
        f"2 images won, 1 lost, McNemar p = 1, against {FIRST} (the run before it)",
    ]


def test_a_run_that_failed_says_so_first(ledger: Ledger, two_runs: Path) -> None:
    ledger.append(SECOND, [Event("finished", {"state": "failed", "cause": "no disk left"})])

    assert shown(two_runs, "runs", "show", SECOND).splitlines()[1] == "Failed: no disk left"


def test_numbers_are_rounded_have_their_interval_and_a_gloss(two_runs: Path) -> None:
    said = shown(two_runs, "runs", "show", SECOND)

    metrics = section(said, "Metrics on val, 4 images, selected on these images")
    assert metrics["val.accuracy"].split("  ")[0] == "75.0 %"
    assert metrics["val.accuracy"].endswith("25.0 % to 87.5 %")
    assert metrics["val.ece"] == "0.01235"
    assert "val.accuracy_low" not in metrics
    assert section(said, "What they mean")["ece"].startswith("how far confidence is from accuracy")


def test_parameters_code_machine_files_and_events_are_there(two_runs: Path) -> None:
    said = shown(two_runs, "runs", "show", SECOND)

    assert section(said, "Parameters")["train"] == "lr 0.2, mode frozen"
    assert section(said, "Code")["commit"] == "01234567"
    assert section(said, "Machine")["python"] == "3.11"
    assert section(said, "Files")["predictions.csv"].endswith("ledger")
    assert section(said, "Time")["train"] == "12 s"
    assert re.search(r"  2026-11-22 14:25:33  finished   completed$", said, re.MULTILINE)


def test_who_started_a_run_and_its_digests_are_there(ledger: Ledger, two_runs: Path) -> None:
    run_id = "20261123-142233-7f3a9c"
    launcher = {"command": "dvc repro", "url": "https://git.example/runs/17"}
    started = {"experiment": "x", "launcher": launcher, "nodes": 2, "input_digest": "ab" * 32}
    ended = {"state": "completed", "attempt": 1, "outcome_digest": "cd" * 32}
    ledger.append(run_id, [Event("started", started), Event("finished", ended)])
    said = shown(two_runs, "runs", "show", run_id)

    about = section(said, "Run")
    assert (about["launcher"], about["nodes"]) == ("dvc repro https://git.example/runs/17", "2")
    assert section(said, "Digests") == {"inputs": "ab" * 6, "outcome": "cd" * 6}


def test_a_comparison_with_the_baseline_shows_the_change(ledger: Ledger, two_runs: Path) -> None:
    compared = {"baseline": FIRST, "reason": "the run before it", "comparable": True, "won": 2, "lost": 1, "p": 1.0}
    ledger.append(SECOND, [Event("compared", compared)])

    assert section(shown(two_runs, "runs", "show", SECOND), "Metrics on val")["val.accuracy"].split()[:3] == [
        "75.0", "%", "(+25.0)"
    ]  # fmt: skip


def test_the_page_fits_a_terminal_of_80_columns(two_runs: Path) -> None:
    said = shown(two_runs, "runs", "show", SECOND, FORCE_COLOR="1", TERM="xterm", COLUMNS="80")

    assert max(len(re.sub(r"\x1b\[\d*m", "", line)) for line in said.splitlines()) <= 80


def test_json_has_all_parts_of_the_record(two_runs: Path) -> None:
    told = as_json(two_runs, "runs", "show", SECOND)

    assert told["run_id"] == SECOND
    assert told["metrics.val.ece"] == 0.0123456
    assert told["evaluation"]["evaluation_set"]["images"] == 4
    assert told["phases"] == {"train": 12.34}
    assert told["files"][0]["path"] == "predictions.csv"
    assert [event["type"] for event in told["events"]] == ["started", "trained", "evaluated", "exported", "finished"]


def test_the_start_of_an_id_is_enough(two_runs: Path) -> None:
    assert shown(two_runs, "runs", "show", FIRST[:8]) == shown(two_runs, "runs", "show", FIRST)


def test_files_are_listed_with_their_place(two_runs: Path) -> None:
    (only,) = as_json(two_runs, "runs", "files", FIRST)

    assert (only["path"], only["in"]) == ("predictions.csv", "ledger")


def test_an_unknown_run_is_one_line_with_the_nearest(two_runs: Path) -> None:
    said = refusal(two_runs, "runs", "show", FIRST[:-1] + "d")

    assert said.startswith(f"no run '{FIRST[:-1]}d' in the ledger (near: {FIRST}")


def test_the_start_of_several_ids_is_one_line_that_asks_for_more(two_runs: Path) -> None:
    assert "begins 2 run ids" in refusal(two_runs, "runs", "show", "2026")


def test_a_run_without_a_log_is_one_line(two_runs: Path) -> None:
    assert refusal(two_runs, "runs", "log", FIRST).startswith(f"run {FIRST} has no log")


def test_a_running_run_of_another_machine_is_not_followed(ledger: Ledger, repository: Path) -> None:
    ledger.append(FIRST, [Event("started", {"environment": {"host": "elsewhere"}})])

    assert "does not live on this machine (its host is elsewhere)" in refusal(repository, "runs", "log", "-f", FIRST)
