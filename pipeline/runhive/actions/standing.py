"""Whether a run is what its commit gives: one that was sent with other parameters is an experiment beside it."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.actions.workflow import WorkflowRun
from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import RUN_ID, Run
from runhive.tracking.repository import file_at, open_repository
from runhive.tracking.secrets import masked_bytes

PARAMS = "params.yaml"
TRAINING = ("model.", "train.")  # the parameters by which DVC restores a training
WHERE = ("compute", "train.distributed")  # on how many machines it ran, and which: not what ran
MOST_LEAVES = 10_000  # aliases can make a file of a few bytes endless
NOTHING: tuple[None, dict[str, Any]] = (None, {})  # what stands in the place of a group of parameters that is not there
RESUMED = re.compile(rf"\bresume ({RUN_ID.pattern})$")  # as train.yml has it in the title of its runs


def has_commit(root: Path, commit: str) -> bool:
    """Whether a branch of the clone at *root* has the *commit*."""
    return commit in open_repository(root)


def require_commit(root: Path, commit: str) -> None:
    """Raise RunhiveError where the clone at *root* has not the *commit*, which a branch of the remote has."""
    if not has_commit(root, commit):
        raise RunhiveError(f"commit {commit[:8]} is not in this clone: check out with fetch-depth 0")


def was_asked_by_commit(ledger: Ledger, root: Path, workflow: WorkflowRun) -> bool:
    """Whether a workflow run without known parameters is its commit's: by its event, or by what it goes on with.

    Who dispatches it could have asked for other parameters.
    """
    if workflow.event == "pull_request":
        return True
    resumed = RESUMED.search((workflow.display_title or "").strip())
    if resumed is None or not ledger.has(resumed[1]):
        return False
    run, commit = ledger.run(resumed[1]), workflow.head_sha
    return bool(run.params) and run.code.get("commit") == commit and not other_parameters(root, run, commit)


def other_parameters(root: Path, run: Run, commit: str, used: bytes | None = None) -> list[str]:
    """The parameters that *run* has otherwise than params.yaml at *commit*; of a restored one, those of its training.

    *used* is the params.yaml beside its model, which says of a restored training what was made of it. The files are a
    stranger's, and may have keys that the code here does not know. A commit that is not here has none.
    """
    content = file_at(root, commit, PARAMS) or b"{}"
    there = _parameters(content)
    begins = "" if run.code.get("commit") == commit else TRAINING
    own = {name: value for name, value in _parameters_of(run.params).items() if name.startswith(begins)}
    others = {name for name, value in own.items() if _differs(name, value, there)}
    if used is not None and used != masked_bytes(content):
        others |= _changed(_parameters(masked_bytes(content)), _parameters(used))
    return sorted(others)


def _differs(name: str, value: Any, there: Mapping[str, Any]) -> bool:
    """Whether *there* has the parameter otherwise: it may lack a default, but not have nothing, or a group, for it."""
    if name in there:
        return not _is_same(there[name], value)
    groups = (name[: dot.start()] for dot in re.finditer(r"\.", name))
    if any(group in there and there[group] in NOTHING for group in groups):
        return True
    return value in NOTHING and any(one.startswith(f"{name}.") for one in there)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    both = before.keys() & after.keys()
    return {name for name in both if not _is_same(before[name], after[name])} | (before.keys() ^ after.keys())


def _is_same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except RecursionError:  # lists that hold themselves
        return False


def _parameters(content: bytes) -> dict[str, Any]:
    """The parameters of a file by their names; none where it is no params.yaml, of which no run comes."""
    try:
        return _parameters_of(YAML(typ="safe").load(content))
    except (YAMLError, ValueError, RecursionError, LookupError, AttributeError):  # as for the text `!!int ''`
        return {}


def _parameters_of(tree: Any) -> dict[str, Any]:
    leaves = islice(_leaves(tree), MOST_LEAVES)
    return {name: value for name, value in leaves if not f"{name}.".startswith(tuple(f"{one}." for one in WHERE))}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _leaves(one, f"{name}.{key}" if name else str(key))
    else:
        yield name, value
