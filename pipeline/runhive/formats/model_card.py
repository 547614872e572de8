"""models/model.json: all that is needed to use the weights beside it."""

from typing import ClassVar

from runhive.formats.document import Document, Record
from runhive.formats.preprocess import Preprocess


class Selection(Record):
    """How the epoch was chosen, and the content digest of the images it was chosen on (None for `last`)."""

    rule: str
    epoch: int
    digest: str | None


class ModelCard(Document):
    """A classifier: uint8 NCHW RGB at `preprocess.image_size` in, one output for each of `classes`, in their order."""

    version: ClassVar[int] = 1

    name: str
    arch: str
    classes: list[str]
    preprocess: Preprocess
    selection: Selection
    weights_sha256: str
    parameters: int
    data_digest: str
