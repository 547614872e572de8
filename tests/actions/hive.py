"""A hub, the box that trains a pull request's branch, and the collector's checkout of the base branch."""

import json
import shutil
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner
from hub import FakeGitHub
from shop import GOOD, Shop, git, make_shop

from runhive.cli import commands
from runhive.errors import RunhiveError
from runhive.presets import with_changes
from runhive.tracking.ledger.exchange import push_runs
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.objects import REF

WORKFLOW = 4711
URL = f"https://github.com/team/bees/actions/runs/{WORKFLOW}"
RUNNER = {
    "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "team/bees",
    "GITHUB_RUN_ID": str(WORKFLOW), "GITHUB_RUN_ATTEMPT": "1",
}  # fmt: skip
BASE_RUN, RUN = "20261123-142201-7f3a9c", "20261123-142202-7f3a9c"
BRANCH_LR = 0.5  # what the branch changes
COMMENTS = "repos/team/bees/issues/7/comments"


@dataclass(frozen=True)
class Hive:
    """`box` trains; `base` collects; `bundle` is what goes from one to the other."""

    folder: Path
    github: FakeGitHub

    @property
    def box(self) -> Shop:
        code = {"commit": self.head, "dirty": False}
        launcher = {"ci": "GitHub Actions", "url": URL, "workflow": "train"}
        params = {"train": {"lr": BRANCH_LR}}
        return Shop(self.folder / "box", {"code": code, "launcher": launcher, "params": params})

    @property
    def base(self) -> Path:
        return self.folder / "base"

    @property
    def hub(self) -> Path:
        return self.folder / "hub.git"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def head(self) -> str:
        return git(self.folder / "box", "rev-parse", "HEAD")

    @property
    def ledger(self) -> Ledger:
        return open_ledger(self.base)

    def hub_tip(self) -> str:
        """The commit of the hub's ledger."""
        return git(self.hub, "rev-parse", REF)

    def train(self, weights: np.ndarray = GOOD, number: int = 2, **more: Any) -> None:
        """Train the branch's commit on the box, which commits nothing, and pack what the job leaves."""
        self.box.train(number, weights, **more)
        git(self.folder / "box", "reset", "--quiet", "HEAD^")
        self.pack()

    def pack(self, *words: str, **environment: str) -> str:
        """Pack what the job leaves, as its last step does."""
        shutil.rmtree(self.bundle, ignore_errors=True)
        return self.call(self.folder / "box", "actions", "bundle", str(self.bundle), *words, **RUNNER | environment)

    def collect(self, bundle: Path | None = None, code: int = 0, **event: Any) -> str:
        """Call the collector, as the workflow does, and return what it says."""
        git(self.folder / "box", "push", "--quiet", "--force", "origin", f"{self.head}:refs/heads/faster")
        git(self.base, "fetch", "--quiet", "origin")
        path = self.folder / "event.json"
        path.write_text(json.dumps(self.event(**event)))
        where = str(bundle or self.bundle)
        return self.call(self.base, "actions", "collect", where, "--event", str(path), code=code)

    def call(self, folder: Path, *words: str, code: int = 0, **environment: str) -> str:
        """Run `runhive …` in *folder* and return what it says, or the mistake that it tells."""
        with chdir(folder):
            done = CliRunner(env=environment).invoke(commands, words)
        if done.exception and not isinstance(done.exception, RunhiveError | SystemExit):
            raise done.exception
        told = f"{done.exception}\n" if isinstance(done.exception, RunhiveError) else ""
        assert done.exit_code == code, done.output + told
        return done.output + told

    def event(self, **changed: Any) -> dict[str, Any]:
        """GitHub's event of the end of the workflow run."""
        repository = {"full_name": "team/bees"}
        run = {
            "id": WORKFLOW, "name": "train", "run_attempt": 1, "event": "pull_request", "conclusion": "success",
            "head_branch": "faster", "head_sha": self.head, "created_at": "2026-11-23T14:20:00Z",
            "run_started_at": "2026-11-23T14:20:00Z", "updated_at": datetime.now(UTC).isoformat(), "html_url": URL,
            "actor": {"login": "maya"}, "repository": repository, "head_repository": repository,
        }  # fmt: skip
        return {"action": "completed", "workflow_run": run | changed, "repository": repository}

    def answers(self, *first: dict[str, Any], job: dict[str, Any] | None = None) -> None:
        """What GitHub says: the jobs, the pull request 7, no comments and checks yet; *first* comes before these."""
        node = {
            "name": "train / node (0)", "conclusion": "success", "runner_name": "box",
            "created_at": "2026-11-23T14:20:05Z", "started_at": "2026-11-23T14:21:30Z",
            "completed_at": "2026-11-23T14:39:00Z",
        }  # fmt: skip
        head = {"sha": self.head, "ref": "faster", "repo": {"full_name": "team/bees"}}
        pull = {"number": 7, "state": "open", "head": head}
        self.github.answers(
            *first,
            {"path": "repos/team/bees/actions/runs/[0-9]+/attempts/[0-9]+/jobs", "body": {"jobs": [job or node]}},
            {"path": "repos/team/bees/commits/[0-9a-f]{40}/pulls", "body": [pull]},
            {"path": COMMENTS, "body": []},
            {"path": "repos/team/bees/commits/[0-9a-f]{40}/check-runs", "body": {"check_runs": []}},
            {"method": "POST", "path": COMMENTS, "body": {"id": 1}},
            {"method": "PATCH", "path": "repos/team/bees/issues/comments/[0-9]+", "body": {"id": 1}},
            {"method": "POST", "path": "repos/team/bees/check-runs", "body": {"id": 2}},
            {"method": "PATCH", "path": "repos/team/bees/check-runs/[0-9]+", "body": {"id": 2}},
        )

    def comment(self) -> str:
        """The text of the last comment that was sent."""
        sent = [call for call in self.github.sent() if "comments" in call["path"]]
        return str(sent[-1]["body"]["body"])

    def check(self) -> dict[str, Any]:
        """The last check that was sent."""
        return dict([call for call in self.github.sent() if "check-runs" in call["path"]][-1]["body"])


def make_hive(folder: Path) -> None:
    """The base branch with one run, pushed; the box and the collector as clones with the data."""
    base = make_shop(folder / "base")
    base.train(1)
    git(base.root, "init", "--quiet", "--bare", "--initial-branch=main", str(folder / "hub.git"))
    git(base.root, "remote", "add", "origin", "../hub.git")
    git(base.root, "push", "--quiet", "origin", "main")
    push_runs(None, False, base.root)
    git(folder, "clone", "--quiet", "hub.git", "box")
    box = folder / "box"
    git(box, "remote", "set-url", "origin", "../hub.git")
    for name, value in (("user.name", "Bee"), ("user.email", "bee@hive.example")):
        git(box, "config", name, value)
    git(box, "switch", "--quiet", "--create", "faster")
    shutil.copytree(base.root / "data", box / "data")
    params = box / "params.yaml"
    params.write_text(with_changes(params.read_text(), [f"train.lr={BRANCH_LR}"]))
    git(box, "commit", "--quiet", "--all", "--message", "another rate")
