"""Which files become images of the data set."""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from runhive.data.images import find_images
from runhive.errors import RunhiveError
from runhive.files import sha256_of

Draw = Callable[..., Path]


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 1000) + b"IDAT"


def reasons(folder: Path) -> dict[str, str]:
    """Why each file that is left out is."""
    images, left_out = find_images(folder)
    assert len(images) == 10
    assert [one.path for one in left_out] == sorted(one.path for one in left_out)
    return {one.path: one.reason for one in left_out}


def test_an_image_has_its_split_label_digest_and_size(data_set: Path) -> None:
    images, left_out = find_images(data_set)

    assert left_out == []
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

    images, left_out = find_images(data_set)

    assert len(images) == 11
    assert left_out == []


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_eight_bit_modes_are_kept(data_set: Path, mode: str) -> None:
    name = "extra.tif" if mode == "CMYK" else "extra.png"
    PIL.Image.new(mode, (5, 4)).save(data_set / "val" / "bees" / name)

    assert len(find_images(data_set)[0]) == 11


def test_what_the_file_is_called_decides_nothing(data_set: Path, draw: Draw) -> None:
    draw(data_set / "val" / "bees" / "photo.txt", format="JPEG")

    assert len(find_images(data_set)[0]) == 11


def test_a_jpeg_with_a_preview_behind_it_is_kept(data_set: Path, draw: Draw) -> None:
    preview = PIL.Image.new("RGB", (4, 4))
    draw(data_set / "val" / "bees" / "camera.jpg", format="MPO", save_all=True, append_images=[preview])

    images, _ = find_images(data_set)

    assert len(images) == 11


@pytest.mark.parametrize(("orientation", "size"), [(1, (12, 10)), (3, (12, 10)), (6, (10, 12)), (8, (10, 12))])
def test_the_size_is_that_of_the_upright_image(
    data_set: Path, draw: Draw, orientation: int, size: tuple[int, int]
) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    draw(data_set / "train" / "ants" / "turned.jpg", exif=exif)

    turned = next(image for image in find_images(data_set)[0] if image.path.endswith("turned.jpg"))

    assert (turned.width, turned.height) == size


def test_a_gif_is_left_out_with_what_to_do(data_set: Path) -> None:
    PIL.Image.new("P", (4, 4)).save(data_set / "train" / "ants" / "not-found.gif")

    assert reasons(data_set) == {"train/ants/not-found.gif": "GIF, not a photo format: convert it to PNG to keep it"}


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_more_than_one_frame_is_left_out(data_set: Path, draw: Draw, suffix: str) -> None:
    second = PIL.Image.new("RGB", (12, 10))
    draw(data_set / "train" / "ants" / f"moving.{suffix}", save_all=True, append_images=[second])

    assert "2 frames" in reasons(data_set)[f"train/ants/moving.{suffix}"]


@pytest.mark.parametrize(("kind", "suffix"), [("uint16", "png"), ("uint16", "tif"), ("float32", "tif")])
def test_more_bits_than_eight_are_left_out(data_set: Path, kind: str, suffix: str) -> None:
    """Pillow clips them to white on the way to RGB."""
    PIL.Image.fromarray(np.full((4, 4), 60_000, dtype=kind)).save(data_set / "val" / "ants" / f"deep.{suffix}")

    assert "more than 8 bits" in reasons(data_set)[f"val/ants/deep.{suffix}"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (b"not an image\n", "not an image of a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of a known format"),
        (png_header(30_000, 30_000), "more than 178 million pixels"),
        (png_header(14_000, 12_750), "more than 178 million pixels"),
        (png_header(9_000, 10_000), "damaged"),
        (png_header(10, 10), "damaged"),
    ],
)
def test_what_does_not_decode_is_left_out(data_set: Path, content: bytes, words: str) -> None:
    (data_set / "val" / "bees" / "bad.jpg").write_bytes(content)

    assert words in reasons(data_set)["val/bees/bad.jpg"]


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

    images, left_out = find_images(data_set)

    assert len(images) == 13
    assert left_out == []


def test_a_test_split_is_read_where_there_is_one(data_set: Path) -> None:
    shutil.copytree(data_set / "val", data_set / "test")

    assert {image.split for image in find_images(data_set)[0]} == {"train", "val", "test"}


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda root: empty(root / "train"), "train has no class folder"),
        (lambda root: [shutil.rmtree(root / split / "bees") for split in ("train", "val")], "single class ants"),
        (lambda root: empty(root / "train" / "bees"), "train/bees is empty"),
        (lambda root: (root / "val" / "bees").rename(root / "val" / "wasps"), "classes that train lacks: wasps"),
        (lambda root: shutil.rmtree(root / "val" / "ants"), "val lacks classes that train has: ants"),
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
