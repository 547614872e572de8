"""Repositories on "GitHub", with parameters that train in seconds."""

from pathlib import Path

import pytest
from team import CHANGES, Hive, make_hive, with_remote
from workspace import Workspace, make_workspace


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A repository in which nothing ran; not to be changed."""
    workspace = make_workspace(tmp_path_factory.mktemp("started") / "repository")
    workspace.change_params(*CHANGES)
    workspace.git("commit", "-qam", "Parameters")
    return workspace


@pytest.fixture
def new_hive(started: Workspace, tmp_path: Path) -> Hive:
    """A repository that was just pushed to "GitHub"; it has no DVC remote."""
    return make_hive(started, tmp_path)


@pytest.fixture
def hive(new_hive: Hive, tmp_path: Path) -> Hive:
    """A repository with a DVC remote that is a folder."""
    return with_remote(new_hive, tmp_path)


@pytest.fixture(scope="module")
def still_hive(started: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Hive:
    """As `hive`, for tests in which nothing is trained and nothing pushed to main."""
    folder = tmp_path_factory.mktemp("still")
    return with_remote(make_hive(started, folder), folder)
