"""Real Git repositories, made with the git command, away from the caller's own settings."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.tracking.ledger.ledger import Ledger, open_ledger

Git = Callable[..., str]
Plant = Callable[[str, bytes], None]


@pytest.fixture(autouse=True)
def _surroundings(own_settings: None) -> None:
    """No test of this folder sees the caller's settings."""


@pytest.fixture
def git() -> Git:
    """Run git in a folder and return what it prints."""

    def run(folder: Path, *words: str) -> str:
        done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit on `main`; it is the current folder."""
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "Bee")
    git(root, "config", "user.email", "bee@hive.example")
    (root / "model.py").write_text("layers = 18\n")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=first")
    monkeypatch.chdir(root)
    return root.resolve()


@pytest.fixture
def ledger(repository: Path) -> Ledger:
    return open_ledger(repository)


@pytest.fixture
def plant(repository: Path, git: Git) -> Plant:
    """Put bytes into the ledger's tree with plain Git, past our checks, as a hostile clone could."""

    def put(path: str, content: bytes) -> None:
        octal = "".join(chr(byte) if 32 <= byte < 128 else f"\\{byte:03o}" for byte in os.fsencode(path))
        known = "from refs/runs/main^0\n" if git(repository, "for-each-ref", "refs/runs/main") else ""
        head = f'commit refs/runs/main\ncommitter x <x@x> 0 +0000\ndata 0\n{known}M 100644 inline "{octal}"\n'
        stream = head.encode() + b"data %d\n%b\n" % (len(content), content)
        subprocess.run(["git", "-C", repository, "fast-import", "--quiet"], input=stream, check=True)

    return put
