"""What `runhive data` shows of the data at hand."""

from pathlib import Path

import pytest
from calling import as_json, refusal, rows, shown

from runhive.formats.data_report import DataReport, Distribution, Duplicates, LeftOut


@pytest.fixture
def fetched(repository: Path) -> Path:
    (repository / "params.yaml").touch()
    DataReport(
        source="set.zip", digest="ab" * 32, classes=["ants", "bees"],
        counts={"train": {"ants": 1200, "bees": 3}, "val": {"bees": 2}},
        left_out=[LeftOut(path=f"train/ants/{index}.gif", reason="GIF\x1b[31m") for index in range(30)],
        bytes=2_500_000,
        duplicates=[Duplicates(kind="near", images=[f"val/{i}.jpg" for i in range(6)], splits=["val"], labels=[])],
        sizes={"file_bytes": Distribution(smallest=1000, median=2000, largest=3e6, edges=[], counts={"train": [3]})},
    ).write(repository / "data/report.json")  # fmt: skip
    return repository


def test_the_images_of_each_class_are_counted_by_split(fetched: Path) -> None:
    said = shown(fetched, "data")

    assert said.startswith("set.zip: 1,205 images, 2.5 MB, digest abababab")
    assert rows("\n".join(said.splitlines()[2:5])) == [["ants", "1,200", "0"], ["bees", "3", "2"]]


def test_long_lists_are_cut_and_say_how_many_more(fetched: Path) -> None:
    said = shown(fetched, "data")

    assert "Left out: 30" in said and "and 10 more" in said and said.count("train/ants/") == 20
    assert "There more than once: 1" in said
    assert "nearly the same  val/0.jpg, val/1.jpg, val/2.jpg, val/3.jpg, and 2 more" in said
    assert "\x1b" not in said
    assert "1.0 kB to 3.0 MB" in said


def test_json_holds_all_of_the_report_also_in_a_sub_folder(fetched: Path) -> None:
    (fetched / "inside").mkdir()

    assert as_json(fetched / "inside", "data") == DataReport.read(fetched / "data/report.json").model_dump(mode="json")


def test_without_data_the_next_step_is_named(repository: Path) -> None:
    assert refusal(repository, "data") == "data/report.json is missing: run `dvc repro`"
