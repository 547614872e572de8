"""Archives that strangers made."""

import bz2
import gzip
import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.data.archive import Limits, extract
from runhive.errors import RunhiveError

FILES = {"set/train/ants/1.jpg": b"one" * 400, "set/train/bees/2.jpg": b"two" * 300}


def zip_bytes(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo()
            info.filename, info.compress_type = name, compression
            archive.writestr(info, content)
    return file.getvalue()


def tar_bytes(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def odd_tar(kind: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("set/first"))
        info = tarfile.TarInfo("set/odd")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    return file.getvalue()


FORMS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip stored": lambda files: zip_bytes(files, zipfile.ZIP_STORED),
    "zip deflated": zip_bytes,
    "zip lzma": lambda files: zip_bytes(files, zipfile.ZIP_LZMA),
    "tar": tar_bytes,
    "tar.gz": lambda files: gzip.compress(tar_bytes(files)),
    "tar.bz2": lambda files: bz2.compress(tar_bytes(files)),
    "tar.xz": lambda files: lzma.compress(tar_bytes(files)),
}


def refused(folder: Path, content: bytes, limits: Limits | None = None) -> str:
    """Extract *content*, which has to fail and leave nothing, and return the message."""
    archive = folder / "archive"
    archive.write_bytes(content)
    with pytest.raises(RunhiveError) as caught:
        extract(archive, folder / "out", limits or Limits())

    assert [path.name for path in folder.iterdir()] == ["archive"]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_the_kind_is_told_by_content_and_not_by_name(tmp_path: Path, form: str) -> None:
    archive = tmp_path / "download.txt"
    archive.write_bytes(FORMS[form](FILES))

    extract(archive, tmp_path / "out")

    found = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in (tmp_path / "out").rglob("*.jpg")}
    assert found == FILES
    assert {path.name for path in tmp_path.iterdir()} == {"download.txt", "out"}


def test_folders_named_twice_and_dots_are_no_fault(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as file:
        for name in (".", "./set", "set", "./set/empty"):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE
            file.addfile(info)
        file.addfile(tarfile.TarInfo("./set//a"), io.BytesIO())

    extract(archive, tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out" / "set").iterdir()) == ["a", "empty"]


@pytest.mark.fault(
    "fetch",
    "a name in the archive leads out of its folder",
    wanted="nothing is unpacked",
    said="… is refused: … leads out of its folder: get another archive, or unpack it yourself and set data.source to "
    "folder",
)
@pytest.mark.parametrize("form", ["zip deflated", "tar", "tar.gz"])
@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("../evil", "leads out"),
        ("set/../../evil", "leads out"),
        ("set/..", "leads out"),
        ("/etc/evil", "absolute"),
        ("//host/evil", "absolute"),
        ("C:/evil", "absolute"),
        ("C:evil", "absolute"),
        ("..\\evil", "backslash"),
        ("set\\evil", "backslash"),
        ("\\\\host\\share\\evil", "absolute"),
    ],
)
def test_a_name_that_leads_out_refuses_the_whole_archive(tmp_path: Path, form: str, name: str, word: str) -> None:
    said = refused(tmp_path, FORMS[form](FILES | {name: b"x"}))

    assert word in said
    assert said.endswith(": get another archive, or unpack it yourself and set data.source to folder")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    assert "set/odd is a link, a device" in refused(tmp_path, odd_tar(kind))


@pytest.mark.fault(
    "fetch",
    "a link or a device in the archive",
    wanted="nothing is unpacked",
    said="… is refused: … is a link or a device: get another archive, or unpack it yourself and set data.source to "
    "folder",
)
@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, kind: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("set/odd")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")

    assert "set/odd is a link or a device" in refused(tmp_path, file.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("build", [zip_bytes, tar_bytes])
@pytest.mark.parametrize("names", [("a/b", "a//b"), ("a/b", "a/./b"), ("a", "a/b"), ("a/b", "a")])
def test_a_name_that_is_there_twice_is_refused(
    tmp_path: Path, build: Callable[[dict[str, bytes]], bytes], names: tuple[str, str]
) -> None:
    assert "twice" in refused(tmp_path, build(dict.fromkeys(names, b"x")))


@pytest.mark.parametrize("form", ["zip stored", "tar"])
def test_names_that_differ_in_case_are_two_files(tmp_path: Path, form: str) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(FORMS[form]({"a": b"1", "A": b"2"}))

    extract(archive, tmp_path / "out")

    assert (tmp_path / "out" / "A").read_bytes() == b"2"


@pytest.mark.parametrize("form", FORMS)
def test_too_many_entries_are_refused(tmp_path: Path, form: str) -> None:
    assert "more than 1 entries" in refused(tmp_path, FORMS[form](FILES), Limits(entries=1))


@pytest.mark.parametrize("form", FORMS)
def test_too_many_unpacked_bytes_are_refused(tmp_path: Path, form: str) -> None:
    assert "more than 2,000 bytes" in refused(tmp_path, FORMS[form](FILES), Limits(bytes=2000))


def test_unpacked_bytes_are_counted_and_not_believed(tmp_path: Path) -> None:
    """The directory declares ten bytes of a file that has 100,000."""
    content = bytearray(zip_bytes({"a": bytes(range(250)) * 400}, zipfile.ZIP_STORED))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24 : directory + 28] = struct.pack("<I", 10)

    assert refused(tmp_path, bytes(content))


