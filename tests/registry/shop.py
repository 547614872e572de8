"""A repository as `dvc repro` and a commit leave it, without torch: images, small ONNX models."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import PIL.Image
import yaml
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

from runhive.cli import commands
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.evaluation import EvaluationSet
from runhive.formats.manifest import Image, content_digest, read_manifest, write_manifest
from runhive.formats.model_card import ModelCard, Selection
from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.formats.parity import Parity
from runhive.formats.predictions import Predictions, to_csv
from runhive.formats.preprocess import Preprocess
from runhive.presets import presets
from runhive.scoring.model import Model
from runhive.stages.evaluate import score
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.storage.artifacts import describe, describe_file, keep_file

SIZE = 24
CLASSES = ["blau", "grün", "rot"]
COLOURS = {"rot": (0, 1), "grün": (1, 2), "blau": (2, 0)}  # strongest channel, and the one that comes near in hard ones
PREPROCESS = Preprocess(image_size=SIZE, resize_size=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
GOOD = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], np.float32)  # channels r, g, b to classes
ROOT = Path(__file__).parents[2]
PIPELINE = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    outs: [models/model.onnx, models/model.safetensors, models/model.json, models/train.json]
artifacts:
  ${model.name}: {path: models/model.onnx, type: model}
"""


def worse(by: float) -> np.ndarray:
    """Weights that see more green than there is: the hard images of red are taken for green."""
    weights = GOOD.copy()
    weights[1, 1] += np.float32(by)
    return weights


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Shop:
    """The repository, to be changed by tests. `started` is what its runs say besides of their start."""

    root: Path
    started: dict[str, object] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        return open_ledger(self.root)

    def train(
        self,
        number: int,
        weights: np.ndarray = GOOD,
        classes: list[str] = CLASSES,
        selection: str | None = None,
        foreign: Callable[[bytes], bytes] = bytes,
        data: list[str] = CLASSES,
    ) -> Run:
        """Make run *number* and commit its dvc.lock, as a user would.

        *foreign* changes its ONNX file; *data* are the classes that the data set has now.
        """
        write_manifest(
            self.root / "data/manifest.csv", [one for one in draw(self.root / "data/images") if one.label in data]
        )
        run_id = f"20261123-1422{number:02d}-7f3a9c"
        (self.root / "train.py").write_text(f"# recipe {number}\n")
        models = self.root / "models"
        models.mkdir(exist_ok=True)
        (models / "model.safetensors").write_bytes(weights.tobytes() + bytes([number]))
        digest = sha256_of(models / "model.safetensors")
        write_onnx(models / "model.onnx", weights, classes, digest)
        images = read_manifest(self.root / "data/manifest.csv")
        card = ModelCard(
            name="colours", arch="mean", classes=classes, preprocess=PREPROCESS,
            selection=Selection(rule="last" if selection is None else "val", epoch=1, digest=selection),
            weights_sha256=digest, parameters=9, data_digest=content_digest(images),
        )  # fmt: skip
        card.write(models / "model.json")
        (models / "train.json").write_text(json.dumps({"run_id": run_id}))
        self._file(run_id, card, images, number, foreign)
        git(self.root, "add", "-A")
        git(self.root, "commit", "--quiet", "--message", f"run {number}")
        return self.ledger.run(run_id)

    def _file(
        self, run_id: str, card: ModelCard, images: list[Image], number: int, foreign: Callable[[bytes], bytes]
    ) -> None:
        known = [image for image in images if image.label in card.classes]
        model = Model.load(self.root / "models/model.onnx", threads=1)
        logits = model.logits([self.root / "data/images" / image.path for image in known]).astype(np.float64)
        predictions = Predictions(
            classes=card.classes, paths=[image.path for image in known], sha256=[image.sha256 for image in known],
            labels=np.array([card.classes.index(image.label) for image in known]), logits=logits,
        )  # fmt: skip
        scored = EvaluationSet(name="val", digest=content_digest(images), images=len(images))
        evaluation = score(predictions, card, scored)
        parity = Parity(
            onnx_sha256=model.sha256, weights_sha256=card.weights_sha256, opset=20, images=len(images), tolerance=1e-4,
            relative_difference=1e-7, absolute_difference=1e-7, logit_spread=1.0, top1_agreement=1.0, torch_bytes=36,
            onnx_bytes=(self.root / "models/model.onnx").stat().st_size, torch_milliseconds=1.0, onnx_milliseconds=0.5,
            threads=1,
        )  # fmt: skip
        onnx = self.root / "models/model.onnx"
        onnx.write_bytes(foreign(onnx.read_bytes()))
        kept = {"models/model.onnx": "model", "models/model.safetensors": "model", "models/model.json": "file"}
        files = {path: keep_file(self.root, self.root / path, kind) for path, kind in kept.items()}
        content = to_csv(predictions)
        files["results/predictions.csv"] = describe(content, "table", "predictions.csv")
        names = ("accuracy", "accuracy_low", "accuracy_high")
        metrics = {f"val.{name}": getattr(evaluation, name) for name in names}
        record = describe_file(self.root / "models/train.json")["md5"]
        self._lock({path: file["md5"] for path, file in files.items() if path.startswith("models/")}, record)
        started = {
            "experiment": "colours", "params": {"train": {"lr": number}}, "code": {"commit": None, "dirty": True},
            "data": {"digest": card.data_digest,
                     "classes": card.classes, "counts": {"val": dict.fromkeys(card.classes, 10)}},
            "environment": {"host": "hive"}, "input_digest": "1" * 64, **self.started,
        }  # fmt: skip
        selection = card.selection.model_dump(mode="json")
        self.ledger.append(
            run_id,
            [
                Event("started", started, time=f"2026-11-23T14:22:{number:02d}.000+00:00"),
                Event("trained", {"weights_sha256": card.weights_sha256, "record_md5": record, "selection": selection}),
                Event("evaluated", {"metrics": metrics, "evaluation": evaluation.model_dump(mode="json")}),
                Event("exported", {"metrics": {}, "parity": parity.model_dump(mode="json")}),
                Event("filed", {"files": files}),
                Event("finished", {"state": "completed", "attempt": 1}),
            ],
            {"predictions.csv": content},
        )

    def _lock(self, outs: dict[str, str], record: str) -> None:
        deps = [{"path": "train.py", "hash": "md5", "md5": describe_file(self.root / "train.py")["md5"]}]
        made = [
            {"path": path, "hash": "md5", "md5": md5} for path, md5 in {**outs, "models/train.json": record}.items()
        ]
        content = {"schema": "2.0", "stages": {"train": {"cmd": "python train.py", "deps": deps, "outs": made}}}
        (self.root / "dvc.lock").write_text(yaml.safe_dump(content, sort_keys=False))

    def call(self, *words: str, code: int = 0, root: Path | None = None) -> str:
        """Run `runhive models …` in the repository and return what it says, or the mistake that it tells."""
        with chdir(root or self.root):
            done = CliRunner().invoke(commands, ["models", *words])
        if done.exception and not isinstance(done.exception, RunhiveError | SystemExit):
            raise done.exception
        told = f"{done.exception}\n" if isinstance(done.exception, RunhiveError) else ""
        assert done.exit_code == code, done.output + told
        return done.output + told

    def start(self, *words: str, root: Path | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, ROOT / "pipeline", "models", *words], cwd=root or self.root, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def make_shop(root: Path) -> Shop:
    """A repository with the data and no run yet."""
    root.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "Bee")
    git(root, "config", "user.email", "bee@hive.example")
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    (root / ".gitignore").write_text("/.dvc/cache\n/.dvc/tmp\n/data\n/models\n/.runhive\n")
    (root / "params.yaml").write_text(presets()["digits"].replace("name: digits\n  arch", "name: colours\n  arch"))
    (root / "dvc.yaml").write_text(PIPELINE)
    write_manifest(root / "data/manifest.csv", list(draw(root / "data/images")))
    return Shop(root)


