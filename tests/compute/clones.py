"""A small repository with a params.yaml, pushed to a bare one, and commands in it."""

import shutil
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from runhive.cli import commands
from runhive.presets import presets, with_changes

SOURCE = Path(__file__).parents[2] / "pipeline"


@dataclass(frozen=True)
class Clone:
    """A working tree whose remote `origin` is a bare repository beside it."""

    root: Path
    remote: Path

    def git(self, *words: str) -> str:
        named = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
        done = subprocess.run(["git", *named, *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def copy_to(self, folder: Path) -> "Clone":
        """A copy of both."""
        shutil.copytree(self.remote, folder / "remote.git")
        shutil.copytree(self.root, folder / "clone")
        return Clone(folder / "clone", folder / "remote.git")

    def params(self, *changes: str) -> None:
        """Change params.yaml, commit and push."""
        path = self.root / "params.yaml"
        path.write_text(with_changes(path.read_text(), changes))
        self.git("commit", "-qam", "Parameters")
        self.git("push", "-q", "origin", "main")

    def call(self, *words: str) -> Result:
        """Call the command line, in this process."""
        with chdir(self.root):
            return CliRunner().invoke(commands, words)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start the command line as a process of its own."""
        return subprocess.Popen(
            [sys.executable, SOURCE, *words], cwd=self.root, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip


def make_clone(folder: Path) -> Clone:
    """A commit with the digits preset, in `folder/clone`, pushed to `folder/remote.git`."""
    clone = Clone(folder / "clone", folder / "remote.git")
    for words in (["init", "-q", "--bare", "-b", "main", clone.remote], ["init", "-q", "-b", "main", clone.root]):
        subprocess.run(["git", *words], check=True)
    (clone.root / "params.yaml").write_text(presets()["digits"])
    (clone.root / ".gitignore").write_text(".runhive/\n")
    clone.git("config", "user.name", "Tester")
    clone.git("config", "user.email", "tester@example.org")
    clone.git("add", "-A")
    clone.git("commit", "-qm", "Start")
    clone.git("remote", "add", "origin", "../remote.git")
    clone.git("push", "-qu", "origin", "main")
    return clone
