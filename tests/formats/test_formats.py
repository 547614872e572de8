"""Files that cross a stage border: written is read back, damaged is one line that names the file."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runhive.errors import RunhiveError
from runhive.files import sha256_of, write_atomic
from runhive.formats.data_report import DataReport, Distribution, Duplicates, LeftOut
from runhive.formats.document import Document
from runhive.formats.evaluation import ClassScore, Evaluation, EvaluationSet
from runhive.formats.history import Epoch, read_history, write_history
from runhive.formats.manifest import Image, class_names, content_digest, read_manifest, split_of, write_manifest
from runhive.formats.model_card import ModelCard, Selection
from runhive.formats.parity import Parity
from runhive.formats.predictions import Predictions, read_predictions, to_csv, write_predictions
from runhive.formats.preprocess import Preprocess
from runhive.formats.train_record import TrainRecord

SHA = "ab" * 32
HOSTILE = ["", ",", '"', "a,b", 'say "hi"', "two\nlines", "logit:", "logit:ant", " ant ", "NA", "nan",
           "🐝", "\u202e", "=1+1", "'", "\\", ";", "\t", "0.5", "#", "path", "label", "\ufeff"]  # fmt: skip
# Without NUL and carriage return, which fetch refuses in names: csv and pandas do not keep them.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12) | st.sampled_from(
    HOSTILE
)

CARD = ModelCard(
    name="ants", arch="resnet18", classes=["ant", "bee"], weights_sha256=SHA, parameters=3, data_digest=SHA,
    preprocess=Preprocess(image_size=32, resize_size=40, mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0)),
    selection=Selection(rule="last", epoch=2, digest=None),
)  # fmt: skip
EVALUATION = Evaluation(
    metrics_version=1, evaluation_set=EvaluationSet(name="val", digest=SHA, images=2), selected_on_these_images=True,
    weights_sha256=SHA, classes=["ant"], accuracy=0.5, accuracy_low=0.1, accuracy_high=0.9, macro_f1=1 / 3, nll=0.7,
    brier=1e-17, ece=0.0, confusion=[[2]],
    per_class=[ClassScore(label="ant", images=2, precision=0, recall=0, f1=0, roc_auc=None, average_precision=None)],
)  # fmt: skip
PARITY = Parity(
    onnx_sha256=SHA, weights_sha256=SHA, opset=20, images=2, tolerance=1e-4, relative_difference=1e-7,
    absolute_difference=1e-6, logit_spread=2.0, top1_agreement=1.0, torch_bytes=9, onnx_bytes=8,
    torch_milliseconds=1.5, onnx_milliseconds=0.5, threads=2,
)  # fmt: skip
REPORT = DataReport(
    source="digits", digest=SHA, classes=["ant"], counts={"train": {"ant": 2}}, bytes=9,
    left_out=[LeftOut(path="train/ant/x.gif", reason="no image")],
    duplicates=[Duplicates(kind="near", images=["train/ant/1.png", "val/ant/2.png"], splits=["train"], labels=["ant"])],
    sizes={"aspect_ratio": Distribution(smallest=0.5, median=1, largest=1.5, edges=[0.7], counts={"train": [1, 1]})},
)  # fmt: skip
TRAINED = TrainRecord(
    run_id="20261123-142233-7f3a9c", attempt=1, input_digest=SHA, started_at="2026-11-23T14:22:33.000+00:00",
    started={"params": {"train": {"lr": 0.1, "views": None}}}, weights_sha256=SHA, epochs=1, seconds=1.5,
    images_per_second=9.0,
)  # fmt: skip
DOCUMENTS: list[Document] = [CARD, EVALUATION, PARITY, REPORT, TRAINED]
NAMES = [type(document).__name__ for document in DOCUMENTS]

EPOCHS = [Epoch(1, 0.1, 2.5, 0.333333, 2.25, 0.5, 1.5), Epoch(2, 1e-17, 1e300, 0.3, 2.0, 0.5, 1.25)]
IMAGES = [
    Image("train/ant/1.png", "train", "ant", SHA, 32, 24),
    Image("val/bee/2.png", "val", "bee", "cd" * 32, 1, 2),
]
PREDICTIONS = Predictions(
    ["ant", "bee"], ["val/ant/1.png", "val/bee/2.png"], [SHA, "cd" * 32], np.array([0, 1]),
    np.array([[1.0, 2.0], [0.5, -3.0]]),
)  # fmt: skip
TABLES: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "history": (lambda path: write_history(path, EPOCHS), read_history),
    "manifest": (lambda path: write_manifest(path, IMAGES), read_manifest),
    "predictions": (lambda path: write_predictions(path, PREDICTIONS), read_predictions),
}
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
every_table = pytest.mark.parametrize("table", TABLES)


def refusal(read: Callable[[Path], object], path: Path) -> str:
    """What reading *path* says, having made sure that it is one line with the file's name."""
    with pytest.raises(RunhiveError) as raised:
        read(path)
    said = str(raised.value)
    assert len(said.splitlines()) == 1
    assert path.name in said
    return said


