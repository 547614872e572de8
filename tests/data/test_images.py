"""Which files become images of the data set."""

import io
import os
import shutil
import struct
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from runhive.data.decoding import PixelBudget
from runhive.data.images import find_images
from runhive.data.pixels import examine
from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.data_report import LeftOut
from runhive.formats.manifest import Image

Draw = Callable[..., Path]


def png_header(width: int, height: int, bits: int = 8, colour_type: int = 2) -> bytes:
    """A PNG that claims a size and has no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 1000) + b"IDAT"


def tiff_header(width: int, height: int) -> bytes:
    """A TIFF that claims a size, 16 bits of grey, and has no pixels."""
    tags = {256: width, 257: height, 258: 16, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: 2**31}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4)


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG that claims a size and has no pixels."""
    small = io.BytesIO()
    PIL.Image.new("L", (8, 8)).save(small, "JPEG")
    frame = small.getvalue().index(b"\xff\xc0")
    content = bytearray(small.getvalue())
    content[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def reasons(folder: Path) -> dict[str, str]:
    """Why each file that is left out is."""
    found = find_images(folder)
    assert len(found.examined) == 10
    assert [one.path for one in found.left_out] == sorted(one.path for one in found.left_out)
    return {one.path: one.reason for one in found.left_out}


def kept(folder: Path) -> list[Image]:
    """The images of a data set in which every file is one."""
    found = find_images(folder)
    assert found.left_out == []
    return [one.image for one in found.examined]


def test_an_image_has_its_split_label_digest_and_size(data_set: Path) -> None:
    images = kept(data_set)

    assert [image.path for image in images] == sorted(
        str(path.relative_to(data_set)) for path in data_set.rglob("*.png")
    )
    for image in images:
        assert image.path.startswith(f"{image.split}/{image.label}/")
        assert image.sha256 == sha256_of(data_set / image.path)
        assert (image.width, image.height) == (12, 10)


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "png", "bmp", "webp", "tif", "ppm", "JPG"])
def test_formats_of_photos_are_kept(data_set: Path, draw: Draw, suffix: str) -> None:
    draw(data_set / "val" / "bees" / f"extra.{suffix}")

    assert len(kept(data_set)) == 11


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_eight_bit_modes_are_kept(data_set: Path, mode: str) -> None:
    name = "extra.tif" if mode == "CMYK" else "extra.png"
    PIL.Image.new(mode, (5, 4)).save(data_set / "val" / "bees" / name)

    assert len(kept(data_set)) == 11


def test_what_the_file_is_called_decides_nothing(data_set: Path, draw: Draw) -> None:
    draw(data_set / "val" / "bees" / "photo.txt", format="JPEG")

    assert len(kept(data_set)) == 11


def test_a_jpeg_with_a_preview_behind_it_is_kept(data_set: Path, draw: Draw) -> None:
    preview = PIL.Image.new("RGB", (4, 4))
    draw(data_set / "val" / "bees" / "camera.jpg", format="MPO", save_all=True, append_images=[preview])

    assert len(kept(data_set)) == 11


@pytest.mark.parametrize(("orientation", "size"), [(1, (12, 10)), (3, (12, 10)), (6, (10, 12)), (8, (10, 12))])
def test_the_size_is_that_of_the_upright_image(
    data_set: Path, draw: Draw, orientation: int, size: tuple[int, int]
) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    draw(data_set / "train" / "ants" / "turned.jpg", exif=exif)

    turned = next(image for image in kept(data_set) if image.path.endswith("turned.jpg"))

    assert (turned.width, turned.height) == size


def test_a_gif_is_left_out_with_what_to_do(data_set: Path) -> None:
    PIL.Image.new("P", (4, 4)).save(data_set / "train" / "ants" / "not-found.gif")

    assert reasons(data_set) == {"train/ants/not-found.gif": "GIF, not a photo format: convert it to PNG to keep it"}


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_more_than_one_frame_is_left_out(data_set: Path, draw: Draw, suffix: str) -> None:
    second = PIL.Image.new("RGB", (12, 10))
    draw(data_set / "train" / "ants" / f"moving.{suffix}", save_all=True, append_images=[second])

    assert "2 frames" in reasons(data_set)[f"train/ants/moving.{suffix}"]


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_sixteen_bits_of_grey_are_kept(data_set: Path, suffix: str) -> None:
    PIL.Image.fromarray(np.full((4, 4), 60_000, np.uint16)).save(data_set / "val" / "ants" / f"deep.{suffix}")

    assert len(kept(data_set)) == 11


