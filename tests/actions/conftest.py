"""A fake `gh` on PATH, which keeps its calls, and a hub with its clones."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "registry"))  # shop.py: repositories with small ONNX models

from hive import Hive, make_hive
from hub import FakeGitHub, make_fake_github
from shop import worse


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_settings: None) -> FakeGitHub:
    made = make_fake_github(tmp_path / "github")
    monkeypatch.setenv("PATH", f"{made.programs()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GH", str(made.folder))
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GH_"))]:
        monkeypatch.delenv(name)
    return made


@pytest.fixture(scope="session")
def new_hive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub with the base's run; not to be changed."""
    folder = tmp_path_factory.mktemp("hive") / "hive"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        make_hive(folder)
    return folder


@pytest.fixture(scope="session")
def trained_hive(new_hive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One in which the branch was trained, and a bundle packed; the model is worse than the base's."""
    folder = tmp_path_factory.mktemp("trained") / "hive"
    shutil.copytree(new_hive, folder, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        Hive(folder, FakeGitHub(folder)).train(worse(0.5))
    return folder


@pytest.fixture
def trained(trained_hive: Path, github: FakeGitHub, tmp_path: Path) -> Hive:
    """A copy of it; GitHub knows of the pull request."""
    shutil.copytree(trained_hive, tmp_path / "hive", symlinks=True)
    hive = Hive(tmp_path / "hive", github)
    hive.answers()
    return hive


@pytest.fixture
def hive(new_hive: Path, github: FakeGitHub, tmp_path: Path) -> Hive:
    """A copy, in which nothing was trained on the branch yet."""
    shutil.copytree(new_hive, tmp_path / "hive", symlinks=True)
    return Hive(tmp_path / "hive", github)
