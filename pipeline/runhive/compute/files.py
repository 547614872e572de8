"""A target in the words of those who run its machines: the settings of a single box, Helm values of a scale set."""

import shlex
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from runhive.errors import RunhiveError
from runhive.params import Target

SERVER = "https://github.com"
RUNNER_IMAGE = "ghcr.io/actions/actions-runner:latest"
RUNNER_USER = 1001  # of that image, where it may become root by sudo unless it is kept from it
CACHE = "/var/cache/runhive"


def box_settings(repository: str, name: str, target: Target) -> str:
    """Return what a box has to know, as lines of NAME=VALUE for systemd and the shell. Nothing of it is secret."""
    settings = {
        "RUNHIVE_REPOSITORY": repository,
        "RUNHIVE_GROUP": target.group or "",
        "RUNHIVE_LABELS": ",".join(target.labels) or "self-hosted",  # GitHub wants one
        "RUNHIVE_IDLE_SECONDS": str(60 * (target.idle_minutes or 0)),
    }
    lines = [f"{key}={shlex.quote(value)}" for key, value in settings.items()]
    return "\n".join([f"# `runhive compute show {name} --box` writes this from params.yaml.", *lines, ""])


def helm_values(repository: str, name: str, target: Target) -> str:
    """Return the values of Helm chart gha-runner-scale-set. Raises RunhiveError where the target is no scale set."""
    if len(target.labels) != 1:
        raise RunhiveError(
            f"{name}: a scale set has one label, its name: set compute.targets.{name}.labels to [{name}]"
        )
    owner = repository.partition("/")[0]
    values = {
        "githubConfigUrl": f"{SERVER}/{repository if target.group is None else owner}",
        "githubConfigSecret": "runhive-github-app",
        **({"runnerGroup": target.group} if target.group else {}),
        "runnerScaleSetName": target.labels[0],
        "minRunners": target.min_nodes,
        "maxRunners": target.max_nodes,
        "template": {"spec": _pod(target)},
    }
    written = StringIO()
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(values, written)
    return f"# `runhive compute show {name} --helm` writes this from params.yaml.\n{written.getvalue()}"


def _pod(target: Target) -> dict[str, Any]:
    """One node: its GPUs, memory that processes share, and the cache that all nodes have in common."""
    container: dict[str, Any] = {
        "name": "runner",
        "image": RUNNER_IMAGE,
        "command": ["/home/runner/run.sh"],
        "env": [{"name": "RUNHIVE_DVC_CACHE", "value": CACHE}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "shared-memory", "mountPath": "/dev/shm"}, {"name": "cache", "mountPath": CACHE}],
    }
    if target.gpus_per_node:
        container["resources"] = {"limits": {"nvidia.com/gpu": target.gpus_per_node}}
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": RUNNER_USER, "fsGroup": RUNNER_USER},
        "containers": [container],
        "volumes": [
            {"name": "shared-memory", "emptyDir": {"medium": "Memory"}},
            {"name": "cache", "persistentVolumeClaim": {"claimName": "runhive-cache"}},
        ],
    }
