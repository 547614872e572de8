"""A clone whose remote is a bare repository, and the fake `gh` of tests/actions."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "actions"))  # the fake of GitHub lies there
sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))

from clones import Clone, make_clone
from hub import FakeGitHub, make_fake_github


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_settings: None) -> FakeGitHub:
    made = make_fake_github(tmp_path / "github")
    monkeypatch.setenv("PATH", f"{made.programs()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GH", str(made.folder))
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return made


@pytest.fixture(scope="session")
def first_clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Not to be changed: `clone` is a copy."""
    return make_clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture
def clone(first_clone: Clone, tmp_path: Path, github: FakeGitHub) -> Clone:
    """Its branch main is pushed."""
    return first_clone.copy_to(tmp_path)
