"""The history as a file for other programs."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from calling import FIRST, SECOND, THIRD, add_run, refusal, shown
from click.testing import CliRunner

from runhive.cli import commands
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.row import COLUMNS
from runhive.tracking.marks import archive, tag


@pytest.fixture
def mixed(ledger: Ledger, two_runs: Path) -> Path:
    """A third run with parameters of other kinds, the second archived, the first tagged."""
    tag(ledger, ledger.run(FIRST), ["best", "paper"], [])
    archive(ledger, ledger.run(SECOND), True)
    add_run(ledger, THIRD, 0.3, [True], params={"train": {"lr": "warm"}, "list": [1, 2], "none": None, "huge": 10**30})
    return two_runs


def test_csv_has_one_line_a_run_archived_ones_too(mixed: Path) -> None:
    said = shown(mixed, "runs", "export", "--csv", str(mixed / "runs.csv"))
    table = pd.read_csv(mixed / "runs.csv")

    assert said == f"{mixed / 'runs.csv'}: 3 runs\n"
    assert list(table.columns[: len(COLUMNS)]) == list(COLUMNS)
    assert list(table["run_id"]) == [THIRD, SECOND, FIRST]
    assert table["tags"].iloc[2] == "best paper"
    assert table["metrics.val.ece"].iloc[2] == 0.0123456


def test_parquet_keeps_types_and_writes_what_is_of_several_kinds_as_text(mixed: Path) -> None:
    shown(mixed, "runs", "export", "--parquet", str(mixed / "runs.parquet"))
    table = pd.read_parquet(mixed / "runs.parquet")

    assert list(table["metrics.val.accuracy"]) == [1.0, 0.75, 0.5]
    assert list(table["archived"]) == [False, True, False]
    assert list(table["params.train.lr"]) == ["warm", "0.2", "0.1"]
    assert table["params.list"].iloc[0] == "[1, 2]"
    assert list(table["tags"].iloc[2]) == ["best", "paper"]


def test_a_filter_chooses_what_is_exported(mixed: Path) -> None:
    assert shown(mixed, "runs", "export", "--csv", str(mixed / "x.csv"), "tag == best").endswith(": 1 runs\n")


def test_a_folder_that_cannot_be_written_is_one_line(mixed: Path) -> None:
    (mixed / "file").write_text("")

    assert "cannot be written" in refusal(mixed, "runs", "export", "--csv", str(mixed / "file/runs.csv"))


def test_without_pyarrow_its_name_is_told(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.chdir(mixed)
    done = CliRunner().invoke(commands, ["runs", "export", "--parquet", "x.parquet"])

    assert isinstance(done.exception, ModuleNotFoundError)
    assert done.exception.name == "pyarrow"
    assert not (mixed / "x.parquet").exists()


def test_one_form_has_to_be_named(mixed: Path) -> None:
    assert CliRunner().invoke(commands, ["runs", "export"]).exit_code == 2