@pytest.mark.fault(
    "fetch",
    "an archive that unpacks to far more than its size",
    wanted="unpacking stops",
    said="… is refused: it unpacks to more than … times its own size: get another archive, or unpack it yourself and "
    "set data.source to folder",
)
@pytest.mark.parametrize("form", ["zip deflated", "zip lzma", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_bomb_is_refused(tmp_path: Path, form: str) -> None:
    assert "200 times its own size" in refused(tmp_path, FORMS[form]({"zeros": bytes(20_000_000)}))


def test_a_bomb_behind_the_end_of_a_tar_is_refused(tmp_path: Path) -> None:
    assert "where a header is expected" in refused(tmp_path, gzip.compress(tar_bytes(FILES) + bytes(2**26), 1))


@pytest.mark.parametrize("form", ["zip deflated", "tar", "tar.gz"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * 256, "too long a name"),
        ("\u00e9" * 128, "too long a name"),
        ("/".join(["x" * 200] * 30), "too long a name"),
        ("a/" * 1500 + "x", "nested more than 100 folders deep"),
    ],
)
def test_a_name_that_no_disk_can_hold_is_refused(tmp_path: Path, form: str, name: str, words: str) -> None:
    message = refused(tmp_path, FORMS[form](FILES | {name: b"x"}))

    assert words in message
    assert len(message) < 300


def test_a_zip_whose_names_are_not_the_utf8_that_they_are_said_to_be_is_refused(tmp_path: Path) -> None:
    content = zip_bytes({"\u00e9.jpg": b"x"}).replace("\u00e9".encode(), b"\xff\xfe")

    assert "a name that is not the UTF-8 that it says it is" in refused(tmp_path, content)


def test_names_of_other_bytes_and_with_line_breaks_are_unpacked_as_they_are(tmp_path: Path) -> None:
    """The stage leaves such files out, and lists them."""
    (tmp_path / "archive").write_bytes(tar_bytes({"\udcff.jpg": b"1", "new\nline.jpg": b"2"}))

    extract(tmp_path / "archive", tmp_path / "out")

    assert sorted(os.fsencode(path.name) for path in (tmp_path / "out").iterdir()) == [
        b"new\nline.jpg",
        b"\xff.jpg",
    ]


def test_a_compression_that_is_not_known_is_no_damage(tmp_path: Path) -> None:
    content = bytearray(zip_bytes({"a": b"x"}))
    content[content.rindex(b"PK\x01\x02") + 10] = content[content.index(b"PK\x03\x04") + 8] = 99

    assert "compression method is not supported: pack it with deflate" in refused(tmp_path, bytes(content))


def test_a_folder_in_a_zip_is_told_by_its_kind_too(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("set")
        info.external_attr = (stat.S_IFDIR | 0o755) << 16
        archive.writestr(info, b"")
        archive.writestr("set/a", b"1")
    (tmp_path / "archive").write_bytes(file.getvalue())

    extract(tmp_path / "archive", tmp_path / "out")

    assert (tmp_path / "out" / "set" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("header", [{"path": "../../evil"}, {"size": "99999999999999"}, {"size": "-5"}])
def test_what_a_tar_says_behind_the_back_of_a_header_is_checked_too(tmp_path: Path, header: dict[str, str]) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("set/a")
        info.size, info.pax_headers = 1, header
        archive.addfile(info, io.BytesIO(b"1"))

    refused(tmp_path, file.getvalue())


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_tar_header_that_would_fill_the_memory_is_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = kind, 2**26
    content = info.tobuf(tarfile.GNU_FORMAT) + bytes(2**26)

    assert "where a header is expected" in refused(tmp_path, gzip.compress(content, 1))


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, form: str) -> None:
    whole = FORMS[form](FILES)
    last = whole.rstrip(b"\0") if form == "tar" else whole
    for end in range(1, len(last), max(1, len(last) // 40)):
        refused(tmp_path, whole[:end])
    if form != "tar":
        refused(tmp_path, whole[:-1])


@pytest.mark.parametrize("form", ["zip stored", "zip deflated", "zip lzma", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_changed_byte_of_content_is_found(tmp_path: Path, form: str) -> None:
    content = bytearray(FORMS[form](FILES))
    within = content.index(b"ants/1.jpg") + 25 if form.startswith("zip") else len(content) // 3
    content[within] ^= 0xFF

    refused(tmp_path, bytes(content))


def test_a_damaged_header_in_the_middle_of_a_tar_is_not_its_end(tmp_path: Path) -> None:
    content = bytearray(tar_bytes(FILES))
    content[content.index(b"set/train/bees")] ^= 0xFF

    assert "is damaged" in refused(tmp_path, bytes(content))


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_bytes(FILES))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    content[content.index(b"PK\x03\x04") + 6] |= 1

    assert "encrypted" in refused(tmp_path, bytes(content))


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>\n<title>Sign in</title>", b"7z\xbc\xaf\x27\x1c" * 100])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    assert "neither a zip nor a tar archive" in refused(tmp_path, content)


def test_an_archive_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(RunhiveError, match="No such file"):
        extract(tmp_path / "none.zip", tmp_path / "out")

    assert not list(tmp_path.iterdir())
