"""This repository: its parameters, its place on GitHub, and a run of it on this machine."""

import os
import subprocess
import sys
from pathlib import Path

from runhive.actions.github import GitHub, find_repository
from runhive.files import write_atomic
from runhive.tracking.life.origin import LAUNCHER
from runhive.tracking.repository import main_root, open_repository

PARAMS = Path("params.yaml")


def github_here() -> GitHub:
    """Return GitHub's API for this repository. Raises RunhiveError where it is not on GitHub."""
    return GitHub(find_repository(open_repository(main_root())))


def run_here(text: str) -> int:
    """Write *text* to params.yaml where it differs, run `dvc repro` here, and return its exit code."""
    if PARAMS.read_text(encoding="utf-8") != text:
        write_atomic(PARAMS, text.encode())
    return subprocess.run(
        [sys.executable, "-m", "dvc", "repro"], env=os.environ | {LAUNCHER: "runhive submit"}
    ).returncode
