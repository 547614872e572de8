"""A repository on "GitHub" and its author's clone, with parameters that train in seconds."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from act import Box, open_box
from workspace import Workspace, make_workspace

CHANGES = (
    "model.arch=squeezenet1_1",
    "train.epochs=1",
    "export.variants=[fp32, fp16]",
    "export.most_changed.fp16=1.0",
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


def make_hive(source: Workspace, folder: Path) -> Hive:
    clone = source.copy_to(folder / "clone")
    box = open_box(folder / "box", clone.root)
    for key, value in (("user.name", "Author"), ("user.email", "author@example.org")):
        clone.git("config", key, value)
    clone.git("remote", "add", "origin", str(box.hub))
    clone.git("push", "-q", "-u", "origin", "main")
    return Hive(clone, box)


def with_remote(hive: Hive, folder: Path) -> Hive:
    hive.clone.run("dvc", "remote", "add", "-q", "-d", "store", str(folder / "store"))
    hive.pushed("main")
    return hive
