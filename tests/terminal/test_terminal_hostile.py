"""Runs on a terminal: what a person reads, and that no run can steer their terminal."""

import hashlib
import os
import re
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from runhive.cli import commands
from runhive.formats.predictions import Predictions, to_csv
from runhive.tracking.ledger import Ledger, open_ledger
from runhive.tracking.run import Event

ROOT = Path(__file__).parent.parent
FIRST, SECOND, THIRD = (f"2026112{day}-142233-7f3a9c" for day in (1, 2, 3))
HOSTILE = "\x1b]0;owned\x07\x1b[31m\x1b[2J[bold red]b[/bold red]\\[x] :bee: \r\x08\u202e\x9b1m\ntwo lines [link=http://x]y[/link]"
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


@pytest.fixture
def ledger(repository: Path) -> Ledger:
    return open_ledger(repository)


def shown(folder: Path, *words: str, **environment: str) -> str:
    """What the command prints, in this process, which saves a second."""
    with chdir(folder):
        done = CliRunner().invoke(commands, words, env=environment, catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def refusal(folder: Path, *words: str) -> str:
    """The one line with which the command, a process of its own, fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    done = subprocess.run(
        [sys.executable, ROOT / "pipeline", *words], cwd=folder, capture_output=True, text=True, check=False,
        env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    return done.stderr.removeprefix("runhive: ").rstrip("\n")


def answers(right: list[bool]) -> bytes:
    chosen = np.eye(2)[[0 if one else 1 for one in right]]
    digests = [hashlib.sha256(bytes([i])).hexdigest() for i in range(len(right))]
    return to_csv(
        Predictions(["ant", "bee"], [f"{i}.png" for i in range(len(right))], digests, np.zeros(len(right), int), chosen)
    )


def add_run(ledger: Ledger, run_id: str, lr: float, right: list[bool], digest: str = "d", **started: Any) -> None:
    """A completed run that answered as *right* says."""
    evaluation = {
        "accuracy": sum(right) / len(right), "accuracy_low": 0.25, "accuracy_high": 0.875,
        "selected_on_these_images": True, "evaluation_set": {"digest": digest},
    }  # fmt: skip
    exported = {"export.onnx_bytes": 2.5e6, "export.relative_difference": 3e-7}
    time = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T14:22:33.000+00:00"
    described = {
        "experiment": "ants", "code": {"commit": "0123456789abcdef", "dirty": True},
        "params": {"model": {"arch": "resnet18"}, "train": {"mode": "frozen", "lr": lr}},
        "environment": {"python": "3.11"},
    }  # fmt: skip
    ledger.append(
        run_id,
        [
            Event("started", described | started, time=time),
            Event("trained", {}, seconds=12.34),
            Event("evaluated", {"metrics": {"val.accuracy": 0.5}, "evaluation": evaluation}),
            Event("exported", {"metrics": exported, "parity": {"onnx_bytes": 2_500_000}}),
            Event("finished", {"state": "completed", "attempt": 1}),
        ],
        {"predictions.csv": answers(right)},
    )


@pytest.fixture
def two_runs(ledger: Ledger, repository: Path) -> Path:
    add_run(ledger, FIRST, 0.1, [False, False, True, True])
    add_run(ledger, SECOND, 0.2, [True, True, True, False])
    return repository


def test_the_list_has_one_row_a_run_the_newest_first(two_runs: Path) -> None:
    lines = shown(two_runs, "runs", "list").splitlines()

    assert lines[0].split() == ["run", "state", "experiment", "arch", "mode", "accuracy", "commit"]
    assert [line.split()[0] for line in lines[1:]] == [SECOND, FIRST]
    assert " ".join(lines[1].split()[1:]) == (
        "completed ants resnet18 frozen 0.7500 [0.2500, 0.8750], selected on these images 01234567+"
    )


def test_one_run_is_shown_with_its_numbers_parameters_and_surroundings(two_runs: Path) -> None:
    rows = dict(line.split(maxsplit=1) for line in shown(two_runs, "runs", "show", SECOND).splitlines())

    assert rows["state"].strip() == "completed"
    assert rows["params.train.lr"].strip() == "0.2"
    assert rows["environment.python"].strip() == "3.11"
    assert rows["val.accuracy"].strip() == "0.5"


def test_the_start_of_an_id_is_enough(two_runs: Path) -> None:
    assert shown(two_runs, "runs", "show", FIRST[:8]) == shown(two_runs, "runs", "show", FIRST)


def test_comparing_names_the_changed_parameters_and_the_images_won_and_lost(two_runs: Path) -> None:
    said = shown(two_runs, "compare")
    rows = {line[:24].strip(): " ".join(line[24:].split()) for line in said.splitlines()}

    assert said.splitlines()[0].split() == [FIRST, SECOND]
    assert rows["changed"] == "train.lr=0.1 train.lr=0.2"
    assert rows["images won / lost"] == "2 / 1, p = 1 (McNemar)"
    assert rows["model size"] == "2.5 MB 2.5 MB"
    assert rows["train, seconds"] == "12.3 12.3"


def test_named_runs_are_compared_in_the_order_given(two_runs: Path) -> None:
    said = shown(two_runs, "compare", SECOND, FIRST)

    assert said.splitlines()[0].split() == [SECOND, FIRST]
    assert "1 / 2, p = 1 (McNemar)" in said


def test_runs_on_other_images_are_not_compared(ledger: Ledger, two_runs: Path) -> None:
    add_run(ledger, THIRD, 0.1, [True], digest="others")

    assert "not comparable: scored on other images" in shown(two_runs, "compare")


def test_predictions_of_other_samples_than_the_digest_says_are_not_compared(ledger: Ledger, two_runs: Path) -> None:
    add_run(ledger, THIRD, 0.1, [True])

    assert "not comparable: the predictions are of different samples" in shown(two_runs, "compare")


@pytest.fixture
def hostile(ledger: Ledger, repository: Path) -> Path:
    for run_id in (FIRST, SECOND):
        add_run(
            ledger, run_id, 0.1, [True], experiment=HOSTILE,
            params={HOSTILE: HOSTILE + run_id, "model": {"arch": HOSTILE}, "train": HOSTILE},
            code={"commit": HOSTILE, "dirty": False}, environment={HOSTILE: [HOSTILE]},
        )  # fmt: skip
        told = {"comparable": False, "reason": HOSTILE, "baseline": HOSTILE}
        ledger.append(run_id, [Event("compared", told), Event("finished", {"state": "completed", "cause": HOSTILE})])
        ledger.append(run_id, [Event("evaluated", {"metrics": {HOSTILE: 1.0, "state": 2.0}, "evaluation": {}})])
    return repository


COMMANDS = [["runs", "list"], ["runs", "show", FIRST], ["compare"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_a_run_carries_cannot_steer_the_terminal(command: list[str], hostile: Path) -> None:
    assert STEERING.findall(shown(hostile, *command)) == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_on_a_terminal_the_only_escapes_are_our_own(command: list[str], hostile: Path) -> None:
    said = shown(hostile, *command, FORCE_COLOR="1", TERM="xterm", COLUMNS="4000")
    ours = re.sub(r"\x1b\[[013]m", "", said)

    assert STEERING.findall(ours) == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_markup_and_emoji_codes_of_a_run_are_printed_as_they_are(command: list[str], hostile: Path) -> None:
    said = shown(hostile, *command)

    assert r"[bold red]b[/bold red]\[x] :bee: " in said
    assert "[link=http://x]y[/link]" in said


def test_a_metric_cannot_take_the_place_of_what_we_say_of_the_run(hostile: Path) -> None:
    rows = [line.split() for line in shown(hostile, "runs", "show", FIRST).splitlines()]

    assert ["state", "completed"] in rows


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "evaluation", [{"accuracy": "high"}, {"accuracy": 1}, {"evaluation_set": {}}, {"accuracy": None, "x": [1]}]
)
def test_an_evaluation_of_another_kind_takes_no_other_run_down(
    command: list[str], evaluation: dict[str, Any], ledger: Ledger, two_runs: Path
) -> None:
    ledger.append(FIRST, [Event("evaluated", {"metrics": {}, "evaluation": evaluation})])

    assert shown(two_runs, *command)


def test_an_empty_ledger_is_one_line_that_says_how_to_begin(repository: Path) -> None:
    assert refusal(repository, "runs", "list") == "the ledger holds no run yet: start one with `dvc repro`"


def test_comparing_in_an_empty_ledger_is_one_line(repository: Path) -> None:
    assert refusal(repository, "compare").startswith("comparing takes two runs, got 0")


def test_an_unknown_run_is_one_line_with_the_nearest(two_runs: Path) -> None:
    said = refusal(two_runs, "runs", "show", FIRST[:-1] + "d")

    assert said.startswith(f"no run '{FIRST[:-1]}d' in the ledger (near: {FIRST}")


def test_the_start_of_several_ids_is_one_line_that_asks_for_more(two_runs: Path) -> None:
    assert "begins 2 run ids" in refusal(two_runs, "runs", "show", "2026")


def test_a_run_that_is_no_id_cannot_steer_the_terminal_from_the_command_line(two_runs: Path) -> None:
    assert STEERING.findall(refusal(two_runs, "runs", "show", "\x1b[31mx")) == []


@pytest.mark.parametrize("number", [1, 3])
def test_comparing_takes_two_runs(number: int, two_runs: Path) -> None:
    assert refusal(two_runs, "compare", *[FIRST] * number).startswith(f"comparing takes two runs, got {number}")


def test_outside_a_repository_it_is_one_line(tmp_path: Path) -> None:
    assert "is not in a Git repository: run `git init`" in refusal(tmp_path, "runs", "list")
