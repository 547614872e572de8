"""Which files are opened as a model, and that every other is one line."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tiny_model import METADATA, model, write_model

import runhive
from runhive.errors import RunhiveError
from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.formats.preprocess import Preprocess
from runhive.scoring.model import Model
from runhive.scoring.package import parse_package, read_package
from runhive.scoring.wire import NotOnnx, outline

SOURCE = Path(runhive.__file__).parents[1]
CONTENT = model().SerializeToString(deterministic=True)


def refusal(path: Path) -> str:
    with pytest.raises(RunhiveError) as raised:
        Model.load(path)
    assert len(str(raised.value).splitlines()) == 1
    assert str(raised.value).isprintable()
    return str(raised.value)


def with_entries(**changes: str | None) -> onnx.ModelProto:
    made = model()
    entries = METADATA.to_entries() | changes
    del made.metadata_props[:]
    helper.set_model_props(made, {key: value for key, value in entries.items() if value is not None})
    return made


def test_the_file_alone_says_all_that_is_needed_to_predict(tmp_path: Path) -> None:
    assert read_package(write_model(tmp_path / "model.onnx")).metadata == METADATA


names = st.text(st.characters(exclude_categories=["Cs"]))
sizes = st.tuples(st.integers(1, 500), st.integers(0, 500)).map(lambda pair: (pair[0], pair[0] + pair[1]))
triples = st.tuples(*[st.floats(-5, 5)] * 3)


@given(names, st.lists(names, min_size=2, unique=True), sizes, triples, triples)
def test_metadata_comes_back_as_it_was_written(
    name: str, classes: list[str], size: tuple[int, int], mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    written = OnnxMetadata(name, "int8", classes, Preprocess(*size, mean, std), "0f" * 32)  # type: ignore[arg-type]
    made = model()
    del made.metadata_props[:]
    helper.set_model_props(made, written.to_entries())

    assert parse_package(made.SerializeToString(), "it").metadata == written


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"schema_version": "2"}, "schema version '2', this Runhive reads 1: upgrade Runhive"),
        ({"schema_version": None}, "is no model of Runhive: it has no schema_version"),
        ({"resize_rule": "squash"}, "a resize rule that this Runhive does not know"),
        ({"classes": None}, "lacks classes in its metadata"),
        ({"classes": '["one"]'}, "classes is no list of two names or more"),
        ({"classes": '["a", "a"]'}, "classes has a name twice"),
        ({"classes": "[" * 100_000}, "damaged"),
        ({"preprocess": '{"image_size": 24}'}, "lacks mean"),
        ({"preprocess": '{"image_size": 9, "resize_size": 8, "mean": [0, 0, 0], "std": [1, 1, 1]}'}, "do not fit"),
        ({"preprocess": '{"image_size": 8, "resize_size": 1e9, "mean": [0, 0, 0], "std": [1, 1, 1]}'}, "do not fit"),
        ({"preprocess": '{"image_size": 8, "resize_size": 8, "mean": [0], "std": [1, 1, 1]}'}, "not three numbers"),
        ({"preprocess": "[]"}, "damaged"),
        ({"weights_sha256": "../../etc"}, "weights_sha256 is no SHA-256"),
    ],
)
def test_metadata_that_are_not_ours_are_refused(entries: dict[str, str | None], words: str, tmp_path: Path) -> None:
    assert words in refusal(write_model(tmp_path / "model.onnx", with_entries(**entries)))


def test_a_model_whose_ends_are_others_than_its_metadata_say_is_refused(tmp_path: Path) -> None:
    made = with_entries(classes='["a", "b"]')

    assert "other inputs or outputs than its metadata say" in refusal(write_model(tmp_path / "model.onnx", made))


def test_an_operator_set_that_onnx_runtime_does_not_know_is_one_line(tmp_path: Path) -> None:
    made = model()
    made.opset_import[0].version = 999

    assert f"ONNX Runtime {onnxruntime.__version__} refuses it" in refusal(write_model(tmp_path / "m.onnx", made))


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, (f"open({str(self.path)!r}, 'w')",)


@pytest.mark.fault(
    "export",
    "a pickle lies where the model should",
    wanted="refused without being opened",
    said="… is a pickle, which can run any code when it is opened …",
)
def test_a_pickle_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))

    assert "is a pickle, which can run any code when it is opened" in refusal(tmp_path / "model.onnx")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 torch", "as torch.save writes it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"outs:\n- md5: 1234\n", "is no ONNX file"),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "is cut off or damaged"),
        (b"\xff" * 200, "is no ONNX file"),
    ],
)
def test_what_is_no_onnx_file_is_refused_in_words(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a\nb.onnx").write_bytes(content)

    assert words in refusal(tmp_path / "a\nb.onnx")


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "missing.onnx")
    assert "Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize("length", range(0, len(CONTENT), 7))
def test_a_file_that_is_cut_off_anywhere_is_refused(length: int, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(CONTENT[:length])

    refusal(tmp_path / "model.onnx")


damaged = st.builds(
    lambda at, bits: CONTENT[:at] + bits + CONTENT[at + len(bits) :],
    st.integers(0, len(CONTENT)),
    st.binary(max_size=9),
)


@settings(max_examples=300)
@given(st.binary(max_size=200) | damaged)
def test_any_bytes_are_a_model_or_one_line(content: bytes) -> None:
    try:
        parse_package(content, "it")
    except RunhiveError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("location", ["weights.bin", "../../etc/passwd", "/etc/passwd", "a\nb"])
def test_weights_in_another_file_are_refused_wherever_it_lies(location: str, tmp_path: Path) -> None:
    made = model()
    tensor = made.graph.initializer[2]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    said = refusal(write_model(tmp_path / "model.onnx", made))

    assert "is refused: it keeps weights outside of itself, in " in said


def hidden(tensor: TensorProto) -> dict[str, onnx.ModelProto]:
    """A model with *tensor* in each place where ONNX lets tensors be."""
    graph = helper.make_graph([], "inner", [], [], [tensor])
    sparse = onnx.SparseTensorProto(values=tensor)
    found = {}
    for place, value in {
        "t": tensor,
        "g": graph,
        "tensors": [tensor],
        "graphs": [graph],
        "sparse_tensor": sparse,
    }.items():
        found[place] = model()
        found[place].graph.node[0].attribute.append(helper.make_attribute("hidden", value))
    for place in ("sparse_initializer", "training", "function"):
        found[place] = model()
    found["sparse_initializer"].graph.sparse_initializer.append(sparse)
    found["training"].training_info.add().algorithm.CopyFrom(graph)
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    found["function"].functions.append(helper.make_function("ours", "f", [], ["c"], [node], []))
    return found


@pytest.mark.parametrize("place", hidden(TensorProto()))
def test_weights_in_another_file_are_found_wherever_the_tensor_is(place: str) -> None:
    tensor = numpy_helper.from_array(np.zeros(2, np.float32), "outside")
    assert outline(hidden(tensor)[place].SerializeToString()).outside == []
    tensor.external_data.add(key="location", value="there")

    assert outline(hidden(tensor)[place].SerializeToString()).outside == ["there"]


def test_graphs_nested_without_end_are_refused() -> None:
    content = b""
    for _ in range(200):  # an attribute's graph of a node of a graph
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            length = len(content)
            content = tag + bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14]) + content
    with pytest.raises(NotOnnx, match="nested too deep"):
        outline(b"\x3a" + bytes([len(content) & 127 | 128, len(content) >> 7]) + content)


def test_a_model_loads_pillow_numpy_and_onnx_runtime_and_nothing_else(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.onnx")
    script = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from runhive import Model\n"
        f"Model.load({str(path)!r})\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)

    loaded = {name for name in done.stdout.split() if not name.startswith("_")}
    assert loaded <= {"PIL", "numpy", "onnxruntime", "runhive"}
