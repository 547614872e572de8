"""Two clones exchange runs with the commands of docs/how-to/share-runs.md."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SCRIPT = """
import os
from pathlib import Path
Path("outputs").mkdir(exist_ok=True)
Path("outputs/weights.bin").write_bytes(bytes(300_000))
Path("outputs/words.txt").write_text("from " + os.getcwd().rpartition("/")[2])
"""


def runhive(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "runhive", *words], cwd=folder, capture_output=True, text=True)


def test_a_run_of_one_clone_is_listed_and_downloaded_in_the_other_although_never_committed(
    repository: Path, tmp_path: Path, git: Callable[..., str]
) -> None:
    (repository / "any.py").write_text(SCRIPT)
    subprocess.run(["dvc", "init", "--quiet"], cwd=repository, check=True)
    subprocess.run(["dvc", "remote", "add", "-q", "-d", "store", tmp_path / "store"], cwd=repository, check=True)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "script")
    git(tmp_path, "clone", "-q", "--bare", str(repository), "shared.git")
    for name in ("ann", "ben"):
        git(tmp_path, "clone", "-q", "shared.git", name)
    ann, ben = tmp_path / "ann", tmp_path / "ben"

    assert runhive(ann, "run", "--name", "first", "--", sys.executable, "any.py").returncode == 0
    pushed = runhive(ann, "runs", "push", "--files")
    assert pushed.returncode == 0, pushed.stderr
    assert "to origin: 1 new" in pushed.stdout
    assert "from origin: 1 new" in runhive(ben, "runs", "pull").stdout
    assert "first" in runhive(ben, "runs", "list").stdout
    done = runhive(ben, "runs", "download", "first", "--to", "got")

    assert done.returncode == 0, done.stderr
    assert (ben / "got/outputs/words.txt").read_text() == "from ann"
    assert (ben / "got/outputs/weights.bin").read_bytes() == bytes(300_000)
