"""`runhive predict`: a row for every image, whatever it lies in and whatever is wrong with it."""

import csv
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pyarrow.parquet
import pytest
from tiny_model import METADATA, Draw, logits_of, model, write_model

import runhive
from runhive.preprocess import to_input
from runhive.scoring.package import read_package

SOURCE = Path(runhive.__file__).parents[1]
COLUMNS = ["path", "label", "confidence", "error", "model", "version", "model_sha256"]


def call(*words: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, SOURCE, "predict", *words], cwd=cwd, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def expected(path: Path) -> str:
    pixels = to_input(PIL.Image.open(path).convert("RGB"), METADATA.preprocess)
    return METADATA.classes[int(logits_of(pixels[None]).argmax())]


def test_a_folder_is_one_row_an_image_in_a_fixed_order_with_the_model_that_said_so(
    onnx_file: Path, photos: Path
) -> None:
    done = call(onnx_file, photos, cwd=photos)
    rows, images = table(done.stdout), sorted(photos.glob("[ab]/[!.]*[!v]"))

    assert done.returncode == 0, done.stderr
    assert [row["path"] for row in rows] == [str(path) for path in images] and len(rows) == 23
    assert list(rows[0]) == COLUMNS
    assert [row["label"] for row in rows] == [expected(path) for path in images]
    assert {(row["model"], row["version"], row["model_sha256"], row["error"]) for row in rows} == {
        ("colours", "", read_package(onnx_file).sha256, "")
    }


@pytest.mark.parametrize("batch", ["1", "7", "64"])
def test_the_size_of_a_batch_changes_no_row(batch: str, onnx_file: Path, photos: Path) -> None:
    assert call(onnx_file, photos, "--batch", batch, cwd=photos).stdout == call(onnx_file, photos, cwd=photos).stdout


def test_the_best_labels_come_with_their_probabilities(onnx_file: Path, photos: Path) -> None:
    image = sorted(photos.glob("a/*"))[3]
    (row,) = table(call(onnx_file, image, "--top", "9", cwd=photos).stdout)
    logits = logits_of(to_input(PIL.Image.open(image), METADATA.preprocess)[None])[0]
    order, shares = np.argsort(-logits), np.exp(logits) / np.exp(logits).sum()

    assert [row["label"], row["label_2"], row["label_3"]] == [METADATA.classes[index] for index in order]
    confidences = [float(row[name]) for name in ("confidence", "confidence_2", "confidence_3")]
    assert np.allclose(confidences, shares[order], atol=1e-5)


def test_csv_json_lines_and_parquet_hold_the_same_rows(onnx_file: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "a" / "broken.png").write_bytes(b"\x89PNG no more")
    for suffix in ("csv", "jsonl", "parquet"):
        assert call(onnx_file, photos, "--out", tmp_path / f"rows.{suffix}", "--top", "2", cwd=photos).returncode == 1
    from_json = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    from_csv = table((tmp_path / "rows.csv").read_text(encoding="utf-8"))

    assert pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist() == from_json
    as_csv = [
        {key: f"{value:.6f}" if isinstance(value, float) else value or "" for key, value in row.items()}
        for row in from_json
    ]
    assert as_csv == from_csv and len(from_csv) == 24
    assert sorted(path.name for path in tmp_path.iterdir() if "rows" in path.name) == [
        "rows.csv", "rows.jsonl", "rows.parquet",
    ]  # fmt: skip


def test_a_bad_image_is_a_row_with_an_error_and_the_end_is_no_success(onnx_file: Path, photos: Path) -> None:
    bad = {
        "empty.png": b"",
        "cut.png": (photos / "a" / "00.png").read_bytes()[:500],
        "moving.gif": b"GIF89a" + bytes(20),
        "a\nline.jpg": b"no image",
    }
    for name, content in bad.items():
        (photos / "a" / name).write_bytes(content)
    done = call(onnx_file, photos, "--out", "rows.csv", cwd=photos)
    rows = {Path(row["path"]).name: row for row in table((photos / "rows.csv").read_text())}

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "runhive: 4 of 27 images could not be read: see the column error"
    assert all(rows[name]["error"] and not rows[name]["label"] for name in bad)
    assert all(row["label"] for name, row in rows.items() if name not in bad)
    assert rows["empty.png"]["error"] == "empty file"


