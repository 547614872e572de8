"""A model of a stranger is scored by a process that has limits and no secret; what it cannot score is refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hive import Hive

from runhive.actions import rescore


def hostile_model(hive: Hive, edit: Callable[[onnx.ModelProto], None]) -> str:
    """Let the box export a model that is ours but for *edit*; collect it, and return why that is refused."""

    def foreign(content: bytes) -> bytes:
        model = onnx.load_from_string(content)
        edit(model)
        return bytes(model.SerializeToString())

    hive.train(foreign=foreign)
    hive.answers()
    before = hive.hub_tip()
    said = hive.collect(code=1)

    assert hive.hub_tip() == before and "\n" not in said.strip()
    assert hive.comment().splitlines()[1] == "### The model cannot be scored"
    assert hive.check()["conclusion"] == "failure"
    return said


def test_a_model_with_weights_in_another_file_is_not_scored(hive: Hive) -> None:
    def outside(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../../etc/passwd")

    assert "it keeps weights outside of itself" in hostile_model(hive, outside)


def test_a_model_with_an_operator_of_its_own_is_not_scored(hive: Hive) -> None:
    def custom(model: onnx.ModelProto) -> None:
        model.opset_import.add(domain="evil.example", version=1)
        model.graph.node.append(onnx.helper.make_node("Shell", ["images"], ["x"], domain="evil.example"))

    assert "ONNX Runtime" in hostile_model(hive, custom)


def test_a_model_that_wants_more_memory_than_there_is_is_not_scored(hive: Hive) -> None:
    """A terabyte, asked for as it runs."""

    def greedy(model: onnx.ModelProto) -> None:
        graph, helper = model.graph, onnx.helper
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([500_000, 500_000]), "much"))
        graph.node.insert(0, helper.make_node("ConstantOfShape", ["much"], ["zeros"]))
        graph.node.insert(1, helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0))
        softmax = graph.node[-1]
        softmax.output[0] = "before"
        graph.node.append(helper.make_node("Add", ["before", "zero"], ["probabilities"]))

    assert "cannot be scored" in hostile_model(hive, greedy)


def test_a_model_that_never_ends_is_not_waited_for(hive: Hive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescore, "SECONDS", 2)

    def endless(model: onnx.ModelProto) -> None:
        helper, graph = onnx.helper, model.graph
        value = helper.make_tensor_value_info
        body = helper.make_graph(
            [helper.make_node("Identity", ["on"], ["more"]), helper.make_node("Cos", ["x"], ["y"])],
            "body",
            [
                value("i", onnx.TensorProto.INT64, []),
                value("on", onnx.TensorProto.BOOL, []),
                value("x", onnx.TensorProto.FLOAT, None),
            ],
            [value("more", onnx.TensorProto.BOOL, []), value("y", onnx.TensorProto.FLOAT, None)],
        )
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(2**62), "times"))
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(True), "yes"))
        softmax = graph.node[-1]
        softmax.output[0] = "before"
        graph.node.append(helper.make_node("Loop", ["times", "yes", "before"], ["probabilities"], body=body))

    assert "minutes to score" in hostile_model(hive, endless)


def test_a_model_with_a_class_for_each_grain_of_sand_is_not_scored(hive: Hive) -> None:
    """A confusion matrix of a million classes would fill the collector's memory."""
    many = [f"c{number}" for number in range(10_001)]

    def grains(model: onnx.ModelProto) -> None:
        for entry in model.metadata_props:
            if entry.key == "classes":
                entry.value = json.dumps(many)
        weights = next(one for one in model.graph.initializer if one.name == "weights")
        weights.CopyFrom(onnx.numpy_helper.from_array(np.zeros((3, len(many)), np.float32), "weights"))
        for output in model.graph.output:
            output.type.tensor_type.shape.dim[1].dim_value = len(many)

    assert "it has 10,001 classes, 10,000 at most" in hostile_model(hive, grains)


def test_a_model_that_is_a_pickle_is_refused(hive: Hive) -> None:
    hive.train(foreign=lambda content: b"\x80\x04" + content)
    hive.answers()
    before = hive.hub_tip()

    assert "a pickle" in hive.collect(code=1)
    assert hive.hub_tip() == before


def test_the_process_that_scores_knows_no_secret(
    trained: Hive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stranger's model runs there: what the collector may, it may not."""
    spy = tmp_path / "spy"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'runhive.actions.scorer' in ' '.join(sys.orig_argv):\n"
        f"    open({str(tmp_path / 'seen')!r}, 'a').write(repr(sorted(os.environ)))\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{spy}{os.pathsep}{os.environ['PYTHONPATH']}")
    monkeypatch.setenv("GH_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    trained.collect()
    seen = (tmp_path / "seen").read_text()

    assert "PATH" in seen
    assert "GH_TOKEN" not in seen and "AWS_SECRET_ACCESS_KEY" not in seen
