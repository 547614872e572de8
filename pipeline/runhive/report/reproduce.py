"""The commands that make the run again. Only validated ids and commits get into a line that people copy."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from runhive.report.record import Code
from runhive.tracking.objects import REF
from runhive.tracking.run import run_folder

COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Recipe:
    """`commands` is empty where the commit is not known; `warning` says what they do not bring back.

    `folder` is where Git has the run's files.
    """

    commands: tuple[str, ...]
    warning: str
    folder: str


def recipe(run_id: str, code: Code, files: Collection[str], own_command: bool = False) -> Recipe:
    """Checkout, the run's own parameters from the ledger, `dvc repro`; for a command of its own only the way to it."""
    folder = f"{REF}:{run_folder(run_id)}"
    if not COMMIT.fullmatch(code.commit or ""):
        return Recipe((), "The record names no commit, so the code of this run cannot be checked out.", folder)
    if own_command:
        commands = (f"git checkout {code.commit}", f"runhive runs show {run_id}")
        return Recipe(commands, _warning(code) or "It was a command of its own, which `runs show` tells.", folder)
    parameters = [f"git show {folder}/params.yaml > params.yaml"] if "params.yaml" in files else []
    return Recipe((f"git checkout {code.commit}", *parameters, "dvc repro"), _warning(code), folder)


def _warning(code: Code) -> str:
    if not code.dirty:
        return ""
    files = f" in {len(code.changed)} file{'' if len(code.changed) == 1 else 's'}" if code.changed else ""
    return f"The run had uncommitted changes{files}: the commit alone does not bring them back."
