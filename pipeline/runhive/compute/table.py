"""Compute targets on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from runhive.compute.runners import Runner, is_hosted
from runhive.params import LOCAL, Compute, Target
from runhive.terminal.output import print_json, print_line, print_section, print_table

UNKNOWN = "?"


def print_targets(compute: Compute, states: Mapping[str, Sequence[Runner] | None]) -> None:
    """Print one line a target; *states* holds the runners that fit each, None where they cannot be read."""
    header = ["target", "runners", "nodes", "GPUs a node", "online", "busy"]
    rows = [
        [_named(name, compute), _where(target), _nodes(target), target.gpus_per_node, *_counts(target, states[name])]
        for name, target in compute.targets.items()
    ]
    print_table(header, [[_named(LOCAL, compute), "this machine", "1", "", "", ""], *rows])
    print_line("* the default", "dim")


def print_target(name: str, target: Target | None, runners: Sequence[Runner]) -> None:
    """Print the settings of one target and the runners that fit it."""
    print_line(name, "bold")
    if target is None:
        print_line("this machine: `runhive submit --compute local` is `dvc repro` here")
        return
    print_section("Settings", [(key, _shown(value)) for key, value in target.model_dump().items()])
    print_section("Runners", [(one.name, one.state, ", ".join(one.labels)) for one in runners])


def targets_as_json(compute: Compute, states: Mapping[str, Sequence[Runner] | None]) -> None:
    """Print the targets with their settings and runners."""
    print_json(
        {"default": compute.default, "targets": {n: _told(t, states.get(n)) for n, t in compute.targets.items()}}
    )


def target_as_json(target: Target, runners: Sequence[Runner]) -> None:
    """Print one target with its settings and runners."""
    print_json(_told(target, runners))


def _told(target: Target, runners: Sequence[Runner] | None) -> dict[str, Any]:
    found = None if runners is None else [{**vars(one), "labels": list(one.labels)} for one in runners]
    return {**target.model_dump(), "runners": found}


def _named(name: str, compute: Compute) -> str:
    return f"{name} *" if name == compute.default else name


def _where(target: Target) -> str:
    group = f"group {target.group}" if target.group else ""
    labels = f"labels {', '.join(target.labels)}" if target.labels else ""
    return "; ".join(filter(None, [group, labels]))


def _nodes(target: Target) -> str:
    return f"{target.min_nodes}–{target.max_nodes}"


def _counts(target: Target, runners: Sequence[Runner] | None) -> list[str]:
    if is_hosted(target):
        return ["GitHub's", ""]
    if runners is None:
        return [UNKNOWN, UNKNOWN]
    return [str(sum(one.online for one in runners)), str(sum(one.busy for one in runners))]


def _shown(value: object) -> str:
    return "none" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
