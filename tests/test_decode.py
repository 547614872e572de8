"""One function reads every image: what it makes of each kind of file, by its pixels."""

import ast
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from PIL import ImageCms

import icc
import runhive
from runhive.decode import load_rgb
from runhive.errors import RunhiveError

Pixels = NDArray[np.uint8]
ORIENTATION = 0x0112  # the EXIF tag
INKS = [(55.0, -37.0, -50.0), (48.0, 74.0, -3.0), (89.0, -5.0, 93.0), (16.0, 0.0, 0.0)]
PACKAGE = Path(runhive.__file__).parent


def noise(width: int, height: int, channels: int = 3) -> Pixels:
    return np.random.default_rng(0).integers(256, size=(height, width, channels), dtype=np.uint8)


def saved(image: PIL.Image.Image, path: Path, **options: Any) -> Pixels:
    """The pixels that *image* has after a way through a file."""
    image.save(path, **options)
    return np.asarray(load_rgb(path))


def on_white(colours: Pixels, alpha: Pixels) -> NDArray[np.float64]:
    share = alpha[..., None] / 255
    return colours * share + 255 * (1 - share)


def close(found: Pixels, expected: Any, levels: float = 1) -> bool:
    return bool(np.abs(found.astype(float) - expected).max() <= levels)


def png16(pixels: NDArray[np.uint16]) -> bytes:
    """A PNG of 16 bits per channel, in grey or colour: Pillow writes none in colour."""
    height, width = pixels.shape[:2]
    colour_type = {2: 0, 3: 2}[pixels.ndim]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
    ]
    framed = [
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in [*chunks, (b"IEND", b"")]
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def tiff12(values: list[int]) -> bytes:
    """A TIFF of one row of grey, 12 bits each."""
    bits = "".join(f"{value:012b}" for value in values)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    tags = {256: len(values), 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


TURNED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels.transpose(1, 0, 2)[:, ::-1],
    7: lambda pixels: pixels.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
@pytest.mark.parametrize("orientation", TURNED)
def test_an_image_is_turned_once_as_its_exif_says(orientation: int, suffix: str, tmp_path: Path) -> None:
    pixels = noise(20, 30)
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    found = saved(PIL.Image.fromarray(pixels), tmp_path / f"image.{suffix}", exif=exif, **options)

    assert np.array_equal(found, TURNED[orientation](pixels))


def test_an_image_is_turned_though_the_rest_of_its_exif_is_broken(tmp_path: Path) -> None:
    """Pillow's exif_transpose writes the other tags anew and fails where one is not of its type."""
    exif = PIL.Image.Exif()
    exif[ORIENTATION], exif[0x010F] = 6, "Maker"
    broken = exif.tobytes().replace(b"\x01\x0f\x00\x02", b"\x01\x00\x00\x02")  # a width in letters
    pixels = noise(20, 30)

    assert np.array_equal(saved(PIL.Image.fromarray(pixels), tmp_path / "image.png", exif=broken), TURNED[6](pixels))


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "ppm"])
def test_eight_bits_of_colour_stay_as_they_are(suffix: str, tmp_path: Path) -> None:
    pixels = noise(20, 30)

    assert np.array_equal(saved(PIL.Image.fromarray(pixels), tmp_path / f"image.{suffix}"), pixels)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
def test_grey_and_one_bit_become_three_equal_channels(suffix: str, tmp_path: Path) -> None:
    grey = noise(16, 16, 1)[:, :, 0]
    bits = PIL.Image.fromarray(grey > 127)

    assert np.array_equal(saved(PIL.Image.fromarray(grey), tmp_path / f"grey.{suffix}"), np.dstack([grey] * 3))
    assert np.array_equal(saved(bits, tmp_path / f"bits.{suffix}"), np.dstack([np.where(grey > 127, 255, 0)] * 3))


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    palette = noise(256, 1)[0]
    image = PIL.Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert("P")
    image.putpalette(palette.tobytes())

    assert np.array_equal(saved(image, tmp_path / "image.png"), palette.reshape(16, 16, 3))


@pytest.mark.parametrize(("mode", "suffix"), [("RGBA", "png"), ("RGBA", "tif"), ("RGBA", "webp"), ("LA", "png")])
def test_what_is_transparent_shows_white(mode: str, suffix: str, tmp_path: Path) -> None:
    pixels = noise(16, 16, len(mode))
    colours = pixels[:, :, :-1] if mode == "RGBA" else np.dstack([pixels[:, :, 0]] * 3)
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    found = saved(PIL.Image.fromarray(pixels), tmp_path / f"image.{suffix}", **options)

    assert close(found, on_white(colours, pixels[:, :, -1]))


