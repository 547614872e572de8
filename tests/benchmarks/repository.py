"""A scratch repository that holds this code and its images, in which the pipeline runs as a user's does."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness import Cost, run

from runhive.presets import use, with_changes

ROOT = Path(__file__).parents[2]
STAGE = [sys.executable, "pipeline"]


def make_repository(root: Path, preset: str, *changes: str) -> Path:
    """Commit a copy of the code at *root*, with *preset* and *changes* in params.yaml, and fetch the images."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and name not in ("dvc.lock", "results/metrics.json"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    use(preset, changes, root / "params.yaml")
    identity = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "Start"]):
        run(["git", *command], root)
    run([*STAGE, "fetch"], root)
    return root


def train(
    repository: Path,
    *changes: str,
    command: list[str] | None = None,
    watch: Callable[[int, str], None] = lambda pid, line: None,
) -> Cost:
    """`python pipeline train`, or *command*, from nothing: no checkpoint, no cache, no outs of an earlier run."""
    for leftover in (repository / ".runhive", repository / "models"):
        shutil.rmtree(leftover, ignore_errors=True)
    params = repository / "params.yaml"
    params.write_text(with_changes(params.read_text(), changes))
    return run(command or [*STAGE, "train"], repository, watch=watch)


def accuracies(cost: Cost) -> list[float]:
    """The check accuracy of each epoch, as the loop printed it."""
    lines = [mark.line.split() for mark in cost.marks if mark.line.startswith("epoch ")]
    return [float(words[words.index("check", words.index("check") + 1) + 2]) for words in lines]
