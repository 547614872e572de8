"""`runhive predict` says of each of the 153 photos of ants and bees, or of as many digits, what `evaluate` says."""

import csv
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from sklearn.datasets import load_digits

import runhive
from runhive.formats.model_card import ModelCard, Selection
from runhive.metrics import softmax
from runhive.params import parse_params
from runhive.presets import presets, with_changes
from runhive.vision.lesson import preprocess_of
from runhive.vision.onnx_model import to_onnx
from runhive.vision.predict import predict_logits
from runhive.vision.train import make_classifier

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "hymenoptera_data.zip"
SOURCE = Path(runhive.__file__).parents[1]
pytestmark = pytest.mark.slow


def images(folder: Path) -> Path:
    """An archive of photos and what it has in `val`, unpacked; handwritten digits where the photos are not at hand."""
    archive = ARCHIVE
    if not archive.exists():
        archive = folder / "digits.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            for number, pixels in enumerate(load_digits().images[:153]):
                content = io.BytesIO()
                PIL.Image.fromarray((pixels * 15.9375).astype(np.uint8)).resize((250, 230)).save(content, "png")
                packed.writestr(f"hymenoptera_data/val/{number % 2}/{number:03d}.png", content.getvalue())
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder, [name for name in packed.namelist() if "/val/" in name])
    return archive


def test_predict_gives_the_answers_of_evaluate_out_of_a_folder_and_out_of_the_archive(tmp_path: Path) -> None:
    """ImageNet's features and a head of chance, whose probabilities spread over the photos."""
    archive = images(tmp_path)
    files = sorted(path for path in (tmp_path / "hymenoptera_data/val").rglob("*") if path.suffix in (".jpg", ".png"))
    params = parse_params(with_changes(presets()["folder"], ["model.arch=efficientnet_lite0"])).model
    classifier = make_classifier(params, 2, seed=0).eval()
    card = ModelCard(
        name="insects", arch=params.arch, classes=["ants", "bees"], preprocess=preprocess_of(params), parameters=1,
        selection=Selection(rule="last", epoch=1, digest=None), weights_sha256="ab" * 32, data_digest="cd" * 32,
    )  # fmt: skip
    (tmp_path / "model.onnx").write_bytes(to_onnx(classifier, card, 20))
    evaluated = softmax(predict_logits(classifier, files, card, torch.device("cpu")).astype(np.float64))
    rows = {}
    for where in ("hymenoptera_data/val", archive):
        done = subprocess.run(
            [sys.executable, SOURCE, "predict", "model.onnx", where, "--top", "2"],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        rows[where] = [row for row in csv.DictReader(done.stdout.splitlines()) if "/val/" in row["path"]]
        rows[where].sort(key=lambda row: row["path"].rpartition("hymenoptera_data/")[2])

    assert len(files) == 153 and np.ptp(evaluated[:, 0]) > 0.1
    for found in rows.values():
        shares = np.array([{row["label"]: float(row["confidence"]), row["label_2"]: float(row["confidence_2"])}["ants"]
                           for row in found])  # fmt: skip
        assert [Path(row["path"]).name for row in found] == [path.name for path in files]
        assert [row["label"] for row in found] == [card.classes[best] for best in evaluated.argmax(axis=1)]
        assert np.abs(shares - evaluated[:, 0]).max() < 1e-3
