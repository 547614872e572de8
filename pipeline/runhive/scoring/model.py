"""A model ready to answer: decoded images in, logits and probabilities out, by ONNX Runtime on the CPU."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from runhive.decode import Undecodable, load_rgb, to_rgb
from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.preprocess import Pixels, ahead, processors, to_input
from runhive.scoring.locate import downloaded_version, locate
from runhive.scoring.package import Package, read_package
from runhive.scoring.session import Floats, answers, open_session

Picture = str | Path | PIL.Image.Image | NDArray[np.uint8]  # a file, or RGB pixels (height, width, 3)
BATCH = 8  # as quick as more on a CPU, with less memory


@dataclass(frozen=True)
class Prediction:
    """What the model says of one image; `probabilities` is by class, in the model's order."""

    label: str
    confidence: float
    probabilities: dict[str, float]


class Model:
    """An ONNX file of ours in a session of ONNX Runtime. `version` is how the registry calls it, where it does."""

    def __init__(self, package: Package, where: str, version: str = "", threads: int | None = None) -> None:
        self.metadata = package.metadata
        self.sha256 = package.sha256
        self.version = version
        self._session = open_session(package, where, threads or processors())

    @classmethod
    def load(cls, model: str | Path, variant: str = "fp32", threads: int | None = None) -> Self:
        """Open *model*: an ONNX file, a run, or in a repository with a registry `name@version` or `name#alias`.

        *variant* chooses among the files of a run or a version. Raises RunhiveError where there is none.
        """
        found = locate(model, variant)
        package = read_package(found.path)
        version = found.version or downloaded_version(found.path, package.sha256)
        return cls(package, one_line(str(model)), version, threads)

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def classes(self) -> list[str]:
        """The labels, in the order of the outputs."""
        return self.metadata.classes

    def answers(self, batch: Pixels) -> tuple[Floats, Floats]:
        """Logits and probabilities (n, classes) of inputs (n, 3, size, size), as `preprocess.to_input` makes them."""
        return answers(self._session, batch)

    def logits(self, images: Iterable[Picture], batch_size: int = BATCH) -> Floats:
        """Logits (images, classes) in the order of *images*. Raises RunhiveError for one that does not decode."""
        found = [self.answers(batch)[0] for batch in self._batches(images, batch_size)]
        return np.concatenate(found) if found else np.empty((0, len(self.classes)), np.float32)

    def predict(self, images: Iterable[Picture], batch_size: int = BATCH) -> list[Prediction]:
        """One prediction for each of *images*: files, PIL images or RGB arrays (height, width, 3) of uint8.

        Raises RunhiveError for one that does not decode.
        """
        rows = [row for batch in self._batches(images, batch_size) for row in self.answers(batch)[1]]
        return [self._prediction(row) for row in rows]

    def _prediction(self, probabilities: Floats) -> Prediction:
        best = int(probabilities.argmax())
        by_class = dict(zip(self.classes, map(float, probabilities), strict=True))
        return Prediction(self.classes[best], float(probabilities[best]), by_class)

    def _batches(self, images: Iterable[Picture], batch_size: int) -> Iterator[Pixels]:
        inputs = ahead(lambda image: to_input(_rgb(image), self.metadata.preprocess), images, 2 * batch_size)
        while batch := list(islice(inputs, batch_size)):
            yield np.stack(batch)


def _rgb(image: Picture) -> PIL.Image.Image:
    """*image* decoded, upright and in sRGB, where it is a file; as it is, where it is pixels."""
    if isinstance(image, str | Path):
        return load_rgb(Path(image))
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise RunhiveError(
                f"an array of {image.dtype} {image.shape} is no image: give uint8 (height, width, 3), RGB"
            )
        return PIL.Image.fromarray(image)
    try:
        return to_rgb(image)
    except Undecodable as error:
        raise RunhiveError(f"an image of {image.mode} {image.size}: {error}") from None
