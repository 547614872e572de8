"""How an image file becomes a model's input: part of models/model.json and of each ONNX file."""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Preprocess:
    """An image file to the model's input: shorter side to `resize_size`, centre crop of `image_size`, RGB.

    `mean` and `std` are of channels in [0, 1] and are applied inside the model.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}

    image_size: int
    resize_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