def test_a_palette_with_transparency_shows_white_through(tmp_path: Path) -> None:
    palette, alpha = noise(256, 1)[0], np.arange(256, dtype=np.uint8)[::-1]
    image = PIL.Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert("P")
    image.putpalette(palette.tobytes())
    found = saved(image, tmp_path / "image.png", transparency=alpha.tobytes())

    assert close(found.reshape(256, 3), on_white(palette, alpha))


def test_a_palette_with_an_alpha_channel_shows_white_through(tmp_path: Path) -> None:
    image = PIL.Image.fromarray(noise(16, 16, 4)).convert("PA")
    expected = on_white(np.asarray(image.convert("RGB")), np.asarray(image.getchannel("A")))

    assert close(saved(image, tmp_path / "image.tif"), expected)


@pytest.mark.parametrize(("mode", "key", "shown"), [("RGB", (10, 20, 30), (10, 20, 31)), ("L", 7, 8), ("1", 0, 255)])
def test_a_colour_that_stands_for_transparent_shows_white(mode: str, key: Any, shown: Any, tmp_path: Path) -> None:
    image = PIL.Image.new(mode, (2, 1), key)
    image.putpixel((1, 0), shown)
    hidden, kept = saved(image, tmp_path / "image.png", transparency=key)[0]

    assert hidden.tolist() == [255, 255, 255]
    assert np.array_equal(kept, np.broadcast_to(shown, 3))


def test_cmyk_becomes_the_light_that_its_inks_leave(tmp_path: Path) -> None:
    pixels = noise(16, 16, 4)
    ink, black = pixels[:, :, :3] / 255, pixels[:, :, 3:] / 255
    found = saved(PIL.Image.fromarray(pixels, "CMYK"), tmp_path / "image.tif")

    assert close(found, 255 * (1 - ink) * (1 - black))


