"""The commands that make the run again. Only validated ids and commits get into a line that people copy."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from runhive.report.record import Code
from runhive.tracking.changes import PATCH

COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Recipe:
    """`commands` is empty where the commit is not known; `warning` says what they do not bring back."""

    commands: tuple[str, ...]
    warning: str


def recipe(run_id: str, code: Code, files: Collection[str], own_command: bool = False) -> Recipe:
    """`runs reproduce` where the ledger has the parameters, by hand without; for a command of its own the way to it."""
    if not COMMIT.fullmatch(code.commit or ""):
        return Recipe((), "The record names no commit, so the code of this run cannot be checked out.")
    if own_command:
        commands = (f"git checkout {code.commit}", f"runhive runs show {run_id}")
        return Recipe(commands, _warning(code, False) or "It was a command of its own, which `runs show` tells.")
    if "params.yaml" in files:
        return Recipe((f"runhive runs reproduce {run_id}",), _warning(code, PATCH in files))
    by_hand = "The ledger lacks the run's params.yaml: set its parameters, as above, before `dvc repro`."
    return Recipe((f"git checkout {code.commit}", "dvc repro"), f"{_warning(code, False)} {by_hand}".strip())


def _warning(code: Code, has_patch: bool) -> str:
    if not code.dirty:
        return ""
    files = f" in {len(code.changed)} file{'' if len(code.changed) == 1 else 's'}" if code.changed else ""
    brought = "its patch brings them back" if has_patch else "the commit alone does not bring them back"
    return f"The run had uncommitted changes{files}: {brought}."
