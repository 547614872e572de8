"""A repository on "GitHub", its author's clone, and what GitHub and the hub say of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import events
from act import REPOSITORY, Box, Ran, open_box
from workspace import Workspace

from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Run

COMMENTS = f"repos/{REPOSITORY}/issues/7/comments"
CHANGES = (
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


def told_by_github(
    hive: Hive, trained: Ran, head: str, comments: list[dict[str, Any]], conclusion: str = "success"
) -> None:
    """What GitHub knows: the jobs of the train, the open pull request of *head*, its comments, the Pages."""
    pull = {"number": 7, "state": "open", "head": {"sha": head, "repo": {"full_name": REPOSITORY}}}
    hive.box.answers(
        {"path": ".*/actions/runs/[0-9]+/attempts/1/jobs", "body": events.jobs_of(trained, conclusion)},
        {"path": f".*/commits/{head}/pulls", "body": [pull]},
        {"path": COMMENTS, "body": comments},
        {"path": f".*/commits/{head}/check-runs", "body": {"check_runs": []}},
        {"path": f"repos/{REPOSITORY}", "body": {"private": True}},
        {"path": f"repos/{REPOSITORY}/pages", "body": {"public": False}},
        {"method": "POST", "path": ".*", "body": {"id": 1}},
        {"method": "PATCH", "path": ".*", "body": {"id": 1}},
    )


def runs_on_the_hub(hive: Hive) -> list[Run]:
    """The ledger as a fresh clone of the hub has it."""
    clone = hive.clone.root.parent / f"fresh-{hive.box.runs}"
    hive.clone.git("clone", "-q", str(hive.box.hub), str(clone))
    hive.clone.git("-C", str(clone), "fetch", "-q", "origin", "refs/runs/main:refs/runs/main")
    return open_ledger(clone).runs()


def collect(hive: Hive, trained: Ran, head: str, conclusion: str = "success") -> Ran:
    event = events.workflow_run("train", trained, head, conclusion)
    return hive.box.run("collect.yml", "workflow_run", event, hive.main)
