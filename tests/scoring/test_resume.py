"""A job of predictions that is killed: no row is lost, none is there twice, and the file appears whole."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest
from tiny_model import Draw, model, write_model

import runhive
from runhive.errors import RunhiveError
from runhive.scoring import job
from runhive.scoring.images import Item
from runhive.scoring.job import Job, open_job, remaining, write_rows

SOURCE = Path(runhive.__file__).parents[1]
KILLS = 200 if os.environ.get("RUNHIVE_LONG") else 3
COLUMNS = {"path": str, "label": str, "error": str}
# Rows in parts of three, so that a job of 23 images has eight.
SMALL_PARTS = (
    f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
    "from runhive.scoring import job\n"
    "job.ROWS = 3\n"
    "from runhive.cli import main\n"
    "main()"
)
READ: dict[str, Callable[[Path], list[str]]] = {
    "csv": lambda path: [row["path"] for row in csv.DictReader(path.read_text().splitlines())],
    "parquet": lambda path: pyarrow.parquet.read_table(path)["path"].to_pylist(),
}


class Killed(BaseException):
    """Stands for a kill at one point; nothing catches it."""


def start(folder: Path, out: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_PARTS, "predict", "colours.onnx", "photos", "--out", out, "--batch", "2"],
        cwd=folder, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("suffix", READ)
def test_a_job_that_is_killed_at_any_time_goes_on_to_the_same_rows(
    suffix: str, onnx_file: Path, photos: Path, tmp_path: Path
) -> None:
    """Killed as soon as a random number of parts is there; the last one runs to its end."""
    chance, expected = random.Random(suffix), None
    for number in range(KILLS):
        out = tmp_path / f"{number}.{suffix}"
        for wanted in sorted(chance.sample(range(9), 2)):
            process = start(tmp_path, out.name)
            while process.poll() is None and len(list(tmp_path.glob(f"{out.name}.parts/0*"))) < wanted:
                time.sleep(0.001)
            process.kill()
            process.communicate()
        if not out.exists() or (tmp_path / f"{out.name}.parts").exists():
            process = start(tmp_path, out.name)
            _, said = process.communicate()
            assert process.returncode == 0, said
        rows = READ[suffix](out)
        expected = expected or rows

        assert rows == expected and len(set(rows)) == 23
        assert not list(tmp_path.glob(f"{out.name}.parts"))


def jobs(folder: Path, fail_at: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run a job of 7 rows that dies at the n-th time that something gets its name on the disk; say whether it did."""
    calls = 0

    def dying(original: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls == fail_at:
                raise Killed
            return original(*arguments, **options)

        return call

    items = [Item(f"{index}.png", fault="no image" if index == 3 else "") for index in range(7)]
    with monkeypatch.context() as patch:
        for name in ("replace", "rename", "unlink", "mkdir"):
            patch.setattr(Path, name, dying(getattr(Path, name)))
        patch.setattr(job.shutil, "rmtree", dying(job.shutil.rmtree))
        patch.setattr(job, "ROWS", 2)
        try:
            with open_job(folder / "rows.csv", COLUMNS, {"paths": ["x"]}) as one:
                rows = ({"path": i.name, "label": "a", "error": i.fault or None} for i in remaining(one, iter(items)))
                write_rows(one, rows, lambda done: None)
                assert (one.done, one.errors) == (7, 1)
        except Killed:
            return True
    return False


def test_a_death_between_any_two_changes_of_the_disk_loses_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fail_at in range(1, 1000):
        folder = tmp_path / str(fail_at)
        folder.mkdir()
        died = jobs(folder, fail_at, monkeypatch)
        if not (folder / "rows.csv").exists() or (folder / "rows.csv.parts").exists():
            jobs(folder, 0, monkeypatch)

        rows = list(csv.DictReader((folder / "rows.csv").read_text().splitlines()))
        assert [row["path"] for row in rows] == [f"{index}.png" for index in range(7)], fail_at
        if not died:
            break
    assert fail_at > 10
    assert [path.name for path in folder.iterdir()] == ["rows.csv"]


def begun(folder: Path) -> Path:
    """A job of five images whose first two rows are there."""

    def first_two(one: Job) -> None:
        for index, item in enumerate(remaining(one, (Item(f"{n}.png") for n in range(5)))):
            if index == 2:
                raise Killed
            job._write_part(one, [{"path": item.name, "label": "a", "error": None}])

    with pytest.raises(Killed), open_job(folder / "rows.csv", COLUMNS, {"model": 1}) as one:
        first_two(one)
    return folder / "rows.csv"


def test_another_model_or_other_options_do_not_go_on_with_a_job(tmp_path: Path) -> None:
    out = begun(tmp_path)

    with pytest.raises(RunhiveError, match="holds another job"), open_job(out, COLUMNS, {"model": 2}):
        pass
    with pytest.raises(RunhiveError, match="holds another job"), open_job(out, {"path": str}, {"model": 1}):
        pass


@pytest.mark.parametrize("names", [["0.png", "new.png", "1.png"], ["1.png", "0.png"], ["0.png"], []])
def test_images_that_changed_before_the_place_where_it_stopped_are_noticed(names: list[str], tmp_path: Path) -> None:
    with (
        pytest.raises(RunhiveError, match="the images are not those that"),
        open_job(begun(tmp_path), COLUMNS, {"model": 1}) as one,
    ):
        list(remaining(one, (Item(name) for name in names)))


def test_images_that_came_after_that_place_are_taken(tmp_path: Path) -> None:
    with open_job(begun(tmp_path), COLUMNS, {"model": 1}) as one:
        left = list(remaining(one, (Item(f"{n}.png") for n in range(9))))

    assert [item.name for item in left] == [f"{n}.png" for n in range(2, 9)]


def test_a_part_that_is_gone_is_noticed(tmp_path: Path) -> None:
    out = begun(tmp_path)
    next((tmp_path / "rows.csv.parts").glob("000000000000-*")).unlink()

    with pytest.raises(RunhiveError, match="is gone"), open_job(out, COLUMNS, {"model": 1}) as one:
        list(remaining(one, iter([])))


def test_two_that_write_the_same_file_at_once_are_kept_apart(tmp_path: Path) -> None:
    with (
        open_job(tmp_path / "rows.csv", COLUMNS, {"model": 1}),
        pytest.raises(RunhiveError, match="is locked by process"),
        open_job(tmp_path / "rows.csv", COLUMNS, {"model": 1}),
    ):
        pass


def test_an_interrupt_keeps_what_was_done_and_the_same_command_goes_on(
    photos: Path, onnx_file: Path, tmp_path: Path, draw: Draw
) -> None:
    process = start(tmp_path, "rows.csv")
    while process.poll() is None and not list(tmp_path.glob("rows.csv.parts/0*")):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    if process.returncode:
        assert process.returncode == 130 and b"Traceback" not in said
        again = start(tmp_path, "rows.csv")
        assert again.communicate() and again.returncode == 0

    assert len(READ["csv"](tmp_path / "rows.csv")) == 23


def test_a_job_is_not_continued_with_a_model_of_other_bytes(photos: Path, onnx_file: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "rows.csv")
    while process.poll() is None and not list(tmp_path.glob("rows.csv.parts/0*")):
        time.sleep(0.001)
    process.kill()
    process.communicate()
    if (tmp_path / "rows.csv").exists():
        pytest.skip("it was through before it could be killed")
    other = model()
    other.graph.name = "another"
    write_model(onnx_file, other)
    process = start(tmp_path, "rows.csv")
    _, said = process.communicate()

    assert process.returncode == 1
    assert b"rows.csv.parts holds another job, of other images, options or another model" in said
