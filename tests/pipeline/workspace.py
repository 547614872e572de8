"""A Git repository that holds the pipeline, and commands in it."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
import PIL.ImageDraw

from runhive.presets import presets, with_changes
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Run

ROOT = Path(__file__).parents[2]
CHANGES = (
    "data.url=images",
    "model.arch=resnet18",
    "model.weights=none",
    "model.image_size=32",
    "model.resize_size=32",
    "train.mode=finetune",
    "train.epochs=3",
    "train.batch_size=8",
    "export.tolerance=0.001",
    "export.variants=[fp32]",
)


@dataclass(frozen=True)
class Workspace:
    """A Git repository that holds the pipeline; commands run in it as a user's would."""

    root: Path

    def environment(self) -> Mapping[str, str]:
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("DVC", "GIT", "RUNHIVE"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**keep, "PATH": path, "OMP_WAIT_POLICY": "passive", "DVC_NO_ANALYTICS": "1"}

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start *command* as the leader of a process group of its own."""
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment(), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *command: str) -> str:
        """Run *command* to its good end and return what it printed."""
        process = self.start(*command)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def git(self, *arguments: str) -> str:
        return self.run("git", "-c", "user.name=Tester", "-c", "user.email=tester@example.org", *arguments)

    def change_params(self, *changes: str) -> None:
        params = self.root / "params.yaml"
        params.write_text(with_changes(params.read_text(), changes))

    def ledger(self) -> Ledger:
        return open_ledger(self.root)

    def runs(self) -> list[Run]:
        return self.ledger().runs()

    def copy_to(self, root: Path) -> "Workspace":
        """A copy with its Git folder, DVC cache and outs."""
        shutil.copytree(self.root, root, symlinks=True)
        return Workspace(root)


def kill_when(workspace: Workspace, command: tuple[str, ...], happened: Callable[[], object]) -> None:
    """Start *command*, and kill its process group as soon as something happened."""
    process = workspace.start(*command)
    while process.poll() is None and not happened():
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()[0]
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def draw_images(folder: Path) -> None:
    """Draw noisy discs and bars, 12 to learn from and 8 to check, of each."""
    chance = random.Random(0)
    for split, n in (("train", 12), ("val", 8)):
        for label in ("bar", "disc"):
            target = folder / split / label
            target.mkdir(parents=True)
            for index in range(n):
                image = PIL.Image.effect_noise((40, 36), 40).convert("RGB")
                box = (chance.randrange(3, 9), 8, chance.randrange(26, 36), 28)
                draw = PIL.ImageDraw.Draw(image)
                (draw.ellipse if label == "disc" else draw.rectangle)(box, fill=(230, chance.randrange(120, 200), 30))
                image.save(target / f"{index:02d}.png")


def make_workspace(root: Path) -> Workspace:
    """Commit a copy of this code at *root*, with drawn images and parameters that train in seconds."""
    root.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and name not in ("dvc.lock", "results/metrics.json"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    draw_images(root / "images")
    (root / "params.yaml").write_text(with_changes(presets()["folder"], CHANGES))
    workspace = Workspace(root)
    workspace.git("init", "-q", "-b", "main")
    workspace.git("add", "-A")
    workspace.git("commit", "-qm", "Start")
    return workspace