@pytest.mark.parametrize("kind", ["float32", "int32"])
def test_numbers_whose_white_is_unknown_are_left_out(data_set: Path, kind: str) -> None:
    PIL.Image.fromarray(np.full((4, 4), 60_000, dtype=kind)).save(data_set / "val" / "ants" / "deep.tif")

    assert "whose white is unknown" in reasons(data_set)["val/ants/deep.tif"]


@pytest.mark.fault(
    "fetch",
    "an empty file, a text named `.jpg`, an image of too many pixels",
    wanted="left out with its reason, or the end with `data.on_bad: error`",
    said="left out: …: empty file",
)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (b"not an image\n", "not an image of a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of a known format"),
        (png_header(30_000, 30_000), "more than 178 million pixels"),
        (png_header(14_000, 12_750), "more than 178 million pixels"),
        (png_header(14_000, 12_750, 16), "more than 178 million pixels"),
        (png_header(14_000, 12_750, 16, 0), "more than 178 million pixels"),
        (png_header(2**31 - 1, 2**31 - 1, 1, 0), "more than 178 million pixels"),
        (tiff_header(60_000, 60_000), "more than 178 million pixels"),
        (jpeg_header(65_500, 65_500), "more than 178 million pixels"),
        (png_header(9_000, 10_000), "damaged"),
        (png_header(10, 10), "damaged"),
    ],
)
def test_what_does_not_decode_is_left_out(data_set: Path, content: bytes, words: str) -> None:
    (data_set / "val" / "bees" / "bad.jpg").write_bytes(content)

    assert words in reasons(data_set)["val/bees/bad.jpg"]


@pytest.mark.fault(
    "fetch",
    "an image that is cut off",
    wanted="left out with its reason, or the end with `data.on_bad: error`",
)
@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "webp", "tif", "ppm"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_truncated_image_is_left_out(data_set: Path, draw: Draw, suffix: str, part: float) -> None:
    path = draw(data_set / "train" / "bees" / f"cut.{suffix}", size=(90, 80))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])

    assert f"train/bees/cut.{suffix}" in reasons(data_set)


def test_the_pixel_cap_of_others_is_as_it_was(data_set: Path) -> None:
    before = PIL.Image.MAX_IMAGE_PIXELS

    find_images(data_set)

    assert before == PIL.Image.MAX_IMAGE_PIXELS


def test_links_hidden_things_and_strays_are_left_out_with_a_reason_each(data_set: Path, draw: Draw) -> None:
    ants = data_set / "train" / "ants"
    (ants / "link.png").symlink_to(ants / "0.png")
    (ants / "broken.png").symlink_to("nowhere")
    (data_set / "train" / "wasps").symlink_to(ants)
    draw(ants / ".hidden.png")
    draw(data_set / "val" / ".cache" / "a.png")
    draw(ants / "more" / "a.png")
    draw(data_set / "val" / "stray.png")
    os.mkfifo(ants / "pipe")

    assert reasons(data_set) == {
        "train/ants/.hidden.png": "hidden",
        "train/ants/broken.png": "a symbolic link",
        "train/ants/link.png": "a symbolic link",
        "train/ants/more": "a folder inside a class folder",
        "train/ants/pipe": "neither a file nor a folder",
        "train/wasps": "a symbolic link",
        "val/.cache": "hidden",
        "val/stray.png": "not in a class folder",
    }


