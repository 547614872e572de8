"""scikit-learn's handwritten digits as image files: a real data set that needs no network."""

from collections import Counter
from pathlib import Path

import PIL.Image

from runhive.errors import RunhiveError

VAL_EVERY = 5
BRIGHTEST = 16


def write_digits(folder: Path) -> None:
    """Write the 1,797 grey 8x8 images to `{train,val}/<digit>/<index>.png` in *folder*.

    Every fifth image of a digit is for validation. Raises RunhiveError where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise RunhiveError("scikit-learn is missing: pip install 'runhive[train]'") from None
    images, digits = load_digits(return_X_y=True)
    pixels = (images.reshape(-1, 8, 8) * 255 / BRIGHTEST).round().astype("uint8")  # (images, 8, 8)
    seen: Counter[int] = Counter()
    for index, digit in enumerate(map(int, digits)):
        seen[digit] += 1
        split = "train" if seen[digit] % VAL_EVERY else "val"
        target = folder / split / str(digit) / f"{index:04d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        # Uncompressed, because deflated bytes, and with them the data's digest, differ between zlib builds.
        PIL.Image.fromarray(pixels[index]).save(target, compress_level=0)
