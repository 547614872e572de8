"""The exported file: the same bytes anywhere, and the same numbers as torch."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from small import OWN, params

import runhive
from runhive.formats.model_card import ModelCard, Selection
from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.scoring.model import Model
from runhive.scoring.package import parse_package
from runhive.scoring.session import open_session
from runhive.vision.augment import Labelled
from runhive.vision.lesson import preprocess_of
from runhive.vision.model import Classifier
from runhive.vision.onnx_model import to_onnx
from runhive.vision.predict import predict_logits
from runhive.vision.train import make_classifier

MODEL = params("model.arch=own:net").model
CLASSES = ["Biene", "fourmi à trompe", 'say "hi", 🐝']
CARD = ModelCard(
    name="insects", arch="own:net", classes=CLASSES, preprocess=preprocess_of(MODEL),
    selection=Selection(rule="last", epoch=1, digest=None), weights_sha256="ab" * 32, parameters=1,
    data_digest="cd" * 32,
)  # fmt: skip
EXPORT = """
import sys
from pathlib import Path
from runhive.formats.model_card import ModelCard
from runhive.vision.onnx_model import to_onnx
from runhive.params import Model
from runhive.vision.train import make_classifier
sys.path.insert(0, "")
import own
card = ModelCard.model_validate_json(sys.argv[1])
classifier = make_classifier(Model.model_validate_json(sys.argv[2]), len(card.classes), 0)
Path("model.onnx").write_bytes(to_onnx(classifier, card, 20))
"""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.delitem(sys.modules, "own", raising=False)
        return make_classifier(MODEL, len(CLASSES), 0).eval()


@pytest.fixture(scope="module")
def exported(classifier: Classifier) -> bytes:
    return to_onnx(classifier, CARD, 20)


@pytest.fixture(scope="module")
def session(exported: bytes) -> onnxruntime.InferenceSession:
    return open_session(parse_package(exported, "it"), "it", threads=1)


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(256, size=(n, 3, 32, 32), dtype=np.uint8)


def test_another_process_in_another_folder_writes_the_same_bytes(exported: bytes, tmp_path: Path) -> None:
    """A network of one's own, so that its source too lies in another folder than the fixture's."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "export.py").write_text(EXPORT)
    subprocess.run(
        [sys.executable, tmp_path / "export.py", CARD.model_dump_json(), MODEL.model_dump_json()],
        cwd=tmp_path, check=True, capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(runhive.__file__).parents[1]), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip

    assert hashlib.sha256((tmp_path / "model.onnx").read_bytes()).hexdigest() == hashlib.sha256(exported).hexdigest()


def test_nothing_of_the_exporting_machine_is_in_the_file(exported: bytes, tmp_path: Path) -> None:
    for trace in (
        str(Path(runhive.__file__).parents[2]),
        sys.prefix,
        str(tmp_path.parent),
        ".py",
        "runhive",
        "site-packages",
        "/tmp",
    ):
        assert trace.encode() not in exported, trace


def test_the_file_says_what_its_outputs_mean(exported: bytes) -> None:
    found = parse_package(exported, "it").metadata

    assert found == OnnxMetadata("insects", "fp32", CLASSES, CARD.preprocess, "ab" * 32)


def test_the_file_is_one_checked_graph_of_the_operator_set_that_was_asked_for(exported: bytes) -> None:
    model = onnx.load_from_string(exported)
    onnx.checker.check_model(model, full_check=True)

    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [20]
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_the_input_is_bytes_and_the_outputs_are_logits_and_probabilities(session: onnxruntime.InferenceSession) -> None:
    (images,), outputs = session.get_inputs(), session.get_outputs()

    assert (images.name, images.type, images.shape[1:]) == ("images", "tensor(uint8)", [3, 32, 32])
    assert [(output.name, output.shape[1]) for output in outputs] == [("logits", 3), ("probabilities", 3)]


@pytest.mark.parametrize("n", [1, 2, 3, 17])
def test_a_batch_of_any_size_gives_the_logits_of_torch(
    session: onnxruntime.InferenceSession, classifier: Classifier, n: int
) -> None:
    with torch.inference_mode():
        expected = classifier(torch.from_numpy(noise(n))).numpy()
    (found,) = session.run(["logits"], {"images": noise(n)})

    assert found.shape == (n, 3)
    assert np.abs(found - expected).max() < 1e-4 * expected.std()


def test_probabilities_are_the_softmax_of_the_logits_and_sum_to_one(session: onnxruntime.InferenceSession) -> None:
    logits, probabilities = session.run(["logits", "probabilities"], {"images": noise(5)})

    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(probabilities, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), atol=1e-6)


def test_logits_of_image_files_are_those_of_torch_in_their_order(
    exported: bytes, classifier: Classifier, drawn: Labelled
) -> None:
    found = Model(parse_package(exported, "it"), "it", threads=1).logits(drawn.paths, batch_size=3)
    expected = predict_logits(classifier, drawn.paths, CARD, torch.device("cpu"), batch_size=4)

    assert found.shape == (10, 3)
    assert np.allclose(found, expected, atol=1e-4)
    assert len(np.unique(found.round(5), axis=0)) == 10
