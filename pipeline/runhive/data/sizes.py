"""How large the images of a data set are, as counts in bins whose edges are the same for every data set."""

from collections.abc import Sequence

import numpy as np

from runhive.data.pixels import Examined
from runhive.formats.data_report import Distribution

SIDES = sorted([2**power for power in range(2, 15)] + [3 * 2**power for power in range(1, 14)])
FILE_BYTES = [factor * 10**power for power in range(2, 9) for factor in (1, 2, 5)]
# Between 9:16, 2:3, 3:4, square, 4:3, 3:2, 16:9 and panoramas.
ASPECTS = [0.4, 0.6, 0.7, 0.85, 1.18, 1.42, 1.65, 2.0, 3.0]


def size_distributions(examined: Sequence[Examined]) -> dict[str, Distribution]:
    """Count the images by shorter side, aspect ratio and bytes."""
    images = [one.image for one in examined]
    splits = [image.split for image in images]
    return {
        "shorter_side": distribution([min(image.width, image.height) for image in images], splits, SIDES),
        "aspect_ratio": distribution([image.width / image.height for image in images], splits, ASPECTS),
        "file_bytes": distribution([one.file_bytes for one in examined], splits, FILE_BYTES),
    }


def distribution(values: Sequence[float], splits: Sequence[str], edges: Sequence[float]) -> Distribution:
    """Count *values* per split in the bins between *edges*, without the empty ones at both ends."""
    bins = np.searchsorted(edges, values, side="right")
    first, last = int(bins.min()), int(bins.max())
    in_split = {split: np.array(splits) == split for split in dict.fromkeys(splits)}
    return Distribution(
        smallest=min(values),
        median=float(np.median(values)),
        largest=max(values),
        edges=list(edges[first:last]),
        counts={
            split: np.bincount(bins[inside] - first, minlength=last - first + 1).tolist()
            for split, inside in in_split.items()
        },
    )
