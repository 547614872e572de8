"""How well near-duplicates are told, and how long it takes.

`python tests/benchmarks/near_duplicates.py FOLDER` with a folder of photos, such as the one of ants and bees.
"""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image

sys.path.insert(0, str(Path(__file__).parents[2] / "pipeline"))

from runhive.data import duplicates  # Runhive itself need not be installed
from runhive.data.fingerprint import fingerprint
from runhive.decode import FORMATS, load_rgb
from runhive.errors import RunhiveError

Change = Callable[[PIL.Image.Image], PIL.Image.Image]


def saved(quality: int) -> Change:
    def change(image: PIL.Image.Image) -> PIL.Image.Image:
        content = io.BytesIO()
        image.save(content, "JPEG", quality=quality)
        return PIL.Image.open(content).convert("RGB")

    return change


def cropped(share: float) -> Change:
    def change(image: PIL.Image.Image) -> PIL.Image.Image:
        x, y = round(image.width * share), round(image.height * share)
        return image.crop((x, y, image.width - x, image.height - y))

    return change


CHANGES: dict[str, Change] = {
    "JPEG, quality 50": saved(50),
    "JPEG, quality 20": saved(20),
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2), PIL.Image.Resampling.LANCZOS),
    "squeezed to 224 x 224": lambda image: image.resize((224, 224)),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "15 % brighter": lambda image: image.point(lambda level: min(255, int(level * 1.15 + 5))),
    "20 % less contrast": lambda image: image.point(lambda level: int(128 + (level - 128) * 0.8)),
    "2 % cut off each side": cropped(0.02),
    "5 % cut off each side": cropped(0.05),
    "mirrored": lambda image: image.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT),
}


def photos(folder: Path) -> list[PIL.Image.Image]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                found.append(load_rgb(path))
            except RunhiveError as error:
                print(f"left out: {error}; formats are {', '.join(FORMATS)}")
    return found


def grouped(looks: list[bytes]) -> int:
    """How many of *looks* are in a group."""
    return sum(map(len, duplicates.near_duplicates(looks)))


def tiles(images: list[PIL.Image.Image], side: int, most: int) -> list[bytes]:
    """Looks of different pieces of the photos."""
    found: dict[bytes, None] = {}
    for image in images:
        for left in range(0, image.width - side, side // 2):
            for top in range(0, image.height - side, side // 2):
                found[fingerprint(image.crop((left, top, left + side, top + side)))] = None
                if len(found) == most:
                    return list(found)
    return list(found)


def discs(count: int) -> list[bytes]:
    """Looks of dark shapes on white, the hardest case: their hashes are nearly all the same."""
    rng = np.random.default_rng(0)
    found: dict[bytes, None] = {}
    y, x = np.mgrid[:64, :64]
    while len(found) < count:
        cx, cy, rx, ry, grey = *rng.integers(16, 48, 2), *rng.integers(6, 16, 2), rng.integers(0, 200)
        picture = np.where(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1, grey, 255).astype(np.uint8)
        found[fingerprint(PIL.Image.fromarray(picture).convert("RGB"))] = None
    return list(found)


def main() -> None:
    images = photos(Path(sys.argv[1]))
    looks = [fingerprint(image) for image in images]
    print(f"{len(images)} photos, {grouped(looks)} of them in groups of near-duplicates\n")
    print("changed copy             found")
    for name, change in CHANGES.items():
        hits = sum(
            len(duplicates.near_duplicates([look, fingerprint(change(image))]))
            for look, image in zip(looks, images, strict=True)
        )
        print(f"{name:24} {hits / len(images):6.1%}")
    print("\ndifferent pictures              images  in groups  seconds  microseconds an image")
    for name, some in (
        ("pieces of the photos", tiles(images, 96, 20_000)),
        ("dark shapes on white", discs(20_000)),
    ):
        for count in (5_000, 10_000, 20_000):
            if count <= len(some):
                began = time.process_time()
                inside = grouped(some[:count])
                spent = time.process_time() - began
                print(f"{name:30} {count:7,} {inside:10,} {spent:8.2f} {spent / count * 1e6:22.0f}")


if __name__ == "__main__":
    main()
