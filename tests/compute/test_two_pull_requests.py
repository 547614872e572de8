"""Two pull requests that both changed dvc.lock, as docs/how-to/two-pull-requests.md says: nothing is trained twice.

The trainings are those of a runner of GitHub, so they also tell their last lines in the DVC remote, a folder.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from workspace import Workspace, make_workspace

from runhive.tracking.life.broadcast import parse

pytestmark = pytest.mark.slow

RECIPE = ("train.epochs=1", "model.image_size=16", "model.resize_size=16", "train.cache=off")


@dataclass(frozen=True)
class Job(Workspace):
    """A clone as a job on a runner has it."""

    number: int = 0

    def environment(self) -> Mapping[str, str]:
        surroundings = {**super().environment(), "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": str(self.number)}
        return surroundings | {"GIT_CONFIG_GLOBAL": os.devnull}

    def train(self) -> str:
        """What the workflow runs, but no further than export, which saves half of the time."""
        printed = self.run("dvc", "repro", "--pull", "export")
        self.run("dvc", "push", "--run-cache")
        return printed

    def commit(self, branch: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", branch)
        self.git("push", "-q", "origin", f"HEAD:{branch}")

    def trained_by(self) -> str:
        """The id of the run that made the weights here."""
        return str(json.loads((self.root / "models/train.json").read_text())["run_id"])


def stages_run(printed: str) -> list[str]:
    return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]


@pytest.fixture
def main(tmp_path: Path) -> Workspace:
    """The branch main, trained, with a bare Git remote and a folder as DVC remote."""
    made = make_workspace(tmp_path / "main")
    made.run("git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "remote.git"))
    made.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    made.change_params(*RECIPE)
    made.run("dvc", "remote", "add", "-d", "store", str(tmp_path / "store"))
    job = Job(made.root, 1)
    job.train()
    job.commit("main")
    return made


def clone(main: Workspace, branch: str, number: int) -> Job:
    root = main.root.parent / f"job-{number}"
    main.git("clone", "-q", "-b", branch, str(main.root.parent / "remote.git"), str(root))
    return Job(root, number)


def test_after_the_first_is_merged_the_second_restores_its_training_and_trains_nothing(main: Workspace) -> None:
    first, second = clone(main, "main", 2), clone(main, "main", 3)
    first.change_params("train.lr=0.02")
    assert stages_run(first.train()) == ["train", "export"]
    first.commit("first")
    second.change_params("export.opset=18")
    assert stages_run(second.train()) == ["export"]
    second.commit("second")
    first.git("push", "-q", "origin", "HEAD:main")  # the first pull request is merged

    merged = clone(main, "second", 4)  # nothing is in its cache
    conflict = merged.start("git", "-c", "user.name=T", "-c", "user.email=t@example.org", "merge", "origin/main")
    said, _ = conflict.communicate()
    merged.git("checkout", "--theirs", "dvc.lock")
    printed = merged.train()

    assert "CONFLICT (content): Merge conflict in dvc.lock" in said
    assert "params.yaml" not in said.replace("Auto-merging params.yaml", "")
    assert stages_run(printed) == ["export"]
    assert merged.trained_by() == first.trained_by() != second.trained_by()
    merged.commit("second")
    again = clone(main, "second", 5)
    again.change_params("compute.targets.gpu.max_nodes=2")  # where runs are sent is no part of them
    assert stages_run(again.train()) == []

    word = parse((main.root.parent / "store/runhive/live/2.json").read_bytes())
    assert word is not None
    assert (word.run_id, word.phase) == (first.trained_by(), "export")
    assert not (main.root.parent / "store/runhive/live/5.json").exists()
