"""A fake `gh` on PATH, which keeps its calls."""

import os
from pathlib import Path

import pytest
from hub import FakeGitHub, make_fake_github


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_settings: None) -> FakeGitHub:
    made = make_fake_github(tmp_path / "github")
    monkeypatch.setenv("PATH", f"{made.programs()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_GH", str(made.folder))
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    return made
