"""Whether a run is what its commit gives: one that was sent with other parameters is an experiment beside it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.tracking.ledger.run import Run
from runhive.tracking.repository import file_at, open_repository

PARAMS = "params.yaml"
TRAINING = ("model.", "train.")  # the parameters by which DVC restores a training
MOST_LEAVES = 10_000  # aliases can make a file of a few bytes endless


def require_commit(root: Path, commit: str) -> None:
    """Raise RunhiveError where the clone at *root* has not the *commit*, which a branch of the remote has."""
    if commit not in open_repository(root):
        raise RunhiveError(f"commit {commit[:8]} is not in this clone: check out with fetch-depth 0")


def other_parameters(root: Path, run: Run, commit: str) -> list[str]:
    """The parameters that *run* has otherwise than params.yaml at *commit*; of a restored one, those of its training.

    The file is a stranger's, and may have keys that the code here does not know. A commit that is no longer here, as of
    a branch that was deleted, has none.
    """
    content = file_at(root, commit, PARAMS)
    try:
        there = dict(islice(_leaves(YAML(typ="safe").load(content or b"{}")), MOST_LEAVES))
    except (YAMLError, ValueError, RecursionError):
        return []  # no run came of that
    begins = "" if run.code.get("commit") == commit else TRAINING
    own = {name: value for name, value in _leaves(run.params) if name.startswith(begins)}
    return sorted(name for name, value in own.items() if name in there and there[name] != value)


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _leaves(one, f"{name}.{key}" if name else str(key))
    else:
        yield name, value
