"""The list of runs: which, in what order, in which columns, for people and for programs."""

import csv
import io
from pathlib import Path

import pytest
from calling import FIRST, SECOND, THIRD, add_run, as_json, refusal, refused_process, rows, shown

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.row import COLUMNS
from runhive.tracking.ledger.run import Event
from runhive.tracking.marks import archive, name, tag


@pytest.fixture
def three_runs(ledger: Ledger, two_runs: Path) -> Path:
    """The two, the second tagged, and a failed one."""
    tag(ledger, ledger.run(SECOND), ["best"], [])
    ledger.append(THIRD, [Event("started", {"experiment": "bees"}), Event("finished", {"state": "failed"})])
    return two_runs


def listed(folder: Path, *words: str) -> list[str]:
    return [cells[0] for cells in rows(shown(folder, "runs", "list", *words))]


def test_it_has_one_row_a_run_the_newest_first(two_runs: Path) -> None:
    header, *lines = shown(two_runs, "runs", "list").splitlines()

    assert header.split() == ["run", "state", "experiment", "score", "took", "commit", "arch", "mode"]
    assert " ".join(lines[0].split()) == (
        f"{SECOND} completed ants 75.0 %* [25.0–87.5 %] 3 min 00 s 01234567+ resnet18 frozen"
    )
    assert lines[1].split()[0] == FIRST
    assert lines[2:] == ["* the epoch was selected on these images"]


def test_columns_begin_at_the_same_place_and_hold_no_tab_and_no_escape(three_runs: Path) -> None:
    lines = shown(three_runs, "runs", "list").splitlines()
    start = lines[0].index("experiment")

    assert [line[start : start + 4] for line in lines[1:4]] == ["bees", "ants", "ants"]
    assert not any(character in line for line in lines for character in "\t\x1b")
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["val.accuracy > 0.6"], [SECOND]),
        (["tag == best or state == failed"], [THIRD, SECOND]),
        (["experiment == ants and train.lr in (0.1, 0.3)"], [FIRST]),
        (["started > 2026-11-22 and state != failed"], [SECOND]),
        (["state", "==", "failed"], [THIRD]),
        (["--sort=train.lr"], [FIRST, SECOND, THIRD]),
        (["--sort", "-train.lr"], [SECOND, FIRST, THIRD]),
        (["--limit", "1", "state == completed"], [SECOND]),
    ],
)
def test_filters_sort_and_limit_choose_the_runs(words: list[str], found: list[str], three_runs: Path) -> None:
    assert [word for word in listed(three_runs, *words) if word.startswith("2026")] == found


def test_archived_runs_are_left_out_unless_all_are_asked_for(ledger: Ledger, three_runs: Path) -> None:
    archive(ledger, ledger.run(SECOND), True)

    assert SECOND not in listed(three_runs)
    assert SECOND in listed(three_runs, "--all")
    assert [run["run_id"] for run in as_json(three_runs, "runs", "list")] == [THIRD, FIRST]


def test_columns_are_those_named_with_metrics_rounded(three_runs: Path) -> None:
    said = shown(three_runs, "runs", "list", "--columns", "run,val.ece,params.train.lr,started,tag")

    assert said.splitlines()[0].split() == ["run", "val.ece", "params.train.lr", "started", "tag"]
    assert rows(said)[1] == [SECOND, "0.01235", "0.2", "2026-11-22 14:22:33", "[best]"]
    assert rows(said)[0][1:3] == ["–", "–"]


def test_on_a_narrow_terminal_columns_leave_from_the_right_and_are_named(three_runs: Path) -> None:
    said = shown(three_runs, "runs", "list", FORCE_COLOR="1", TERM="xterm", COLUMNS="70", NO_COLOR="1")
    plain = said.replace("\x1b[1m", "").replace("\x1b[0m", "").replace("\x1b[2m", "")

    assert plain.splitlines()[0].split() == ["run", "state", "experiment", "score"]
    assert max(map(len, plain.splitlines()[:4])) <= 70
    assert plain.splitlines()[-1].startswith("not shown: tags, took, commit")


def test_json_has_every_column_flat_and_unrounded(three_runs: Path) -> None:
    failed, second, _ = as_json(three_runs, "runs", "list")

    assert set(COLUMNS) <= failed.keys()
    assert (second["run_id"], second["tags"], second["state"]) == (SECOND, ["best"], "completed")
    assert (second["metrics.val.ece"], second["params.train.lr"]) == (0.0123456, 0.2)