def make_hub(shop: Shop, folder: Path) -> Path:
    """A bare remote of the repository in *folder*, with a DVC remote beside it."""
    hub = folder / "hub.git"
    git(shop.root, "init", "--quiet", "--bare", "--initial-branch=main", str(hub))
    git(shop.root, "remote", "add", "origin", str(hub))
    (shop.root / ".dvc/config").write_text(
        f"[core]\n    analytics = false\n    remote = store\n['remote \"store\"']\n    url = {folder / 'store'}\n"
    )
    git(shop.root, "commit", "--quiet", "--all", "--message", "a remote for the data")
    git(shop.root, "push", "--quiet", "origin", "main")
    return hub


def draw(folder: Path) -> list[Image]:
    """Ten images a class: five clear ones and five that come near another class."""
    found = []
    for label, (strong, near) in COLOURS.items():
        for number in range(10):
            colour = [20, 20, 20]
            colour[strong] = 200
            colour[near] = 20 + number if number < 5 else 150 + number
            path = folder / f"val/{label}/{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            PIL.Image.new("RGB", (40, 32), tuple(colour)).save(path)
            found.append(Image(f"val/{label}/{number}.png", "val", label, sha256_of(path), 40, 32))
    return found


def write_onnx(path: Path, weights: np.ndarray, classes: list[str], weights_sha256: str) -> None:
    """A model of ours: the mean of each channel through *weights* (channels, classes)."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "scale"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {"scale": np.float32(16), "axes": np.array([2, 3]), "weights": np.ascontiguousarray(weights)}
    count = len(classes)
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", count]) for n in ("logits", "probabilities")]
    graph = helper.make_graph(
        nodes, "colours", [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 3, SIZE, SIZE])], outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    metadata = OnnxMetadata("colours", "fp32", classes, PREPROCESS, weights_sha256)
    helper.set_model_props(made, metadata.to_entries())
    path.write_bytes(made.SerializeToString(deterministic=True))
