"""A classifier as one ONNX file."""

import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from onnx import GraphProto, ModelProto
from torch import Tensor, nn

from runhive.formats.model_card import ModelCard
from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.vision.model import Classifier


class _WithProbabilities(nn.Module):
    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.classifier(images)
        return logits, logits.softmax(1)


def to_onnx(classifier: Classifier, card: ModelCard, opset: int) -> bytes:
    """Export uint8 `images` (batch, 3, size, size) to `logits` and `probabilities`, normalisation inside.

    The same weights give the same bytes in any folder: the exporter's records of source lines are taken out.
    """
    size = card.preprocess.image_size
    example = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with _out_of_place(classifier), _no_garbage(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        program = torch.onnx.export(
            _WithProbabilities(classifier).eval(),
            (example,),
            input_names=["images"],
            output_names=["logits", "probabilities"],
            opset_version=opset,
            dynamo=True,
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _strip(model)
    metadata = OnnxMetadata(card.name, "fp32", card.classes, card.preprocess, card.weights_sha256)
    onnx.helper.set_model_props(model, metadata.to_entries())
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Leave garbage where it is: the exporter's millions of small objects are searched for it a quarter of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _out_of_place(network: nn.Module) -> Iterator[None]:
    """Have activations write to new memory: torch takes a ReLU6 in place apart, with checks of each size."""
    layers = [layer for layer in network.modules() if getattr(layer, "inplace", None) is True]
    for layer in layers:
        layer.inplace = False  # type: ignore[assignment]  # a flag, where torch foresees tensors and modules
    yield
    for layer in layers:
        layer.inplace = True  # type: ignore[assignment]


def _strip(model: ModelProto) -> None:
    """Take out all that names a path, a source line or a module of the exporting process."""
    model.doc_string = ""
    for graph in [model.graph, *model.functions]:
        graph.doc_string = ""
        del graph.metadata_props[:]
        for part in [*graph.node, *graph.value_info, *_ends(graph)]:
            part.doc_string = ""
            del part.metadata_props[:]


def _ends(graph: GraphProto | onnx.FunctionProto) -> Iterator[onnx.ValueInfoProto | onnx.TensorProto]:
    if isinstance(graph, GraphProto):
        yield from [*graph.input, *graph.output, *graph.initializer]
