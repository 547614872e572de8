"""The exported model in smaller numbers: half precision, or eight bits with ranges taken from images."""

import logging
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
from onnx import ModelProto

from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.preprocess import Pixels


def to_fp16(model: bytes, metadata: OnnxMetadata) -> bytes:
    """Weights and arithmetic in half precision; inputs and outputs as they were."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="the float32 number .* will be truncated", category=UserWarning)
        made = convert_float_to_float16(onnx.load_from_string(model), keep_io_types=True)
    return _content(made, metadata, "fp16")


def to_int8(model: bytes, metadata: OnnxMetadata, batches: Iterable[Pixels]) -> bytes:
    """Eight-bit weights, per output channel, and activations, whose ranges are those that *batches* reach.

    Written as QDQ: each runtime decides itself which operators it computes in integers.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    logging.getLogger().addFilter(_without_advice)
    try:
        with TemporaryDirectory() as folder:
            made = Path(folder, "int8.onnx")
            quantize_static(
                onnx.load_from_string(model), made, _reader(batches), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            )  # fmt: skip
            return _content(onnx.load(made), metadata, "int8")
    finally:
        logging.getLogger().removeFilter(_without_advice)


def _without_advice(record: logging.LogRecord) -> bool:
    """Drop the quantizer's advice to fold batch-norm beforehand, which the exporter has done."""
    return "pre-processing before quantization" not in record.getMessage()


def _reader(batches: Iterable[Pixels]) -> Any:
    """*batches* as the quantizer asks for them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # carries no types
        def __init__(self) -> None:
            self.left = iter(batches)

        def get_next(self) -> Mapping[str, Pixels] | None:
            batch = next(self.left, None)
            return None if batch is None else {"images": batch}

    return Reader()


def _content(model: ModelProto, metadata: OnnxMetadata, variant: str) -> bytes:
    """The bytes of *model* with the metadata of this variant."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, replace(metadata, variant=variant).to_entries())
    content: bytes = model.SerializeToString(deterministic=True)
    return content
