"""What a workflow trains, on which runners and for how long: decided before any of them is asked for."""

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.params import LOCAL, Compute, Params, Target, parse_params
from runhive.presets import with_changes
from runhive.tracking.storage.remote_file import has_default_remote

SPARE_MINUTES = 15  # of a job, after training was cut off: for what there is to be kept
DIGEST = re.compile(r"[a-z0-9][a-zA-Z0-9._/:-]*@sha256:[0-9a-f]{64}")
COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Asked:
    """What a person asked for. Empty texts leave it to params.yaml."""

    compute: str = ""
    nodes: str = ""
    changes: Sequence[str] = ()
    image: str = ""
    rendezvous: str = ""


@dataclass(frozen=True)
class Plan:
    """A run on runners: `changes` of params.yaml are KEY=VALUE, `minutes` are of a machine's job."""

    target: str
    runners: Target
    nodes: int
    changes: Sequence[str]
    minutes: int
    image: str

    @property
    def step_minutes(self) -> int:
        """Minutes of training, of the job's: fewer, so that what there is can be kept."""
        return max(1, self.minutes - max(1, min(SPARE_MINUTES, self.minutes // 4)))

    def outputs(self, workflow_run: str) -> Mapping[str, str | int]:
        """The plan as the outputs of a job. Runs of several machines on one target have one queue."""
        runner = {"group": self.runners.group, "labels": self.runners.labels}
        return {
            "runner": json.dumps({key: value for key, value in runner.items() if value}),
            "ranks": json.dumps(list(range(self.nodes))),
            "job_minutes": self.minutes,
            "step_minutes": self.step_minutes,
            "changes": json.dumps(list(self.changes)),
            "queue": f"machines-{self.target}" if self.nodes > 1 else f"machine-{workflow_run}",
            "image": self.image,
        }

    def summary(self) -> str:
        """The plan in one line."""
        machines = "1 machine" if self.nodes == 1 else f"{self.nodes} machines"
        where = f"in {self.image}" if self.image else "on the bare runner"
        return f"{machines} of {self.target}, {where}, for {self.minutes} minutes at most"


def make_plan(text: str, asked: Asked) -> Plan:
    """Plan a run with the params.yaml *text*. Raises RunhiveError where what is *asked* cannot be had."""
    if asked.image and not DIGEST.fullmatch(asked.image):
        raise RunhiveError(f"the image {asked.image!r} has no digest: write NAME@sha256:DIGEST, as `docker pull` tells")
    params = parse_params(with_changes(text, asked.changes), "params.yaml")
    name, target = _target(params.compute, asked.compute)
    nodes = _nodes(params, asked.nodes, name, target)
    changes = [*asked.changes, *_changes_for(params, nodes)]
    params = parse_params(with_changes(text, changes), "params.yaml")
    if nodes > 1 and not (asked.rendezvous or params.train.distributed.rendezvous):
        raise RunhiveError(
            f"{nodes} machines need a place to meet: set train.distributed.rendezvous in params.yaml, "
            "or the repository's variable RUNHIVE_RENDEZVOUS, to host:port of the first"
        )
    return Plan(name, target, nodes, changes, target.timeout_minutes, asked.image)


def commit_of(event: Mapping[str, Any], sha: str) -> str:
    """The commit to train: the newest of a pull request, or else *sha*, that of the event.

    Raises RunhiveError for a pull request from a fork, whose code no runner of the team gets.
    """
    if pull_request := event.get("pull_request"):
        head = pull_request["head"]
        if (head.get("repo") or {}).get("full_name") != event["repository"]["full_name"]:
            raise RunhiveError(
                "the pull request is from a fork, whose code no runner of this repository runs: "
                "review it, and push its commit to a branch here"
            )
        sha = head["sha"]
    if not COMMIT.fullmatch(sha):
        raise RunhiveError(f"{sha!r} is no commit: give its 40 digits")
    return sha


def require_remote(root: Path) -> None:
    """Raise RunhiveError where the repository at *root* names no DVC remote: what a runner makes would go with it."""
    if not has_default_remote(root):
        raise RunhiveError(
            "the repository has no DVC remote, so the model would be lost with the runner: run "
            "`dvc remote add -d NAME URL`, then commit .dvc/config"
        )


def lines(text: str) -> list[str]:
    """The KEY=VALUE changes of a text that holds one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _target(compute: Compute, asked: str) -> tuple[str, Target]:
    name = asked or compute.default
    if name == LOCAL:
        raise RunhiveError(f"{LOCAL} is the machine that you sit at: name one of compute.targets in params.yaml")
    if name in compute.targets:
        return name, compute.targets[name]
    near = difflib.get_close_matches(name, compute.targets, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(compute.targets) or 'none'}"
    raise RunhiveError(f"params.yaml: compute.targets has no {name!r}: {hint}")


def _nodes(params: Params, asked: str, name: str, target: Target) -> int:
    most = target.max_nodes
    given = asked or str(params.train.distributed.node_counts[-1])
    if not re.fullmatch("[1-9][0-9]{0,2}", given) or int(given) > most:
        raise RunhiveError(f"{given!r} machines: compute.targets.{name} has 1 to {most}")
    return int(given)


def _changes_for(params: Params, nodes: int) -> list[str]:
    """What makes params.yaml train on *nodes* machines, where it does not."""
    distributed = params.train.distributed
    if nodes == distributed.node_counts[-1]:
        return []
    starts = ["train.distributed.launcher=torchrun"] if distributed.launcher == "none" and nodes > 1 else []
    return [f"train.distributed.nodes={nodes}", *starts]
