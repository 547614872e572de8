"""The root of the repository, in which every command that reads params.yaml works."""

import os
from pathlib import Path

MARKS = ("params.yaml", "dvc.yaml", ".git")


def enter_root() -> None:
    """Go up to the nearest folder with params.yaml, dvc.yaml or .git; stay where there is none."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / mark).exists() for mark in MARKS):
            os.chdir(folder)
            return
