"""Two pull requests that both changed dvc.lock, as docs/how-to/two-pull-requests.md says: nothing is trained twice.

The trainings are those of a runner of GitHub, so they also tell their last lines in the DVC remote, a folder.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from workspace import ROOT, Workspace, make_workspace

from runhive.tracking.life.broadcast import parse

pytestmark = pytest.mark.slow

RECIPE = ("train.epochs=1", "model.image_size=16", "model.resize_size=16", "train.cache=off")
PAGE = (ROOT / "docs/how-to/two-pull-requests.md").read_text()


@dataclass(frozen=True)
class Job(Workspace):
    """A clone as a job on a runner has it."""

    number: int = 0

    def environment(self) -> Mapping[str, str]:
        surroundings = {**super().environment(), "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": str(self.number)}
        return surroundings | {"GIT_CONFIG_GLOBAL": os.devnull}

    def train(self, target: str = "record") -> str:
        """What the workflow runs, or no further than *target*, which saves time."""
        printed = self.run("dvc", "repro", "--pull", target)
        self.run("dvc", "push", "--run-cache")
        return printed

    def commit(self, branch: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", branch)
        self.git("push", "-q", "origin", f"HEAD:{branch}")

    def merge(self, branch: str) -> list[str]:
        """Merge as the page says, take *branch*'s side of what is in conflict, and return which files were."""
        merge = self.start("git", "-c", "user.name=T", "-c", "user.email=t@example.org", "merge", f"origin/{branch}")
        said, _ = merge.communicate()
        files = [line.rpartition(" ")[2] for line in said.splitlines() if line.startswith("CONFLICT (content)")]
        self.git("checkout", "--theirs", *files)
        return files

    def trained_by(self) -> str:
        """The id of the run that made the weights here."""
        return str(json.loads((self.root / "models/train.json").read_text())["run_id"])


def stages_run(printed: str) -> list[str]:
    return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bare Git remote and a DVC remote; a trained main, and three branches of it that trained too.

    `first` and `third` changed training, `second` what comes after it.
    """
    folder = tmp_path_factory.mktemp("two")
    made = make_workspace(folder / "main")
    made.run("git", "init", "-q", "--bare", "-b", "main", str(folder / "remote.git"))
    made.git("remote", "add", "origin", str(folder / "remote.git"))
    made.change_params(*RECIPE)
    made.run("dvc", "remote", "add", "-d", "store", str(folder / "store"))
    job = Job(made.root, 1)
    job.train()
    job.commit("main")
    for branch, number, change, target, stages in (
        ("first", 2, "train.lr=0.02", "record", ["train", "evaluate", "export", "record"]),
        ("second", 3, "export.opset=18", "export", ["export"]),
        ("third", 4, "train.seed=7", "record", ["train", "evaluate", "export", "record"]),
    ):
        one = clone(folder, "main", number)
        one.change_params(change)
        assert stages_run(one.train(target)) == stages
        one.commit(branch)
    return folder


def clone(hub: Path, branch: str, number: int) -> Job:
    """A clone with an empty cache."""
    root = hub / f"job-{number}"
    Workspace(hub).run("git", "clone", "-q", "-b", branch, str(hub / "remote.git"), str(root))
    return Job(root, number)


def runner(hub: Path, number: int) -> Job:
    return Job(hub / f"job-{number}", number)


def test_a_second_that_changed_what_comes_after_training_takes_the_weights_of_the_first(hub: Path) -> None:
    first, second = runner(hub, 2), runner(hub, 3)
    first.git("push", "-q", "origin", "HEAD:main")  # the first pull request is merged
    merged = clone(hub, "second", 5)

    assert merged.merge("main") == ["dvc.lock"]
    assert stages_run(merged.train("export")) == ["export"]
    assert merged.trained_by() == first.trained_by() != second.trained_by()
    merged.commit("second-and-first")
    again = clone(hub, "second-and-first", 6)
    again.change_params("compute.targets.gpu.max_nodes=2")  # where runs are sent is no part of them
    assert stages_run(again.train("export")) == []

    word = parse((hub / "store/runhive/live/2.json").read_bytes())
    assert word is not None and word.run_id == first.trained_by()
    assert not (hub / "store/runhive/live/6.json").exists()


def test_where_both_changed_training_the_combination_is_trained_once(hub: Path) -> None:
    """The numbers are in conflict too."""
    merged = clone(hub, "third", 7)
    files = merged.merge("first")

    assert files == ["dvc.lock", "results/metrics.json"]
    assert f"git checkout --theirs {' '.join(files)}" in PAGE
    assert stages_run(merged.train()) == ["train", "evaluate", "export", "record"]
    assert merged.trained_by() not in {runner(hub, number).trained_by() for number in (2, 3, 4)}
    assert set(json.loads((merged.root / "results/metrics.json").read_text())) == {"export", "val"}
    merged.commit("third-and-first")
    again = clone(hub, "third-and-first", 8)
    assert stages_run(again.train()) == []
    assert again.trained_by() == merged.trained_by()


def test_where_the_first_did_not_change_training_the_second_gets_its_own_weights_back(hub: Path) -> None:
    """The first to be merged is the one that changed the export."""
    merged = clone(hub, "third", 9)
    merged.merge("second")

    assert stages_run(merged.train("export")) == ["export"]
    assert merged.trained_by() == runner(hub, 4).trained_by()
