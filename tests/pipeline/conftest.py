"""Repositories for the pipeline tests: one in which nothing ran yet, one after its first `dvc repro`."""

from pathlib import Path

import pytest
from workspace import Workspace, make_workspace


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Nothing was run in it; not to be changed: `unstarted` is a copy."""
    return make_workspace(tmp_path_factory.mktemp("fresh") / "repository")


@pytest.fixture(scope="session")
def finished(fresh: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """After its first `dvc repro`; not to be changed: `workspace` is a copy."""
    repository = fresh.copy_to(tmp_path_factory.mktemp("finished") / "repository")
    repository.run("dvc", "repro")
    return repository


@pytest.fixture(scope="session")
def retrained(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The first run committed, then a second one with another learning rate; not to be changed."""
    repository = finished.copy_to(tmp_path_factory.mktemp("retrained") / "repository")
    repository.git("add", "-A")
    repository.git("commit", "-qm", "First run")
    repository.change_params("train.lr=0.02")
    repository.run("dvc", "repro")
    return repository


@pytest.fixture
def unstarted(fresh: Workspace, tmp_path: Path) -> Workspace:
    return fresh.copy_to(tmp_path / "repository")


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    return finished.copy_to(tmp_path / "repository")