def test_csv_has_every_column_and_one_line_a_run(ledger: Ledger, three_runs: Path) -> None:
    ledger.append(THIRD, [Event("noted", {"text": "a,b\nc"})])
    said = shown(three_runs, "runs", "list", "--csv")
    failed, second, _ = csv.DictReader(io.StringIO(said))

    assert len(said.splitlines()) == 4
    assert list(failed)[: len(COLUMNS)] == list(COLUMNS)
    assert (failed["notes"], failed["metrics.val.ece"]) == (r"a,b\nc", "")
    assert (second["tags"], second["metrics.val.ece"]) == ("best", "0.0123456")


def test_csv_takes_named_columns(three_runs: Path) -> None:
    assert shown(three_runs, "runs", "list", "--csv", "--columns", "run,val.ece", "tag == best").splitlines() == [
        "run,val.ece",
        f"{SECOND},0.0123456",
    ]


def test_a_run_of_another_kind_shows_its_first_metric_by_name(ledger: Ledger, repository: Path) -> None:
    ledger.append(
        FIRST, [Event("started", {"experiment": "houses"}), Event("logged", {"metrics": {"val.rmse": 0.3125}})]
    )

    assert rows(shown(repository, "runs", "list"))[0][3] == "rmse 0.3125"


def test_a_filter_that_nothing_matches_says_so(two_runs: Path) -> None:
    assert shown(two_runs, "runs", "list", "train.lr > 5") == "no run matches\n"
    assert as_json(two_runs, "runs", "list", "train.lr > 5") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train.lrr > 5"], "filter, character 1: no run has train.lrr: did you mean train.lr?"),
        (["train.lr >"], "filter, character 11: a value expected, but it ends"),
        (["--sort", "val.acuracy"], "no run has val.acuracy: did you mean val.accuracy?"),
        (["--columns", "run,stat"], "no run has stat: did you mean state?"),
        (["--columns", ","], "--columns is empty: name some, such as run,state,val.accuracy"),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest(words: list[str], told: str, two_runs: Path) -> None:
    assert refusal(two_runs, "runs", "list", *words) == told


def test_an_empty_ledger_is_one_line_that_says_how_to_begin(repository: Path) -> None:
    assert refused_process(repository, "runs", "list") == "the ledger holds no run yet: start one with `dvc repro`"


def test_outside_a_repository_it_is_one_line(tmp_path: Path) -> None:
    assert "is not in a Git repository: go to your project" in refusal(tmp_path, "runs", "list")


def test_the_group_alone_prints_its_help(repository: Path) -> None:
    from click.testing import CliRunner

    from runhive.cli import commands

    assert "List the runs, newest first" in CliRunner().invoke(commands, ["runs"]).output


def test_names_tags_and_archive_are_set_by_commands(two_runs: Path) -> None:
    assert shown(two_runs, "runs", "tag", "latest", "+best", "good") == f"{SECOND}: best, good\n"
    assert shown(two_runs, "runs", "tag", "latest", "-good") == f"{SECOND}: best\n"
    assert shown(two_runs, "runs", "name", "latest", "wide one") == f"{SECOND}: wide one\n"
    assert shown(two_runs, "runs", "note", "wide one", "two\nlines") == f"{SECOND}: noted\n"
    assert shown(two_runs, "runs", "note", "wide one") == "two\nlines\n"
    assert shown(two_runs, "runs", "archive", FIRST, SECOND) == f"{FIRST}: archived\n{SECOND}: archived\n"
    assert shown(two_runs, "runs", "unarchive", FIRST) == f"{FIRST}: unarchived\n"

    assert listed(two_runs)[0] == FIRST


def test_an_unknown_run_among_several_changes_none(ledger: Ledger, two_runs: Path) -> None:
    refusal(two_runs, "runs", "archive", FIRST, "20990101-000000-000000")

    assert not ledger.run(FIRST).archived


def test_a_name_that_two_runs_have_is_one_line(ledger: Ledger, two_runs: Path) -> None:
    for run_id in (FIRST, SECOND):
        name(ledger, ledger.run(run_id), "same")

    assert refusal(two_runs, "runs", "show", "same").startswith("'same' is the name of 2 runs")


def test_a_run_added_in_between_is_latest(ledger: Ledger, two_runs: Path) -> None:
    add_run(ledger, THIRD, 0.3, [True])

    assert shown(two_runs, "runs", "show", "latest").startswith(THIRD)
