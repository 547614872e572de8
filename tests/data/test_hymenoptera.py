"""The ants-and-bees set as it is."""

from pathlib import Path

import pytest
from fetching import fetch

from runhive.formats.manifest import read_manifest
from runhive.stages import paths

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "hymenoptera_data.zip"
pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason=f"{ARCHIVE} is not here")


def test_the_real_archive_gives_its_photos_and_reports_the_placeholder(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = fetch("archive", str(ARCHIVE), "skip")

    assert report.counts == {"train": {"ants": 123, "bees": 121}, "val": {"ants": 70, "bees": 83}}
    assert [one.path for one in report.left_out] == ["train/ants/imageNotFound.gif"]
    assert "GIF" in report.left_out[0].reason
    assert len(read_manifest(paths.MANIFEST)) == 397
    assert capsys.readouterr().out == "244 train + 153 val images of 2 classes, 1 left out\n"
