"""A repository with noisy photographs in which the stage train runs as a process of its own."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from dvc.utils.serialize import parse_yaml

from runhive.files import sha256_of
from runhive.formats.data_report import DataReport
from runhive.formats.manifest import Image, content_digest, write_manifest
from runhive.presets import presets, with_changes
from runhive.stages import paths

ROOT = Path(__file__).parents[2]
SMALL = ("data.url=images", "model.weights=none", "model.image_size=32", "model.resize_size=32", "train.batch_size=4")


@dataclass(frozen=True)
class Photos:
    """The repository at *root*."""

    root: Path

    def change(self, *changes: str) -> None:
        params = self.root / paths.PARAMS
        params.write_text(with_changes(params.read_text(), changes))

    def start(
        self,
        processors: set[int] | None = None,
        environment: Mapping[str, str] | None = None,
        threads: int = 1,
        before: Sequence[str] = (),
        by: Sequence[object] = (),
    ) -> "subprocess.Popen[str]":
        """Start `python pipeline train`, or *by*, as the leader of a process group of its own.

        It may use *processors*; *before* are the words of a command that starts it.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_", "RUNHIVE_"))}
        command: list[object] = [*before, *(by or (sys.executable, ROOT / "pipeline", "train"))]
        if processors:
            command = ["taskset", "--cpu-list", ",".join(map(str, sorted(processors))), *command]
        return subprocess.Popen(
            list(map(str, command)), text=True, env={**kept, "OMP_NUM_THREADS": str(threads), **(environment or {})},
            start_new_session=True, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def train(self, processors: set[int] | None = None) -> str:
        """Run the stage to its good end and return what it said."""
        process = self.start(processors)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said

    def copy_to(self, root: Path) -> "Photos":
        shutil.copytree(self.root, root)
        return Photos(root)

    def made(self) -> tuple[bytes, bytes, list[dict[str, str]]]:
        """What is a function of the inputs alone: weights, card, and the history but for its times."""
        with (self.root / paths.HISTORY).open(newline="") as file:
            history = [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]
        return (self.root / paths.WEIGHTS).read_bytes(), (self.root / paths.MODEL_CARD).read_bytes(), history

    def kept(self) -> list[str]:
        """The names of the checkpoints, the newest last."""
        return sorted(path.stem for path in self.root.glob(".runhive/checkpoints/*/epoch-*.sha256"))


def make_photos(root: Path, learned: int, checked: int, *changes: str, own: str = "") -> Photos:
    """Write *learned* and *checked* noisy images of two classes, and the files that train reads, to *root*.

    *own* is the code of a network of one's own, which becomes `net.py`.
    """
    chance = np.random.default_rng(0)
    found = []
    for split, n in (("train", learned), ("val", checked)):
        for index in range(n):
            label = ("ants", "bees")[index % 2]
            name = f"{split}/{label}/{index:03}.jpg"
            file = root / paths.IMAGES / name
            file.parent.mkdir(parents=True, exist_ok=True)
            noise = chance.integers(256, size=(40, 48, 3), dtype=np.uint8)
            PIL.Image.fromarray(noise // 2 + np.uint8(100 * (index % 2))).save(file, quality=95)
            found.append(Image(name, split, label, sha256_of(file), 48, 40))
    write_manifest(root / paths.MANIFEST, found)
    DataReport(
        source="images", digest=content_digest(found), classes=["ants", "bees"], counts={}, left_out=[], bytes=1,
        duplicates=[], sizes={},
    ).write(root / paths.DATA_REPORT)  # fmt: skip
    (root / paths.PARAMS).write_text(with_changes(presets()["folder"], [*SMALL, *changes]))
    listed = parse_yaml((ROOT / "dvc.yaml").read_text(), "dvc.yaml")["stages"]["train"]["deps"]
    deps = [one for one in listed if not one.startswith("pipeline")]
    if own:
        (root / "net.py").write_text(own)
        deps.append("net.py")
    (root / paths.PIPELINE).write_text(f"stages: {{train: {{cmd: python pipeline train, deps: {deps}}}}}")
    subprocess.run(["git", "init", "-q", "-b", "main", root], check=True)
    return Photos(root)