def test_a_cmyk_jpeg_whose_levels_adobe_inverted_is_no_negative(tmp_path: Path) -> None:
    image = PIL.Image.new("CMYK", (16, 16), (255, 0, 0, 51))
    found = saved(image, tmp_path / "image.jpg", quality=100)

    assert b"Adobe" in (tmp_path / "image.jpg").read_bytes()
    assert close(found, (0, 204, 204), 3)


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_sixteen_bits_of_grey_keep_their_high_byte(suffix: str, tmp_path: Path) -> None:
    grey = np.arange(0, 65536, 257 // 2, dtype=np.uint16)[:500].reshape(20, 25)
    found = saved(PIL.Image.fromarray(grey), tmp_path / f"image.{suffix}")

    assert np.array_equal(found, np.dstack([grey >> 8] * 3))


def test_sixteen_bits_of_grey_are_read_in_either_byte_order(tmp_path: Path) -> None:
    grey = np.arange(0, 60_000, 100, dtype=np.uint16).reshape(20, 30)
    big = PIL.Image.frombytes("I;16B", (30, 20), grey.astype(">u2").tobytes())

    assert np.array_equal(saved(big, tmp_path / "image.tif")[:, :, 0], grey >> 8)


def test_sixteen_bits_in_a_png_keep_their_high_byte_in_grey_as_in_colour(tmp_path: Path) -> None:
    colour = np.random.default_rng(0).integers(65536, size=(20, 30, 3), dtype=np.uint16)
    (tmp_path / "colour.png").write_bytes(png16(colour))
    (tmp_path / "grey.png").write_bytes(png16(colour[:, :, 0]))

    assert np.array_equal(np.asarray(load_rgb(tmp_path / "colour.png")), colour >> 8)
    assert np.array_equal(np.asarray(load_rgb(tmp_path / "grey.png"))[:, :, 0], colour[:, :, 0] >> 8)


def test_twelve_bits_of_grey_reach_white(tmp_path: Path) -> None:
    (tmp_path / "image.tif").write_bytes(tiff12([0, 16, 2048, 4095]))

    assert np.asarray(load_rgb(tmp_path / "image.tif"))[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_a_wide_gamut_is_brought_to_srgb(suffix: str, tmp_path: Path) -> None:
    """Against the profile's own arithmetic: gamma 2.2, the primaries of Display P3, then sRGB's curve."""
    colours = np.array([[200, 100, 50], [60, 200, 90], [128, 128, 128], [255, 255, 255], [30, 40, 160]], np.uint8)
    image = PIL.Image.fromarray(np.repeat(np.repeat(colours[None], 16, axis=0), 16, axis=1))
    profile = icc.rgb_profile(icc.DISPLAY_P3, 2.2)
    options = {"jpg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}}.get(suffix, {})
    found = saved(image, tmp_path / f"image.{suffix}", icc_profile=profile, **options)[8, 8::16]

    assert close(found, icc.to_srgb((colours / 255) ** 2.2 @ icc.DISPLAY_P3.T), 3 if suffix == "jpg" else 1.5)


def test_a_grey_profile_is_brought_to_srgb(tmp_path: Path) -> None:
    grey = np.arange(256, dtype=np.uint8)[None]
    found = saved(PIL.Image.fromarray(grey), tmp_path / "image.png", icc_profile=icc.grey_profile(1.0))

    assert close(found[0, 16:], icc.to_srgb(grey.T[16:] / 255 * icc.D50))


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_a_printer_s_profile_decides_what_its_inks_look_like(suffix: str, tmp_path: Path) -> None:
    image = PIL.Image.new("CMYK", (64, 16))
    for index in range(4):
        image.paste(tuple(255 * (index == ink) for ink in range(4)), (16 * index, 0, 16 * index + 16, 16))
    options = {"quality": 100} if suffix == "jpg" else {}
    found = saved(image, tmp_path / f"image.{suffix}", icc_profile=icc.cmyk_profile(INKS), **options)[8, 8::16]

    assert close(found, [icc.lab_to_srgb(ink) for ink in INKS], 4 if suffix == "jpg" else 2)


def test_transparent_parts_are_white_after_the_profile_was_applied(tmp_path: Path) -> None:
    image = PIL.Image.new("RGBA", (2, 1), (200, 100, 50, 0))
    image.putpixel((1, 0), (200, 100, 50, 255))
    hidden, shown = saved(image, tmp_path / "image.png", icc_profile=icc.rgb_profile(icc.DISPLAY_P3, 2.2))[0]

    assert hidden.tolist() == [255, 255, 255]
    assert shown.tolist() == [216, 93, 24]


def test_srgb_s_own_profile_changes_no_pixel(tmp_path: Path) -> None:
    pixels = noise(20, 30)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    assert np.array_equal(saved(PIL.Image.fromarray(pixels), tmp_path / "image.png", icc_profile=profile), pixels)


WIDE = icc.rgb_profile(icc.DISPLAY_P3, 2.2)


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("RGB", b"no profile"),
        ("RGB", WIDE[:300]),
        ("RGB", WIDE[:128] + bytes(len(WIDE) - 128)),
        ("RGB", icc.grey_profile(1.0)),
        ("RGB", icc.cmyk_profile(INKS)),
        ("L", WIDE),
    ],
    ids=["text", "cut off", "zeros", "of grey", "of inks", "colour in grey"],
)
def test_a_profile_that_is_broken_or_of_other_pixels_is_as_none(mode: str, profile: bytes, tmp_path: Path) -> None:
    image = PIL.Image.fromarray(noise(20, 30)).convert(mode)
    plain = saved(image, tmp_path / "plain.png")

    assert np.array_equal(saved(image, tmp_path / "image.png", icc_profile=profile), plain)


def test_who_saves_the_image_passes_on_neither_profile_nor_orientation(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = 6
    PIL.Image.fromarray(noise(20, 30)).save(tmp_path / "image.png", icc_profile=WIDE, exif=exif)
    again = io.BytesIO()
    load_rgb(tmp_path / "image.png").save(again, "PNG")

    with PIL.Image.open(again) as image:
        assert (image.info, dict(image.getexif())) == ({}, {})


@pytest.mark.parametrize(
    ("kind", "suffix", "words"),
    [
        (np.float32, "tif", "numbers whose white is unknown"),
        (np.int32, "tif", "numbers whose white is unknown"),
        (np.uint8, "gif", "convert it to PNG"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_names_the_file(
    kind: type, suffix: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / f"two\nlines.{suffix}"
    PIL.Image.fromarray(np.full((4, 4), 60, dtype=kind)).save(path)

    with pytest.raises(RunhiveError, match=words) as raised:
        load_rgb(path)
    assert str(raised.value).startswith(f"{tmp_path}/two\\nlines.{suffix}: ")
    assert str(raised.value).isprintable()


def test_no_other_module_opens_an_image_file() -> None:
    opening = [
        path.relative_to(PACKAGE).as_posix()
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("PIL.Image.open", "Image.open")
    ]

    assert opening == ["decode.py"]
