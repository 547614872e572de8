"""results/parity.json: how close the exported models are to the trained one, and what they cost to run."""

from typing import ClassVar

from pydantic import Field

from runhive.formats.document import Document, Record


class Flip(Record):
    """An image that the exported model answers otherwise: `path` in the images folder, and both answers."""

    path: str
    torch: str
    onnx: str


class Variant(Record):
    """The model in smaller numbers. One that changes more than `most_changed` of the answers is left out.

    `reason` says why, and is empty for one that is kept. A difference is null where logits are not finite.
    Milliseconds are for one image, median, alone and in a batch of 32.
    """

    name: str
    reason: str
    onnx_sha256: str
    onnx_bytes: int
    most_changed: float
    relative_difference: float | None
    absolute_difference: float | None
    top1_agreement: float
    flips: list[Flip]
    milliseconds: float
    milliseconds_in_32: float


class Parity(Document):
    """Torch against ONNX Runtime over every image of the evaluation set; `variants` are those beside fp32.

    `relative_difference` is the largest difference of logits over `logit_spread`, the standard deviation of
    the torch logits about their mean over the images. Milliseconds are for one image, median.
    """

    version: ClassVar[int] = 2
    oldest: ClassVar[int] = 1  # fp32 alone, without the fields that have a default here

    onnx_sha256: str
    weights_sha256: str
    opset: int
    images: int
    tolerance: float
    relative_difference: float
    absolute_difference: float
    logit_spread: float
    top1_agreement: float
    torch_bytes: int
    onnx_bytes: int
    torch_milliseconds: float
    onnx_milliseconds: float
    threads: int
    onnx_milliseconds_in_32: float | None = None
    flips: list[Flip] = Field(default_factory=list)
    calibration_images: int = 0
    variants: list[Variant] = Field(default_factory=list)