@pytest.mark.fault(
    "fetch",
    "file names that are no UTF-8 or break lines",
    wanted="left out, and shown on one line",
    said="left out: …: its name is not UTF-8",
)
def test_names_that_are_no_utf8_or_break_lines_are_left_out_and_shown_on_one_line(data_set: Path) -> None:
    bees = data_set / "val" / "bees"
    for name in (b"\xff.png", b"new\nline.png", b"bell\x07.png"):
        shutil.copy(bees / "0.png", os.fsencode(bees) + b"/" + name)
    os.mkdir(os.fsencode(data_set / "val") + b"/cl\xe9ment")  # noqa: PTH102  # a name in bytes

    assert reasons(data_set) == {
        "val/bees/\\udcff.png": "its name is not UTF-8",
        "val/bees/bell\\x07.png": "its name holds a control character or a line break",
        "val/bees/new\\nline.png": "its name holds a control character or a line break",
        "val/cl\\udce9ment": "its name is not UTF-8",
    }


def test_long_and_foreign_names_are_kept(data_set: Path, draw: Draw) -> None:
    for name in ("x" * 251 + ".png", "Ameise, \u00fcber 'dem' \"Berg\": 1.png", "\u8681.png"):
        draw(data_set / "val" / "bees" / name)

    assert len(kept(data_set)) == 13


def test_a_test_split_is_read_where_there_is_one(data_set: Path) -> None:
    shutil.copytree(data_set / "val", data_set / "test")

    assert {image.split for image in kept(data_set)} == {"train", "val", "test"}


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.fault(
    "fetch",
    "an empty class, a single class, a class that train lacks",
    wanted="refused, naming the class",
    said="… has classes that train lacks: …: a model can only tell what it was trained on",
)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: empty(root / "train"), "train has no class folder"),
        (lambda root: [shutil.rmtree(root / split / "bees") for split in ("train", "val")], "single class ants"),
        (lambda root: empty(root / "train" / "bees"), "train/bees is empty"),
        (lambda root: (root / "val" / "bees").rename(root / "val" / "wasps"), "classes that train lacks: wasps"),
        (lambda root: empty(root / "val"), "val has no class folder"),
        (lambda root: (root / "val" / "bees").rename(root / "val" / "Bees"), "'Bees' and 'bees' differ in capitals"),
        (lambda root: (root / "train" / "ants ").mkdir(), "'ants' and 'ants ' differ in capitals, blanks or"),
        (
            lambda root: [(root / "train" / name).mkdir() for name in ("\u00e9t\u00e9", "e\u0301te\u0301")],
            r"'e\\u0301te\\u0301' and '\\xe9t\\xe9' differ in capitals, blanks or Unicode form alone: name them alike",
        ),
        (lambda root: (root / "test" / "flies").mkdir(parents=True), "test has classes that train lacks: flies"),
        (
            lambda root: [path.write_bytes(b"no") for path in (root / "val" / "ants").iterdir()],
            "val/ants has no image that decodes: val/ants/0.png: not an image",
        ),
    ],
)
def test_classes_that_do_not_fit_are_named(data_set: Path, change: Callable[[Path], object], words: str) -> None:
    change(data_set)

    with pytest.raises(RunhiveError, match=words):
        find_images(data_set)


def test_another_split_may_lack_a_class_of_train(data_set: Path) -> None:
    shutil.rmtree(data_set / "val" / "ants")

    assert {image.label for image in kept(data_set) if image.split == "val"} == {"bees"}


def test_images_are_decoded_side_by_side_within_a_number_of_pixels() -> None:
    budget, most, now = PixelBudget(100), 0, 0
    lock = threading.Lock()
    both_in = threading.Barrier(2)

    def decode(pixels: int) -> None:
        nonlocal most, now
        with budget.taken(pixels):
            with lock:
                now += pixels
                most = max(most, now)
            if pixels == 50:
                both_in.wait(timeout=60)  # fails where one of two halves has to wait for the other
            with lock:
                now -= pixels

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, [100, 60, 60, 30, 100, 7, 99]))
        list(pool.map(decode, [50, 50]))

    assert most <= 100
    assert budget.left == 100


def test_a_damaged_image_gives_its_pixels_back_to_the_budget(data_set: Path, draw: Draw) -> None:
    content = draw(data_set / "train" / "ants" / "cut.png", size=(90, 80)).read_bytes()
    (data_set / "train" / "ants" / "cut.png").write_bytes(content[:2000])
    budget = PixelBudget(7200)

    assert isinstance(examine(data_set, budget, "train/ants/cut.png"), LeftOut)
    assert budget.left == 7200
