"""Small ICC profiles made by hand (ICC.1:2001-04), and the colours that they stand for."""

import struct
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

# Red, green and blue as columns of XYZ under D50.
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
DISPLAY_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
D50 = np.array([0.9642, 1.0, 0.8249])


def rgb_profile(primaries: NDArray[np.float64], gamma: float) -> bytes:
    """A display whose channels follow *gamma*."""
    columns = {f"{name}XYZ": _xyz(primaries[:, index]) for index, name in enumerate("rgb")}
    return _profile("mntr", "RGB ", "XYZ ", columns | {f"{name}TRC": _curve(gamma) for name in "rgb"})


def grey_profile(gamma: float) -> bytes:
    return _profile("mntr", "GRAY", "XYZ ", {"kTRC": _curve(gamma)})


def cmyk_profile(inks: Sequence[tuple[float, float, float]]) -> bytes:
    """A printer whose full inks, in the order of C, M, Y and K, have these Lab colours; overprints are black."""
    corners = [
        (100.0, 0.0, 0.0) if not any(corner) else inks[corner.index(1)] if sum(corner) == 1 else (0.0, 0.0, 0.0)
        for corner in product((0, 1), repeat=4)
    ]
    table = bytes(round(v) for light, a, b in corners for v in (light * 2.55, a + 128, b + 128))
    matrix = struct.pack(">9i", *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    ramp = bytes(range(256))
    lut = b"mft1" + bytes(4) + struct.pack(">4B", 4, 3, 2, 0) + matrix + ramp * 4 + table + ramp * 3
    return _profile("prtr", "CMYK", "Lab ", {"A2B0": lut})


def to_srgb(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """XYZ (colours, 3) under D50 to sRGB levels, 0 to 255."""
    linear = np.clip(xyz @ np.linalg.inv(SRGB).T, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def lab_to_srgb(lab: tuple[float, float, float]) -> NDArray[np.float64]:
    """Lab under D50 to sRGB levels."""
    light, a, b = lab
    y = (light + 16) / 116
    f = np.array([y + a / 500, y, y - b / 200])
    return to_srgb((D50 * np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)))[None])[0]


def _profile(kind: str, space: str, connection: str, tags: dict[str, bytes]) -> bytes:
    tags = {"desc": _text(b"desc", 79), "cprt": _text(b"text", 0), "wtpt": _xyz(D50)} | tags
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name.encode() + struct.pack(">II", at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", at + len(body), b"", 0x02100000, kind.encode(), space.encode(), connection.encode()
    )
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + b"".join(map(_fixed, D50))
    return head.ljust(128, b"\0") + table + body


def _text(kind: bytes, padding: int) -> bytes:
    length = struct.pack(">I", 5) if kind == b"desc" else b""
    return kind + bytes(4) + length + b"test\0" + bytes(padding - 1 if padding else 0)


def _xyz(colour: Sequence[float] | NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, colour))


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))