def pack(photos: Path, to: Path) -> None:
    files = [path for path in sorted(photos.rglob("*")) if path.is_file()]
    if to.suffix == ".zip":
        with zipfile.ZipFile(to, "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(photos))
    else:
        with tarfile.open(to, "w:gz" if to.suffix == ".gz" else "w") as packed:
            for path in files:
                packed.add(path, path.relative_to(photos).as_posix())


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar", "photos.tar.gz"])
def test_an_archive_gives_the_rows_of_the_folder_that_was_packed(
    name: str, onnx_file: Path, photos: Path, tmp_path: Path
) -> None:
    pack(photos, tmp_path / name)
    inside = table(call(onnx_file, tmp_path / name, cwd=tmp_path).stdout)
    outside = table(call(onnx_file, photos, cwd=tmp_path).stdout)

    assert [row["path"] for row in inside] == [
        f"{tmp_path / name}::{Path(row['path']).relative_to(photos)}" for row in outside
    ]
    assert [(row["label"], row["confidence"]) for row in inside] == [(r["label"], r["confidence"]) for r in outside]


def test_a_damaged_archive_gives_what_came_before_and_a_row_that_says_so(
    onnx_file: Path, photos: Path, tmp_path: Path
) -> None:
    pack(photos, tmp_path / "photos.tar.gz")
    content = (tmp_path / "photos.tar.gz").read_bytes()
    (tmp_path / "photos.tar.gz").write_bytes(content[: len(content) // 2])
    done = call(onnx_file, tmp_path / "photos.tar.gz", photos / "b", cwd=tmp_path)
    rows = table(done.stdout)

    assert done.returncode == 1
    assert [row["path"] for row in rows if row["error"].startswith("damaged")][-1] == str(tmp_path / "photos.tar.gz")
    assert [Path(row["path"]).name for row in rows[-3:]] == ["x.JPG", "y.jpeg", "z.bmp"]
    assert rows[0]["label"]


def test_a_link_in_an_archive_is_refused(onnx_file: Path, tmp_path: Path) -> None:
    link = tarfile.TarInfo("a.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "links.tar", "w") as packed:
        packed.addfile(link)
    done = call(onnx_file, "links.tar", cwd=tmp_path)

    assert done.returncode == 1
    assert table(done.stdout)[0]["error"] == "refused: a.png is a link, a device or a sparse file"


def test_globs_are_expanded_where_the_shell_did_not(onnx_file: Path, photos: Path) -> None:
    rows = table(call(onnx_file, "**/0*.png", "b/*.[jJ]*", cwd=photos).stdout)

    assert [row["path"] for row in rows] == [f"a/{index:02d}.png" for index in range(10)] + ["b/x.JPG", "b/y.jpeg"]


def test_a_name_that_is_no_utf8_and_one_like_a_pattern_are_rows_too(
    onnx_file: Path, tmp_path: Path, draw: Draw
) -> None:
    plain = draw(tmp_path / "in" / "[1].png").read_bytes()
    Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/\xff.png")).write_bytes(plain)
    rows = table(call(onnx_file, "in/[1].png", "in", cwd=tmp_path).stdout)

    assert [row["path"] for row in rows] == ["in/[1].png", "in/[1].png", r"in/\udcff.png"]


def test_a_name_like_a_formula_is_written_as_it_is_so_that_programs_find_the_file(
    onnx_file: Path, tmp_path: Path, draw: Draw
) -> None:
    names = ["+2.png", "-3.png", "=1+1.png", "@a.png"]
    for name in names:
        draw(tmp_path / "in" / name)

    assert [row["path"] for row in table(call(onnx_file, "*.png", cwd=tmp_path / "in").stdout)] == names


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing"], "there is no missing: name images, folders or archives"),
        (["*.tiff"], "*.tiff matches no file: name images, folders or archives"),
        (["photos", "--out", "rows.xlsx"], "--out rows.xlsx: write a file that ends in .csv, .jsonl, .parquet"),
        (["nothing"], "no image was found: folders and archives are searched by name"),
        (["photos", "--out", "there.csv"], "there.csv is there already: remove it, or name another file"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    words: list[str], said: str, onnx_file: Path, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "there.csv").write_text("mine")
    before = sorted(path.name for path in tmp_path.iterdir())
    done = call(onnx_file, *words, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (1, f"runhive: {said}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_nothing_but_pillow_numpy_and_onnx_runtime_is_loaded_beside_the_command_line(
    onnx_file: Path, photos: Path
) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from runhive.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, "predict", onnx_file, photos, "--out", "rows.csv"],
        cwd=photos, capture_output=True, text=True, check=True,
    )  # fmt: skip

    loaded = {name for name in done.stderr.splitlines()[-1].split() if not name.startswith("_")}
    assert loaded - {"distutils"} == {"runhive", "click", "PIL", "numpy", "onnxruntime"}


def test_the_twin_in_python_gives_the_same_answers(onnx_file: Path, photos: Path) -> None:
    files = sorted(photos.glob("a/*"))
    found = runhive.Model.load(onnx_file).predict(files)
    rows = table(call(onnx_file, photos / "a", cwd=photos).stdout)
    pictures = [PIL.Image.open(path) for path in files]
    arrays = [np.asarray(picture) for picture in pictures]

    assert [one.label for one in found] == [row["label"] for row in rows]
    assert [f"{one.confidence:.6f}" for one in found] == [row["confidence"] for row in rows]
    assert runhive.Model.load(onnx_file).predict(pictures) == runhive.Model.load(onnx_file).predict(arrays) == found
    assert list(found[0].probabilities) == METADATA.classes
    assert runhive.Model.load(onnx_file).predict([]) == []


def test_a_model_that_is_no_file_and_no_run_is_one_line(tmp_path: Path, photos: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    write_model(tmp_path / "m.onnx", model())
    done = call("20260101-000000-abcdef", "photos", cwd=tmp_path)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("runhive: ")


def test_a_name_outside_of_a_repository_is_no_file_and_says_so(photos: Path) -> None:
    done = call("insects", "a", cwd=photos)

    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("runhive: there is no file insects, and runs and versions are in a repository: ")
