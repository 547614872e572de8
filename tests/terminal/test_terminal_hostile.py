"""No run can steer the terminal that it is printed on, and none of an odd kind takes the others down."""

import re
from pathlib import Path
from typing import Any

import pytest
from calling import FIRST, SECOND, STEERING, add_run, refused_process, shown

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event

HOSTILE = (
    "\x1b]0;owned\x07\x1b[31m\x1b[2J[bold red]b[/bold red]\\[x] :bee: \r\x08\u202e\x9b1m\n"
    "two lines [link=http://x]y[/link]"
)


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
        marks = [
            Event("noted", {"text": HOSTILE}),
            Event("named", {"name": HOSTILE}),
            Event("tagged", {"add": [HOSTILE]}),
        ]
        file = {"bytes": 1, "md5": "0" * 32, "sha256": "0" * 64}
        filed = Event("filed", {"files": {HOSTILE: file, "../out": file, ".git/hooks/post-checkout": file}})
        ledger.append(run_id, [*marks, filed], {"log.txt": HOSTILE.encode()})
    return repository


PAGES = [["runs", "list"], ["runs", "show", FIRST], ["compare"]]
COMMANDS = [
    *PAGES, ["runs", "list", "--columns=run,cause,tag,name"], ["runs", "list", "--csv"], ["runs", "list", "--json"],
    ["runs", "show", FIRST, "--json"], ["runs", "files", FIRST], ["runs", "log", FIRST], ["runs", "note", FIRST],
    ["runs", "tag", FIRST],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_a_run_carries_cannot_steer_the_terminal(command: list[str], hostile: Path) -> None:
    assert STEERING.findall(shown(hostile, *command)) == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_on_a_terminal_the_only_escapes_are_our_own(command: list[str], hostile: Path) -> None:
    said = shown(hostile, *command, FORCE_COLOR="1", TERM="xterm", COLUMNS="4000")
    ours = re.sub(r"\x1b\[[013]m", "", said)

    assert STEERING.findall(ours) == []


@pytest.mark.parametrize("command", PAGES, ids=" ".join)
def test_markup_and_emoji_codes_of_a_run_are_printed_as_they_are(command: list[str], hostile: Path) -> None:
    said = shown(hostile, *command)

    assert r"[bold red]b[/bold red]\[x] :bee: " in said
    assert "[link=http://x]y[/link]" in said


def test_a_metric_cannot_take_the_place_of_what_we_say_of_the_run(hostile: Path) -> None:
    rows = [line.split() for line in shown(hostile, "runs", "show", FIRST).splitlines()]

    assert ["state", "completed"] in rows


@pytest.mark.parametrize("command", PAGES, ids=" ".join)
@pytest.mark.parametrize(
    "evaluation", [{"accuracy": "high"}, {"accuracy": 1}, {"evaluation_set": {}}, {"accuracy": None, "x": [1]}]
)
def test_an_evaluation_of_another_kind_takes_no_other_run_down(
    command: list[str], evaluation: dict[str, Any], ledger: Ledger, two_runs: Path
) -> None:
    ledger.append(FIRST, [Event("evaluated", {"metrics": {}, "evaluation": evaluation})])

    assert shown(two_runs, *command)


def test_a_run_that_is_no_id_cannot_steer_the_terminal_from_the_command_line(two_runs: Path) -> None:
    assert STEERING.findall(refused_process(two_runs, "runs", "show", "\x1b[31mx")) == []
