"""The target that a person means, and what params.yaml has to say for its machines."""

import difflib

from runhive.errors import RunhiveError
from runhive.params import LOCAL, Compute, Params, Target


def find_target(compute: Compute, name: str | None) -> tuple[str, Target | None]:
    """Return the name and the target that *name* means, the default without one; no target for this machine.

    Raises RunhiveError where there is none of that name.
    """
    chosen = compute.default if name is None else name
    if chosen == LOCAL:
        return LOCAL, None
    if chosen not in compute.targets:
        names = [LOCAL, *compute.targets]
        near = difflib.get_close_matches(chosen, names, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise RunhiveError(f"compute.targets in params.yaml has no {chosen!r}: {hint}")
    return chosen, compute.targets[chosen]


def changes_for_nodes(params: Params, nodes: int | None) -> list[str]:
    """Return the `key=value` changes that make a run of *nodes* machines of one that params.yaml describes."""
    distributed = params.train.distributed
    if nodes is None or distributed.node_counts == range(nodes, nodes + 1):
        return []
    changes = [f"train.distributed.nodes={nodes}"]
    return changes + (["train.distributed.launcher=torchrun"] if nodes > 1 and distributed.launcher == "none" else [])


def refusals(name: str, target: Target, params: Params) -> list[str]:
    """Return what the run that *params* describes asks of *target* that it has not, a line each."""
    distributed = params.train.distributed
    nodes, processes = distributed.node_counts[-1], distributed.processes_per_node
    found = []
    if nodes > target.max_nodes:
        found.append(
            f"{name}: {nodes} nodes are asked for and compute.targets.{name}.max_nodes is {target.max_nodes}: "
            "ask for fewer, or raise it"
        )
    if target.gpus_per_node and processes > target.gpus_per_node:
        found.append(
            f"{name}: train.distributed.processes_per_node is {processes} and a node has {target.gpus_per_node} GPUs: "
            "lower it, or mend gpus_per_node"
        )
    if params.train.device == "cuda" and not target.gpus_per_node:
        found.append(f"{name}: train.device is cuda and its nodes have no GPU: set it to auto, or take another target")
    return found
