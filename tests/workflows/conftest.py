"""A repository on "GitHub", with a branch that changes the learning rate and a DVC remote that is a folder."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from act import Box, open_box
from workspace import Workspace, make_workspace

CHANGES = (
    "model.arch=squeezenet1_1",
    "train.epochs=1",
    "compute.targets.gpu.labels=[gpu]",
    "compute.targets.gpu.timeout_minutes=20",
    "gate.max_ece=1.0",
)


@dataclass(frozen=True)
class Hive:
    """A team's repository: the author's clone, and the box that is "GitHub"."""

    clone: Workspace
    box: Box

    @property
    def main(self) -> str:
        return self.box.git("rev-parse", "main")

    def pushed(self, branch: str, *changes: str) -> str:
        """Commit changes of params.yaml on *branch*, push it, and return the commit."""
        self.clone.git("checkout", "-q", "-B", branch)
        self.clone.change_params(*changes)
        self.clone.git("add", "-A")
        self.clone.git("commit", "-q", "--allow-empty", "-m", f"Set {', '.join(changes)}")
        self.clone.git("push", "-q", "origin", branch)
        return self.clone.git("rev-parse", "HEAD").strip()


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A repository in which nothing ran; not to be changed."""
    workspace = make_workspace(tmp_path_factory.mktemp("started") / "repository")
    workspace.change_params(*CHANGES)
    return workspace


@pytest.fixture
def hive(started: Workspace, tmp_path: Path) -> Hive:
    clone = started.copy_to(tmp_path / "clone")
    clone.run("dvc", "remote", "add", "-q", "-d", "store", str(tmp_path / "store"))
    clone.git("add", "-A")
    clone.git("commit", "-qm", "Parameters and a remote")
    box = open_box(tmp_path / "box", clone.root)
    clone.git("remote", "add", "origin", str(box.hub))
    clone.git("fetch", "-q", "origin")
    return Hive(clone, box)
