"""results/parity.json: how close the exported model is to the trained one, and what it costs to run."""

from typing import ClassVar

from runhive.formats.document import Document


class Parity(Document):
    """Torch against ONNX Runtime over every image of the evaluation set.

    `relative_difference` is the largest difference of logits over `logit_spread`, the standard deviation of
    the torch logits about their mean over the images. Latencies are milliseconds for one image, median.
    """

    version: ClassVar[int] = 1

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
