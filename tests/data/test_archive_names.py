"""Whatever names an archive holds, extracting is all or nothing, and never outside."""

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runhive.data.archive import extract
from runhive.errors import RunhiveError

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")

parts = st.sampled_from(
    ["..", ".", "", "a", "b", "A", "C:", "..\\x", "a\\b", "\n", "\u00e9", "...", " ", "~", "x" * 300]
)
separators = st.sampled_from(["/", "//", "\\"])
paths = st.builds(
    lambda start, names, separator: start + separator.join(names),
    st.sampled_from(["", "/", "./", "../"]),
    st.lists(parts | st.text(st.characters(codec="utf-8"), max_size=4), min_size=1, max_size=4),
    separators,
)
members = st.lists(paths, min_size=1, max_size=5)


def write_zip(path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            info = zipfile.ZipInfo()
            info.filename = name
            archive.writestr(info, b"content")


def write_tar(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 7
            archive.addfile(info, io.BytesIO(b"content"))


@settings(deadline=None)
@given(members, st.sampled_from([write_zip, write_tar]))
def test_extracting_is_all_or_nothing_and_never_outside(
    names: list[str], write: Callable[[Path, list[str]], None]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outer = Path(folder)
        inner = outer / "inner"
        inner.mkdir()
        write(inner / "archive", names)
        try:
            extract(inner / "archive", inner / "out")
        except RunhiveError as error:
            left = ["archive"]
            assert "\n" not in str(error)
        else:
            left = ["archive", "out"]
            files = [path for path in (inner / "out").rglob("*") if path.is_file()]
            folders = [name for name in names if write is write_zip and name.endswith("/")]
            assert len(files) == len(names) - len(folders)
            assert not any(".." in name.split("/") or name.startswith("/") or "\\" in name for name in names)

        assert sorted(path.name for path in inner.iterdir()) == left
        assert [path.name for path in outer.iterdir()] == ["inner"]
