"""A repository on "GitHub", its author's clone, and what GitHub and the hub say of it."""

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import events
import yaml
from act import REPOSITORY, ROOT, Box, Ran, leave_out_what_is_not_here, open_box
from workspace import Workspace

from runhive.tracking.ledger.ledger import Ledger, open_ledger

YAML_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENTS = f"repos/{REPOSITORY}/issues/7/comments"
CHANGES = (
    "train.epochs=1",
    "compute.targets.gpu.labels=[gpu]",
    "compute.targets.gpu.timeout_minutes=20",
    "gate.max_ece=1.0",
    "gate.max_recall_drop=1.0",
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

    def calls(self, *names: str) -> None:
        """Put the page's callers of these workflows into main instead of our own, which they call by their commit."""
        sha = self.main
        called = self.box.folder / "called"
        self.clone.git("clone", "-q", str(self.box.hub), str(called))
        for name in names:
            leave_out_what_is_not_here(called / f".github/workflows/{name}.yml")
        self.box.called = {f"hive/runhive@{sha}": called}
        for file in (self.clone.root / ".github/workflows").iterdir():
            file.unlink()
        for name in names:
            caller = callers()[name].replace("OWNER/runhive", "hive/runhive").replace("@SHA", f"@{sha}")
            (self.clone.root / f".github/workflows/{name}.yml").write_text(caller)
        self.pushed("main")


def callers() -> dict[str, str]:
    """The workflows that the page for callers shows, by their names."""
    blocks = YAML_BLOCK.findall((ROOT / "docs/how-to/call-the-workflows.md").read_text())
    return {yaml.safe_load(block)["name"]: block for block in blocks}


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
    hive: Hive, trained: Ran, head: str, comments: list[dict[str, Any]], conclusion: str = "success",
    branch: str = "change",
) -> None:  # fmt: skip
    """What GitHub knows: the jobs of the train, the open pull request of *head*, its comments, the Pages."""
    pull = {"number": 7, "state": "open", "head": {"sha": head, "ref": branch, "repo": {"full_name": REPOSITORY}}}
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


def ledger_on_the_hub(hive: Hive) -> Ledger:
    """The ledger as a fresh clone of the hub has it."""
    clone = Path(mkdtemp(prefix="fresh-", dir=hive.clone.root.parent))
    hive.clone.git("clone", "-q", str(hive.box.hub), str(clone))
    hive.clone.git("-C", str(clone), "fetch", "-q", "origin", "refs/runs/main:refs/runs/main")
    return open_ledger(clone)


def collect(
    hive: Hive, trained: Ran, head: str, conclusion: str = "success", jobs: tuple[str, ...] = (), **event: str
) -> Ran:
    """Collect what *trained* left; of the workflow's *jobs* only some, where named. *event* is more of what ended."""
    ended = events.workflow_run("train", trained, head, conclusion, **event)
    return hive.box.run("collect.yml", "workflow_run", ended, hive.main, jobs)
