"""Ledgers in real repositories, and the commands as a person calls them."""

import subprocess
from pathlib import Path

import pytest
from calling import FIRST, SECOND, add_run

from runhive.tracking.ledger.ledger import Ledger, open_ledger


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


@pytest.fixture
def ledger(repository: Path) -> Ledger:
    return open_ledger(repository)


@pytest.fixture
def two_runs(ledger: Ledger, repository: Path) -> Path:
    add_run(ledger, FIRST, 0.1, [False, False, True, True])
    add_run(ledger, SECOND, 0.2, [True, True, True, False])
    return repository