def rewritten(document: Document, path: Path, **changes: object) -> None:
    document.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@every_document
def test_a_document_is_read_back_as_it_was_written(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "document.json"
    document.write(path)

    assert type(document).read(path).model_copy(update={"schema_version": 0}) == document
    assert path.read_text().endswith("}\n")


@every_document
def test_a_document_of_another_schema_version_is_refused(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    rewritten(document, path, schema_version=document.version + 1)

    said = f"has schema version {document.version + 1}, this Runhive reads {document.version}: run `dvc repro`"
    assert said in refusal(type(document).read, path)


@every_document
def test_a_document_with_an_unknown_key_is_refused_by_its_name(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    rewritten(document, path, surprise=1)

    assert "surprise" in refusal(type(document).read, path)


@every_document
def test_a_document_that_is_missing_says_to_run_the_pipeline(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "document.json"

    assert refusal(type(document).read, path) == f"{path} is missing: run `dvc repro`"


@every_document
def test_a_document_that_is_cut_off_anywhere_is_refused(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    document.write(path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:length])

        refusal(type(document).read, path)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"3", b"\xff\xfe", b"{" * 1000, b'{"schema_version": 1}'])
def test_what_is_no_document_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_bytes(content)

    refusal(ModelCard.read, path)


@pytest.mark.parametrize("value", ["1", 1.5, True, None, [1]])
def test_nothing_is_converted_when_a_document_is_read(value: object, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    rewritten(CARD, path, parameters=value)

    assert "parameters" in refusal(ModelCard.read, path)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_document_with_what_is_no_number_is_refused(word: str, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    PARITY.write(path)
    path.write_text(path.read_text().replace('"logit_spread": 2.0', f'"logit_spread": {word}'))

    refusal(Parity.read, path)


@pytest.mark.parametrize("key", ["two\nlines", "\x1b[31m", "\u2028"])
def test_a_hostile_key_of_a_document_cannot_break_the_line(key: str, tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    rewritten(CARD, path, **{key: 1})

    assert refusal(ModelCard.read, path).isprintable()


@settings(deadline=None, max_examples=50)
@given(st.lists(TEXT), st.lists(st.tuples(TEXT, TEXT)))
def test_hostile_names_and_reasons_survive_in_documents(names: list[str], left_out: list[tuple[str, str]]) -> None:
    report = REPORT.model_copy(
        update={
            "classes": names,
            "counts": {"train": dict.fromkeys(names, 1)},
            "left_out": [LeftOut(path=path, reason=reason) for path, reason in left_out],
        }
    )
    with TemporaryDirectory() as folder:
        report.write(Path(folder, "report.json"))
        found = DataReport.read(Path(folder, "report.json"))

    assert (found.classes, found.counts, found.left_out) == (report.classes, report.counts, report.left_out)


def test_the_history_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    write_history(tmp_path / "history.csv", EPOCHS)

    assert read_history(tmp_path / "history.csv") == EPOCHS


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5))
@example([(text, text, text) for text in HOSTILE])
def test_hostile_paths_and_labels_survive_in_the_manifest(rows: list[tuple[str, str, str]]) -> None:
    images = [Image(path, split, label, SHA, 1, 2) for path, split, label in rows]
    with TemporaryDirectory() as folder:
        write_manifest(Path(folder, "manifest.csv"), images)
        found = read_manifest(Path(folder, "manifest.csv"))

    assert found == sorted(images, key=lambda image: image.path)


@settings(deadline=None, max_examples=100)
@given(st.lists(TEXT, min_size=1, max_size=4, unique=True), st.lists(TEXT, max_size=4), st.randoms())
@example(HOSTILE, HOSTILE, None)
def test_hostile_paths_and_classes_survive_in_the_predictions(
    classes: list[str], paths: list[str], chance: Any
) -> None:
    labels = [(chance.randrange(len(classes)) if chance else row) for row in range(len(paths))]
    logits = np.random.default_rng(0).normal(size=(len(paths), len(classes))).astype(np.float32).astype(np.float64)
    before = Predictions(classes, paths, [SHA] * len(paths), np.array(labels, dtype=np.int64), logits)
    with TemporaryDirectory() as folder:
        write_predictions(Path(folder, "predictions.csv"), before)
        found = read_predictions(Path(folder, "predictions.csv"))

    assert (found.classes, found.paths, found.sha256) == (classes, paths, before.sha256)
    assert np.array_equal(found.labels, before.labels)
    assert np.array_equal(found.logits.astype(np.float32), logits.astype(np.float32))


def test_the_predictions_tell_a_person_the_answer_and_its_confidence() -> None:
    rows = to_csv(PREDICTIONS).decode().splitlines()

    assert rows[0] == "path,sha256,label,predicted,confidence,logit:ant,logit:bee"
    assert rows[1] == f"val/ant/1.png,{SHA},ant,bee,0.731059,1,2"


@every_table
def test_a_table_that_is_missing_says_to_run_the_pipeline(table: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"

    assert refusal(TABLES[table][1], path) == f"{path} is missing: run `dvc repro`"


@every_table
def test_a_table_that_is_cut_off_within_a_line_is_refused(table: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write, read = TABLES[table]
    write(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        if whole[length - 1 : length] != b"\n":
            path.write_bytes(whole[:length])

            refusal(read, path)


@every_table
def test_a_table_with_another_column_is_refused(table: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write, read = TABLES[table]
    write(path)
    path.write_text("surprise," + path.read_text().replace("\n", "\n1,").removesuffix("1,"))

    assert "columns" in refusal(read, path)


@every_table
@pytest.mark.parametrize("row", ["1", "1," * 30, "x,x,x,x,x,x,x", '"', "x,x,x,x,x,x"])
def test_a_table_with_a_row_that_does_not_fit_is_refused(table: str, row: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write, read = TABLES[table]
    write(path)
    path.write_text(path.read_text() + row + "\n")

    refusal(read, path)


@every_table
def test_a_table_that_is_not_text_is_refused(table: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write, read = TABLES[table]
    write(path)
    path.write_bytes(path.read_bytes() + b"\xff\xfe\n")

    refusal(read, path)


def test_the_manifest_is_sorted_by_path_whatever_the_order_given(tmp_path: Path) -> None:
    write_manifest(tmp_path / "manifest.csv", IMAGES[::-1])

    assert read_manifest(tmp_path / "manifest.csv") == IMAGES


def test_the_digest_of_images_does_not_depend_on_their_names_and_order() -> None:
    renamed = [Image(**asdict(image) | {"path": f"{position}.png"}) for position, image in enumerate(IMAGES[::-1])]

    assert content_digest(renamed) == content_digest(IMAGES)


@pytest.mark.parametrize("change", [{"label": "wasp"}, {"split": "test"}, {"sha256": "ef" * 32}])
def test_the_digest_of_images_depends_on_what_they_are(change: dict[str, str]) -> None:
    changed = [Image(**asdict(IMAGES[0]) | change), IMAGES[1]]

    assert content_digest(changed) != content_digest(IMAGES)


def test_the_classes_are_the_labels_sorted_and_a_split_keeps_its_order() -> None:
    assert class_names(IMAGES[::-1]) == ["ant", "bee"]
    assert split_of(IMAGES, "val") == IMAGES[1:]


def test_writing_where_a_file_stands_for_the_folder_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")

    assert "cannot be written" in refusal(CARD.write, tmp_path / "models" / "model.json")


def test_writing_leaves_nothing_but_the_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"old")
    write_atomic(tmp_path / "file", b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert sha256_of(tmp_path / "file") == "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"
