"""params.yaml: what parses, and one line for each mistake, with the key's path and the nearest right one."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import parse_yaml as dvc_parse_yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from runhive.errors import RunhiveError
from runhive.params import Params, json_schema, known_keys, load_params, parse_params, parse_yaml
from runhive.presets import presets, with_changes

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "docs/reference/params.schema.json"
FOLDER = presets()["folder"]


def mistakes(text: str) -> list[str]:
    with pytest.raises(RunhiveError) as raised:
        parse_params(text)
    return str(raised.value).splitlines()


def mistakes_of(*changes: str) -> list[str]:
    return mistakes(with_changes(FOLDER, changes))


def put(key: str, value: object) -> str:
    """The folder preset with *value*, any object, at *key*; as JSON, which is YAML."""
    content = YAML(typ="safe").load(FOLDER)
    *sections, last = key.split(".")
    place = content
    for section in sections:
        place = place[section]
    place[last] = value
    return json.dumps(content)


def leaves(content: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


LEAVES = list(leaves(YAML(typ="safe").load(FOLDER)))


def runhive(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, ROOT / "pipeline", *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", presets())
def test_each_preset_parses(name: str) -> None:
    assert parse_params(presets()[name]).experiment


def test_the_committed_params_are_those_of_the_digits_preset() -> None:
    assert (ROOT / "params.yaml").read_text() == presets()["digits"]


SECRET = (
    "holds a user or password, which Git and the ledger would keep for ever: download the archive and name its path"
)
MISTAKES = {
    "train.epochs=0": "train.epochs: should be greater than 0, not 0",
    "train.lr=-1": "train.lr: should be greater than 0, not -1",
    "train.lr=.nan": "train.lr: nan is not a finite number: write one",
    "train.lr=.inf": "train.lr: inf is not a finite number: write one",
    "train.lr=-.inf": "train.lr: -inf is not a finite number: write one",
    "train.lr='1e-3'": "train.lr: '1e-3' is text, not a number: write 0.001 without quotes",
    "train.lr='nan'": "train.lr: should be a valid number, not 'nan'",
    "train.lr='1e999'": "train.lr: should be a valid number, not '1e999'",
    "train.lr=fast": "train.lr: should be a valid number, not 'fast'",
    "train.lr=true": "train.lr: should be a valid number, not True",
    "train.epochs=3.0": "train.epochs: should be a valid integer, not 3.0",
    "train.epochs='3'": "train.epochs: '3' is text, not a number: write 3 without quotes",
    "train.augment.flip=1": "train.augment.flip: should be a valid boolean, not 1",
    "train.augment.flip=yes": "train.augment.flip: should be a valid boolean, not 'yes'",
    "model.image_size=null": "model.image_size: should be a valid integer, not None",
    "train.select=lst": "train.select: 'lst' is not one of 'val', 'holdout' or 'last': did you mean last?",
    "train.device=tpu": "train.device: 'tpu' is not one of 'auto', 'cpu' or 'cuda': did you mean cpu?",
    "export.opset=12": "export.opset: should be greater than or equal to 18, not 12",
    "export.variants=[fp32, int4]": (
        "export.variants.1: 'int4' is not one of 'fp32', 'fp16' or 'int8': did you mean int8?"
    ),
    "export.variants=[int8]": (
        "export.variants: must hold fp32, from which the others are made, and each once: write [fp32, int8]"
    ),
    "export.variants=[fp32, int8, int8]": (
        "export.variants: must hold fp32, from which the others are made, and each once: write [fp32, int8]"
    ),
    "export.most_changed.int8=2": "export.most_changed.int8: should be less than or equal to 1, not 2",
    "experiment=My images": "experiment: 'My images' does not match ^[a-z0-9][a-z0-9-]{0,62}$",
    "train.optimizer.name=sdg": "train.optimizer.name: 'sdg' is not one of 'sgd', 'adamw': did you mean sgd?",
    "train.schedule.name=cosin": (
        "train.schedule.name: 'cosin' is not one of 'step', 'cosine', 'constant': did you mean cosine?"
    ),
    "train.schedule={every: 7}": "train.schedule.name: missing: add it",
    "train.optimizer=sgd": "train.optimizer: holds keys and values, not 'sgd'",
    "data=images": "data: holds keys and values, not 'images'",
    "train.optimizer.momentun=0.9": (
        "train.optimizer.momentun: unknown key: did you mean train.optimizer.momentum?"
    ),
    "train.epoch=3": "train.epoch: unknown key: did you mean train.epochs?",
    "epochs=3": "epochs: unknown key: did you mean train.epochs?",
    "train.zzz=3": "train.zzz: unknown key: delete it",
    "data.url=null": "data.url: must name the images when data.source is folder",
    "data.source=digits": "data.url: must be null when data.source is digits",
    "data.url=https://me:secret@example.org/x.zip": f"data.url: {SECRET}",
    "data.url=ssh://me:secret@example.org/x": f"data.url: {SECRET}",
    "data.evaluation_sets={night: s3://me@bucket/x}": f"data.evaluation_sets.night: {SECRET}",
    "data.url=''": "data.url: must name the images when data.source is folder",
    "data.source=dvc": "data.path: must name what is tracked when data.source is dvc",
    "data.path=set": "data.path: must be null when data.source is folder: only dvc has it",
    "data.rev=v1": "data.rev: must be null when data.source is folder: only dvc has it",
    "data.sha256=abc": "data.sha256: 'abc' does not match ^[0-9a-f]{64}$",
    f"data.sha256='{'0' * 64}'": "data.sha256: must be null when data.source is folder: only an archive has one",
    "data.max_bytes=0": "data.max_bytes: should be greater than 0, not 0",
    "data.split=0.2": "data.split: holds keys and values, not 0.2",
    "data.split={val: 0.2}": "data.split.test: missing: add it (`runhive use` lists presets that have it)",
    "data.split={val: 0.0, test: 0.1}": "data.split.val: should be greater than 0, not 0.0",
    "data.split={val: 0.5, test: 0.5}": "data.split: val and test are 1 together: leave a share for train",
    "data.split={vall: 0.5, test: 0.1}": "data.split.vall: unknown key: did you mean data.split.val?",
    "data.evaluation_sets={Night: x}": "data.evaluation_sets.Night: 'Night' does not match ^[a-z0-9][a-z0-9_-]{0,62}$",
    "data.evaluation_sets={val: x}": "data.evaluation_sets.val: is the name of a split already: take another",
    "data.evaluation_sets={night: ''}": "data.evaluation_sets.night: is empty: name a folder or archive",
    "data.evaluation_sets={night: 3}": "data.evaluation_sets.night: should be a valid string, not 3",
    "data.evaluation_sets=[night]": "data.evaluation_sets: should be a valid dictionary, not ['night']",
    "evaluate.split=tset": "evaluate.split: 'tset' is not one of val, test: did you mean test?",
    "evaluate.split=train": "evaluate.split: 'train' is not one of val, test",
    "model.resize_size=200": "model.resize_size: 200 is less than model.image_size 224: raise it to 224 or more",
    "train.accumulate=9": (
        "train.accumulate: 9 pieces of train.batch_size 16 leave some with a single image: lower it"
    ),
    "train.early_stop.patience=3": (
        "train.early_stop.patience: stops on the check images: set train.select to holdout or val, or this to 0"
    ),
    "train.augment.mixup=0.2": "train.augment.mixup: needs train.mode finetune: set it to 0.0",
    "train.compile=true": "train.compile: needs train.mode finetune: set it to false",
    "train.distributed.nodes=2": (
        "train.distributed.launcher: none starts one process: set it to torchrun, or nodes and processes to 1"
    ),
    "train.distributed.nodes=2.5": (
        "train.distributed.nodes: should be a number such as 2, or the fewest and the most such as '1:2', not 2.5"
    ),
    "train.distributed.timeout_s=0": "train.distributed.timeout_s: should be greater than 0, not 0",
    "train.distributed.launcher=torch": (
        "train.distributed.launcher: 'torch' is not one of 'none', 'torchrun' or 'mpirun': did you mean torchrun?"
    ),
    "train.distributed.rendezvous=here": (
        r"train.distributed.rendezvous: 'here' does not match ^[A-Za-z0-9._:\[\]-]+:\d+$"
    ),
    "train.precision=fp16": "train.precision: 'fp16' is not one of 'auto', 'bf16' or 'fp32': did you mean bf16?",
    "train.ema=1.0": "train.ema: should be less than 1, not 1.0",
    "train.cache=on": "train.cache: 'on' is not one of 'full', 'reduced' or 'off'",
    "train.warmup_epochs=30": "train.warmup_epochs: must be less than train.epochs, 30",
    "compute.default=gpuu": "compute.default: 'gpuu' is not one of local, gpu: did you mean gpu?",
    "compute.targets={}": "compute.default: 'gpu' is not one of local",
    "compute.targets.gpu.max_node=2": (
        "compute.targets.gpu.max_node: unknown key: did you mean compute.targets.gpu.max_nodes?"
    ),
    "compute.targets.gpu.labels=[]": (
        "compute.targets.gpu: names no runners: set group, or labels to [self-hosted, gpu]"
    ),
    "compute.targets.gpu.labels=['a b']": (
        "compute.targets.gpu.labels.0: 'a b' does not match ^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
    ),
    "compute.targets.gpu.min_nodes=5": "compute.targets.gpu.min_nodes: 5 is more than max_nodes, 4",
    "compute.targets.gpu.max_nodes=0": "compute.targets.gpu.max_nodes: should be greater than 0, not 0",
    "compute.targets.gpu.timeout_minutes=7201": (
        "compute.targets.gpu.timeout_minutes: should be less than or equal to 7200, not 7201"
    ),
}  # fmt: skip


@pytest.mark.fault(
    "params",
    "an unknown key, a wrong type, a number out of range, text for a number",
    wanted="refused before any work, a line for each mistake",
    said="params.yaml: …: unknown key: did you mean …?",
)
@pytest.mark.parametrize("change", MISTAKES)
def test_a_mistake_is_one_line_with_the_path_of_the_key_and_what_is_right(change: str) -> None:
    assert mistakes_of(change) == [f"params.yaml: {MISTAKES[change]}"]


@pytest.mark.parametrize("nodes", ["0", "true", "'2:1'", "'2:2'", "'0:2'", "'1:2:3'", "null", "[1, 2]"])
def test_nodes_are_a_number_or_the_fewest_and_the_most(nodes: str) -> None:
    (mistake,) = mistakes_of(f"train.distributed.nodes={nodes}")

    assert mistake.startswith("params.yaml: train.distributed.nodes: should be a number such as 2, or the fewest and")


PROCESSES = {
    ("2", "3"): (
        "train.batch_size: 16 images cannot be shared evenly by 6 processes (2 nodes of 3): make it a multiple of 6"
    ),
    ("'1:3'", "1"): (
        "train.batch_size: 16 images cannot be shared evenly by 3 processes (3 nodes of 1): make it a multiple of 3"
    ),
    ("2", "8"): (
        "train.batch_size: 16 images leave some of 16 processes, or of their train.accumulate 1 pieces, with a single "
        "one: raise it to 32"
    ),
}  # fmt: skip


def processes(nodes: str, per_node: str) -> list[str]:
    return [
        "train.distributed.launcher=torchrun", f"train.distributed.nodes={nodes}",
        f"train.distributed.processes_per_node={per_node}",
    ]  # fmt: skip


@pytest.mark.parametrize(("nodes", "per_node"), PROCESSES)
def test_a_batch_that_processes_cannot_share_is_refused(nodes: str, per_node: str) -> None:
    found = mistakes_of("train.mode=finetune", *processes(nodes, per_node))

    assert found == [f"params.yaml: {PROCESSES[nodes, per_node]}"]


@pytest.mark.parametrize(("nodes", "per_node", "mode"), [("2", "3", "frozen"), ("'1:2'", "4", "finetune")])
def test_a_batch_that_they_can_share_is_taken_and_frozen_training_shares_none(
    nodes: str, per_node: str, mode: str
) -> None:
    changes = [f"train.mode={mode}", *processes(nodes, per_node)]
    distributed = parse_params(with_changes(FOLDER, changes)).train.distributed

    assert str(distributed.nodes) == nodes.strip("'")
    assert distributed.processes_per_node == int(per_node)


def test_the_name_of_this_machine_is_no_name_of_runners() -> None:
    text = FOLDER.replace("    gpu:\n", "    local:\n").replace("default: gpu", "default: local")

    assert mistakes(text) == ["params.yaml: compute.targets.local: is the name of this machine already: take another"]


def test_mpirun_knows_no_range_of_nodes() -> None:
    found = mistakes_of("train.distributed.launcher=mpirun", "train.distributed.nodes='1:2'")

    assert found == ["params.yaml: train.distributed.nodes: mpirun needs a number, not '1:2': set it, or take torchrun"]


def test_a_missing_key_is_named_with_its_path() -> None:
    missing = "params.yaml: train.seed: missing: add it (`runhive use` lists presets that have it)"

    assert mistakes(FOLDER.replace("  seed: 0\n", "")) == [missing]


def test_a_key_missing_from_an_optimizer_is_named_without_the_tag_of_the_union() -> None:
    assert mistakes_of("train.optimizer={name: adamw}")[0].startswith("params.yaml: train.optimizer.weight_decay: miss")


def test_a_misspelt_key_is_one_mistake_and_not_a_missing_key_too() -> None:
    text = FOLDER.replace("  epochs: 30", "  epoch: 30")

    assert mistakes(text) == ["params.yaml: train.epoch: unknown key: did you mean train.epochs?"]


def test_each_of_several_mistakes_has_its_line() -> None:
    found = mistakes_of("train.lr=-1", "model.arhc=resnet18", "export.opset=9")

    assert [line.split(": ")[1] for line in found] == ["model.arhc", "train.lr", "export.opset"]


def test_each_of_several_contradictions_has_its_line() -> None:
    found = mistakes_of("data.url=null", "model.resize_size=200", "train.warmup_epochs=99")

    assert [line.split(": ")[1] for line in found] == ["data.url", "model.resize_size", "train.warmup_epochs"]


@pytest.mark.fault(
    "params",
    "a key that is there twice",
    wanted="refused",
    said="params.yaml: line …: the key … is there twice: delete one",
)
def test_a_duplicate_key_is_an_error_with_its_line() -> None:
    text = FOLDER.replace("  epochs: 30\n", "  epochs: 30\n  epochs: 60\n")
    line = text.splitlines().index("  epochs: 60") + 1

    assert mistakes(text) == [f"params.yaml: line {line}: the key epochs is there twice: delete one"]


@pytest.mark.fault(
    "params",
    "a file that is no YAML, or that would run code",
    wanted="refused in one line",
)
@pytest.mark.parametrize(
    "value",
    ["2026-13-45", "!!int x", "!!float x", "!!bool x", "!mine x", "!!python/name:os.system x", "1" * 5000,
     "0x" + "f" * 5000, "0x" + "f" * 400, "1" * 400, "[" * 1000, "*nobody", "&a [*a]", "{", "'", "\t", "\x00",
     '"\\ud800"', "@", "a: b"],
    ids=lambda value: ascii(value[:20]),
)  # fmt: skip
def test_no_yaml_however_odd_is_anything_but_one_line(value: str) -> None:
    assert len(mistakes(FOLDER.replace("  lr: 0.01", f"  lr: {value}"))) == 1


@pytest.mark.parametrize("key", ['"a\\nb"', '"\\e[31m"', '"\\u202e"', '"\\u2028"'])
def test_an_unknown_key_cannot_break_the_line_or_steer_the_terminal(key: str) -> None:
    found = mistakes(FOLDER.replace("  lr: 0.01", f"  lr: 0.01\n  {key}: 1"))

    assert len(found) == 1
    assert found[0].isprintable()


@pytest.mark.parametrize("text", ["", "[]", "3", "just text", "null"])
def test_a_file_without_keys_is_an_error(text: str) -> None:
    assert mistakes(text) == [
        "params.yaml: must hold keys and values: write it anew with `runhive use digits`"
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["1e-3", "1E-3", "1.0e-3", "0.001", ".001", "1e3", "5", "1_000.5", "0o17", "0x10"])
def test_a_number_is_the_one_that_dvc_reads(value: str) -> None:
    text = FOLDER.replace("  lr: 0.01", f"  lr: {value}")

    assert parse_yaml(text, "params.yaml") == dvc_parse_yaml(text, "params.yaml")


def test_a_rate_in_exponent_form_needs_no_quotes() -> None:
    assert parse_params(FOLDER.replace("  lr: 0.01", "  lr: 1e-3")).train.lr == 0.001


@pytest.mark.parametrize("name", presets())
def test_dvc_reads_of_a_preset_what_we_read(name: str) -> None:
    assert parse_yaml(presets()[name], "params.yaml") == dvc_parse_yaml(presets()[name], "params.yaml")


PLAIN = st.text(st.characters(max_codepoint=0xFFFF))  # JSON escapes the rest as pairs, which YAML does not join
GARBAGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)  # JSON's words for those are text in YAML
    | PLAIN
    | st.text(st.characters(categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LEAVES + list(known_keys())[:6]), GARBAGE)
def test_garbage_in_one_place_parses_as_it_is_or_is_the_users_mistake(key: str, value: object) -> None:
    text = put(key, value)
    try:
        params = parse_params(text)
    except RunhiveError as error:
        assert all(line.startswith("params.yaml: ") and line.isprintable() for line in str(error).splitlines())
    else:
        read = params.model_dump(mode="json")
        for part in key.split("."):
            read = read[part]
        assert read == value


@pytest.mark.fault(
    "params",
    "an infinity or NaN",
    wanted="refused",
    said="params.yaml: …: … is not a finite number: write one",
)
@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan"])
@pytest.mark.parametrize("key", [key for key in LEAVES if key != "data.evaluation_sets"])
def test_no_key_takes_a_number_that_is_not_finite(key: str, value: str) -> None:
    assert any(line.startswith(f"params.yaml: {key}: ") for line in mistakes_of(f"{key}={value}"))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(FOLDER.splitlines()[2:]), st.text(max_size=30))
def test_garbage_for_a_line_never_crashes(line: str, garbage: str) -> None:
    try:
        parse_params(FOLDER.replace(line, line.partition(":")[0] + ": " + garbage, 1))
    except RunhiveError as error:
        assert str(error)


@pytest.mark.fault(
    "params",
    "no `params.yaml`",
    wanted="refused",
    said="params.yaml is missing: write one with `runhive use digits`",
)
def test_a_file_that_is_not_there_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(RunhiveError, match=r"params.yaml is missing: write one with `runhive use digits`"):
        load_params(tmp_path / "params.yaml")


def test_a_file_in_another_encoding_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes("experiment: Bär\n".encode("latin-1"))

    with pytest.raises(RunhiveError, match=r"params.yaml is not UTF-8 text"):
        load_params(tmp_path / "params.yaml")


def allowed(schema: dict[str, Any], value: Any, root: dict[str, Any], path: str) -> None:
    """Assert that *value* follows the parts of JSON schema that ours uses."""
    if "$ref" in schema:
        allowed(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root, path)
    elif "oneOf" in schema:
        tags = schema["discriminator"]["mapping"]
        allowed({"$ref": tags[value["name"]]}, value, root, path)
    elif "anyOf" in schema:
        if value is not None:
            allowed(next(option for option in schema["anyOf"] if option.get("type") != "null"), value, root, path)
        assert value is not None or {"type": "null"} in schema["anyOf"], path
    elif schema.get("type") == "object" and "properties" not in schema:
        ((pattern, option),) = schema["patternProperties"].items()
        for key, inner in value.items():
            assert re.search(pattern, key), path
            allowed(option, inner, root, f"{path}.{key}")
    elif schema.get("type") == "object":
        assert schema["additionalProperties"] is False, path
        assert set(schema["required"]) == set(schema["properties"]) == set(value), path
        for key, inner in schema["properties"].items():
            allowed(inner, value[key], root, f"{path}.{key}")
    elif schema.get("type") == "array":
        assert len(value) >= schema.get("minItems", 0), path
        for inner in value:
            allowed(schema["items"], inner, root, path)
    else:
        kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
        assert isinstance(value, kinds[schema["type"]]), path
        assert value in schema.get("enum", [value]), path
        assert value == schema.get("const", value), path
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value), path


@pytest.mark.parametrize("name", presets())
def test_the_json_schema_admits_the_presets(name: str) -> None:
    schema = json.loads(json_schema())

    allowed(schema, parse_yaml(presets()[name], name), schema, "")


def test_the_json_schema_for_editors_is_that_of_the_code() -> None:
    assert SCHEMA.exists() and SCHEMA.read_text() == json_schema(), (
        "out of date: run `runhive schema > docs/reference/params.schema.json`"
    )


def test_every_key_of_the_schema_is_known() -> None:
    assert {"train.optimizer.momentum", "train.schedule.factor", "export.opset"} <= set(known_keys())
    assert set(Params.model_fields) <= set(known_keys())


def test_use_alone_lists_the_presets_and_writes_nothing(tmp_path: Path) -> None:
    done = runhive(tmp_path, "use")

    assert [line.split()[0] for line in done.stdout.splitlines()] == ["digits", "folder", "hymenoptera"]
    assert list(tmp_path.iterdir()) == []


def test_use_writes_the_preset_with_the_changes_and_keeps_its_comments(tmp_path: Path) -> None:
    done = runhive(tmp_path, "use", "hymenoptera", "train.lr=1e-2", "data.url=images.zip", "train.mode=frozen")
    params = load_params(tmp_path / "params.yaml")

    assert done.returncode == 0, done.stderr
    assert (params.train.lr, params.data.url, params.train.mode) == (0.01, "images.zip", "frozen")
    assert params.experiment == "pytorch-hymenoptera"
    assert "# Ants and bees" in (tmp_path / "params.yaml").read_text()


@pytest.mark.parametrize("mark", ["params.yaml", "dvc.yaml", ".git"])
def test_use_in_a_sub_folder_writes_at_the_root_and_says_so(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).write_text("")
    deep = tmp_path / "docs" / "how-to"
    deep.mkdir(parents=True)

    done = runhive(deep, "use", "digits")

    assert done.stdout == f"{tmp_path}/params.yaml holds digits now: run `dvc repro`\n"
    assert (tmp_path / "params.yaml").read_text() == presets()["digits"]
    assert list(deep.iterdir()) == []


def test_a_stage_in_a_sub_folder_works_at_the_root(tmp_path: Path) -> None:
    runhive(tmp_path, "use", "digits")
    (tmp_path / "docs").mkdir()

    done = runhive(tmp_path / "docs", "fetch")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "manifest.csv").exists()
    assert list((tmp_path / "docs").iterdir()) == []


def test_what_somebody_wrote_into_params_is_kept_whenever_use_replaces_it(tmp_path: Path) -> None:
    texts = [presets()["digits"].replace("epochs: 4", f"epochs: {epochs}") for epochs in (5, 6)]
    for text in texts:
        (tmp_path / "params.yaml").write_text(text)
        done = runhive(tmp_path, "use", "folder", "data.url=.")
        kept = Path(done.stderr.removeprefix("what it held before is kept in ").strip())
        assert (tmp_path / kept).read_text() == text

    assert {path.read_text() for path in (tmp_path / ".runhive" / "replaced").iterdir()} == set(texts)


def test_a_preset_that_is_replaced_by_another_is_not_kept(tmp_path: Path) -> None:
    runhive(tmp_path, "use", "digits")

    done = runhive(tmp_path, "use", "hymenoptera")

    assert done.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize(
    ("words", "is_warned"),
    [
        (["folder", "data.url=nowhere"], True),
        (["folder", "data.url=here"], False),
        (["folder", "data.source=archive", "data.url=https://host/a.zip"], False),
        (["folder", "data.source=dvc", "data.path=images"], False),
        (["digits"], False),
    ],
)
def test_use_warns_of_images_that_are_not_there(tmp_path: Path, words: list[str], is_warned: bool) -> None:
    (tmp_path / "here").mkdir()

    done = runhive(tmp_path, "use", *words)

    warning = "warning: data.url: there is no nowhere here yet: put the images there, or name another\n"
    assert done.stderr == (warning if is_warned else "")
    assert done.returncode == 0


@pytest.mark.parametrize("name", presets())
def test_use_without_changes_writes_the_preset_as_it_is(name: str) -> None:
    assert with_changes(presets()[name], []) == presets()[name]


def test_the_hymenoptera_preset_is_the_recipe_of_the_article() -> None:
    params = parse_params(presets()["hymenoptera"])

    assert (params.experiment, params.model.name, params.model.arch) == ("pytorch-hymenoptera", "pt-dnn", "resnet18")
    assert params.data.url == "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
    assert (params.train.lr, params.train.batch_size, params.train.epochs) == (0.001, 4, 30)
    assert params.train.optimizer.model_dump() == {"name": "sgd", "momentum": 0.9, "weight_decay": 0.0}
    assert params.train.schedule.model_dump() == {"name": "step", "every": 7, "factor": 0.1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["digts"], "there is no preset 'digts': did you mean digits?"),
        (["xyz"], "there is no preset 'xyz': there are digits, folder, hymenoptera"),
        (["digits", "train.lr"], "'train.lr' sets nothing: write KEY=VALUE, such as train.lr=0.01"),
        (["digits", "trian.lr=1"], "there is no key 'trian.lr': did you mean train.lr?"),
        (["digits", "train.lr.x=1"], "there is no key 'train.lr.x': did you mean train.lr?"),
        (["digits", "train.lrr=1"], "params.yaml: train.lrr: unknown key: did you mean train.lr?"),
        (["digits", "train.lr=[1"], "train.lr=[1: line 1: expected ',' or ']'"),
        (["digits", "train.lr=-1"], "params.yaml: train.lr: should be greater than 0, not -1"),
        (["digits", "=1"], "params.yaml: '': unknown key"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_use_is_one_line_and_writes_nothing(tmp_path: Path, words: list[str], said: str) -> None:
    before = presets()["folder"]
    (tmp_path / "params.yaml").write_text(before)
    done = runhive(tmp_path, "use", *words)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"runhive: {said}")
    assert (tmp_path / "params.yaml").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]
