"""params.yaml: the only source of what a person may tune, strictly validated.

Every key must be there, none may be added, and nothing is converted: a number in quotes is an error.
"""

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.mistakes import explain, one_line

Fraction = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(gt=0)]
Cache = Literal["full", "reduced", "off"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
SetName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


OPTIMIZER = "the optimizer"
DECAY = "weight decay of the optimizer, as torch defines it"
COMPARE = (
    "what to ask of accuracy on the same images: not shown to be worse (exact McNemar), or shown to be no worse than a "
    "margin (Tango's interval)"
)
LEVEL = "one-sided level of the test: how often a model that is just as good is refused, or one at the margin let in"
SCHEDULE = "how the learning rate falls after warm-up: in steps, along a cosine to 0, or not at all"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Split(Section):
    val: Fraction = Field(description="share of the images that validates; which ones follows from their bytes")
    test: Annotated[float, Field(ge=0, lt=1)] = Field(description="share of the images that is kept for test")


class Data(Section):
    """Where the images come from."""

    source: Literal["digits", "folder", "archive", "dvc"] = Field(
        description="scikit-learn's digits, a folder, a zip or tar, or either of them as a repository tracks it"
    )
    url: str | None = Field(
        description="the folder or archive: a path, file://, https:// or a store such as s3://; "
        "for dvc the repository, null for this one; null for digits"
    )
    path: str | None = Field(description="dvc only: where the folder or archive lies in the repository")
    rev: str | None = Field(description="dvc only: a commit, tag or branch of the repository; null for what is there")
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        description="what the archive's bytes have to hash to; null takes any"
    )
    max_bytes: Count = Field(description="most bytes that a download or an unpacked archive may have")
    allow_http: bool = Field(description="also take http://, whose bytes anybody on the way may alter")
    split: Split | None = Field(description="null for train/<class>/* and val/<class>/*; shares for plain <class>/*")
    evaluation_sets: dict[SetName, str | None] = Field(
        description="more splits to evaluate on, by name: a folder or archive of <class>/*, "
        "null for the folder of that name beside train"
    )
    on_bad: Literal["skip", "error"] = Field(description="what to do with a file that is no readable image")


class Model(Section):
    """What is trained."""

    name: Name = Field(description="the model's name, kept in its card and in the ONNX file")
    arch: str = Field(
        pattern=r"^[A-Za-z0-9_]+$|^[A-Za-z_][\w.]*:[A-Za-z_]\w*$",
        description="a torchvision architecture, efficientnet_lite0, or your own as module:function",
    )
    weights: Literal["imagenet", "none"] = Field(description="what the backbone starts from")
    image_size: Annotated[int, Field(ge=16, le=2048)] = Field(description="side of the model's square input, in pixels")
    resize_size: Annotated[int, Field(ge=16, le=4096)] = Field(
        description="the shorter side of an image before its centre is cropped, in pixels; at least image_size"
    )


class Sgd(Section):
    name: Literal["sgd"] = Field(description=OPTIMIZER)
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(description="of SGD")
    weight_decay: NotNegative = Field(description=DECAY)


class AdamW(Section):
    name: Literal["adamw"] = Field(description=OPTIMIZER)
    weight_decay: NotNegative = Field(description=DECAY)


class Step(Section):
    name: Literal["step"] = Field(description=SCHEDULE)
    every: Count = Field(description="epochs between two decays")
    factor: Fraction = Field(description="what a decay multiplies the rate by")


class Cosine(Section):
    name: Literal["cosine"] = Field(description=SCHEDULE)


class Constant(Section):
    name: Literal["constant"] = Field(description=SCHEDULE)


class Augment(Section):
    min_scale: Annotated[float, Field(gt=0, le=1)] = Field(
        description="smallest share of the image's area that a crop keeps"
    )
    flip: bool = Field(description="mirror half of the images left to right")
    policy: Literal["none", "randaugment", "trivialaugment"] = Field(
        description="what else is done to a crop: torchvision's RandAugment or TrivialAugmentWide, as they come"
    )
    mixup: NotNegative = Field(
        description="alpha of MixUp, which blends the images of a batch and their labels; 0 is off; finetune only"
    )


class EarlyStop(Section):
    patience: Annotated[int, Field(ge=0)] = Field(
        description="epochs without a better check value after which training ends; 0 trains all epochs"
    )
    watch: Literal["loss", "accuracy"] = Field(description="the check value that has to get better")


def _node_counts(given: object) -> int | str:
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    found = re.fullmatch(r"([1-9]\d*):([1-9]\d*)", given) if isinstance(given, str) else None
    if found and int(found[1]) < int(found[2]):
        return found[0]
    raise PydanticCustomError("nodes", "should be a number such as 2, or the fewest and the most such as '1:2'")


NODES_SCHEMA = {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\d+:\d+$"}]}


class Distributed(Section):
    launcher: Literal["none", "torchrun", "mpirun"] = Field(
        description="what starts the processes that train together; none trains in one process"
    )
    nodes: Annotated[int | str, PlainValidator(_node_counts), WithJsonSchema(NODES_SCHEMA)] = Field(
        description="machines; '1:2' goes on with one when the other is lost, and with both when it comes back"
    )
    processes_per_node: Count = Field(description="processes on each machine: as many as it has GPUs")
    rendezvous: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:\[\]-]+:\d+$")] | None = Field(
        description="host:port of the first machine, for several; null takes the variable RUNHIVE_RENDEZVOUS"
    )
    timeout_s: Annotated[int, Field(gt=0, le=86_400)] = Field(
        description="seconds that a process waits for the others within a step before it gives up"
    )
    max_restarts: Annotated[int, Field(ge=0)] = Field(
        description="how often lost processes are started again, from the last checkpoint"
    )

    @property
    def node_counts(self) -> range:
        """The numbers of machines that may train."""
        least, _, most = str(self.nodes).partition(":")
        return range(int(least), int(most or least) + 1)


class Train(Section):
    """How it learns."""

    mode: Literal["finetune", "frozen"] = Field(
        description="finetune: all weights learn; frozen: only the last layer, on features computed once"
    )
    epochs: Annotated[int, Field(gt=0, le=100_000)] = Field(description="passes over the images that are learned from")
    batch_size: Annotated[int, Field(gt=0, le=65_536)] = Field(description="images in one optimizer step")
    accumulate: Count = Field(
        description="pieces that a batch is computed in, one after another, to save memory; batch-norm sees the pieces"
    )
    lr: Annotated[float, Field(gt=0, le=100)] = Field(description="learning rate after warm-up")
    optimizer: Annotated[Sgd | AdamW, Field(discriminator="name")]
    schedule: Annotated[Step | Cosine | Constant, Field(discriminator="name")]
    warmup_epochs: Annotated[int, Field(ge=0)] = Field(
        description="epochs over which the rate rises linearly, step by step"
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="share of a label that goes to all classes"
    )
    clip_norm: NotNegative = Field(description="largest norm of a step's gradient, longer ones are shortened; 0 is off")
    ema: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="decay of the moving average of the weights, which is then measured and kept; 0 is off"
    )
    augment: Augment
    views: Annotated[int, Field(gt=0, le=1000)] = Field(
        description="frozen only: augmented views of each image; features of each are computed once, epochs take turns"
    )
    select: Literal["val", "holdout", "last"] = Field(
        description="the epoch that is kept: best on val (the reported images), best on a holdout of train, or the last"
    )
    holdout: Fraction = Field(description="share of train that `select: holdout` sets aside")
    early_stop: EarlyStop
    cache: Cache = Field(
        description="decoded images on disk, for all stages: full keeps every pixel, off decodes anew each time, "
        "reduced shrinks to resize_size, so that training crops have other pixels"
    )
    checkpoint_steps: Annotated[int, Field(ge=0)] = Field(
        description="steps between two checkpoints within an epoch, beside the one after each; 0 takes none"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(description="auto takes CUDA where there is one")
    precision: Literal["auto", "bf16", "fp32"] = Field(
        description="of the network's arithmetic in training; auto takes bf16 where it is faster"
    )
    memory_format: Literal["channels_last", "contiguous"] = Field(
        description="order of the values of an image in memory"
    )
    distributed: Distributed
    compile: bool = Field(description="torch.compile: minutes at the start, faster steps afterwards; finetune only")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        description="of the first weights, the order of the images, the crops and dropout"
    )


class Evaluate(Section):
    """What the model is scored on."""

    split: str = Field(description="what evaluate and export work on: val, test or one of data.evaluation_sets")


class MostChanged(Section):
    fp16: Share = Field(description="largest share of images that fp16 may answer otherwise than torch")
    int8: Share = Field(description="largest share of images that int8 may answer otherwise than torch")


class Export(Section):
    """The ONNX files."""

    opset: Annotated[int, Field(ge=18, le=23)] = Field(description="ONNX operator set")
    tolerance: Positive = Field(
        description="of fp32: largest difference of logits to torch, relative to their spread; export fails beyond it"
    )
    variants: Annotated[list[Literal["fp32", "fp16", "int8"]], Field(min_length=1)] = Field(
        description="the number formats that are written; fp32 is always one of them"
    )
    most_changed: MostChanged = Field(description="a variant beyond it is left out, and the report says so")
    calibration_images: Annotated[int, Field(gt=0, le=10_000)] = Field(
        description="training images from which int8 takes its ranges"
    )


class NotWorse(Section):
    name: Literal["not_worse"] = Field(description=COMPARE)
    level: Annotated[float, Field(gt=0, lt=0.5)] = Field(description=LEVEL)


class NonInferior(Section):
    name: Literal["non_inferior"] = Field(description=COMPARE)
    level: Annotated[float, Field(gt=0, lt=0.5)] = Field(description=LEVEL)
    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="of accuracy: how much worse than the model in use may at most be left open"
    )


class Gate(Section):
    """What a model has to show before it gets an alias."""

    evaluation_sets: dict[SetName, Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None] = Field(
        min_length=1,
        description="the splits that it is measured on, by name: the content digest that freezes the images, "
        "null takes those that are there",
    )
    selected: Literal["refuse", "say"] = Field(
        description="what to do where the candidate's epoch was chosen on these images"
    )
    compare: Annotated[NotWorse | NonInferior, Field(discriminator="name")]
    max_recall_drop: Share = Field(description="largest drop of any class's recall against the model in use")
    max_ece: Share = Field(description="largest expected calibration error")
    parity: Positive = Field(
        description="largest difference of the ONNX file's logits to those of evaluate, relative to their spread"
    )
    max_onnx_bytes: Count | None = Field(description="largest ONNX file; null for any")
    max_milliseconds: Positive | None = Field(
        description="longest median time for one image, on the machine that asks; null for any"
    )
    on_register: bool = Field(description="ask the gate at registration too, against the latest version")


class Params(Section):
    """All of params.yaml."""

    experiment: Name = Field(description="the name under which runs are grouped")
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate
    export: Export
    gate: Gate


def load_params(path: Path) -> Params:
    """Read and validate *path*. Raises RunhiveError with one line for each mistake."""
    try:
        return parse_params(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise RunhiveError(f"{path} is missing: write one with `runhive use digits`") from None
    except UnicodeDecodeError:
        raise RunhiveError(f"{path} is not UTF-8 text: save it as UTF-8") from None


def parse_params(text: str, where: str = "params.yaml") -> Params:
    """Validate the YAML *text*; *where* names it in errors."""
    content = parse_yaml(text, where)
    if not isinstance(content, dict):
        raise RunhiveError(f"{where}: must hold keys and values: write it anew with `runhive use digits`")
    try:
        params = Params.model_validate(content)
    except ValidationError as error:
        raise RunhiveError("\n".join(f"{where}: {line}" for line in explain(error, list(known_keys())))) from None
    _check_together(params, where)
    return params


def parse_yaml(text: str, where: str) -> Any:
    """Parse as DVC does (YAML 1.2), so that both read the same values."""
    try:
        return YAML(typ="safe").load(text)
    except DuplicateKeyError as error:
        key = re.search(r'duplicate key "(.*?)"', str(error.problem))
        raise RunhiveError(
            f"{where}: line {error.problem_mark.line + 1}: the key {one_line(key[1]) if key else '?'} is there twice: "
            "delete one"
        ) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = one_line(getattr(error, "problem", None) or "not YAML")
        raise RunhiveError(f"{where}: {line}{problem}: mend the syntax") from None
    except (ValueError, KeyError, RecursionError) as error:  # ruamel's, for `2026-13-45`, `!!bool x` and `[[[[…`
        problem = "nested too deep" if isinstance(error, RecursionError) else f"a value is not what it says ({error})"
        raise RunhiveError(f"{where}: {one_line(problem)}: mend the syntax") from None


def _check_together(params: Params, where: str) -> None:
    lines = [f"{where}: {line}" for line in _contradictions(params)]
    if lines:
        raise RunhiveError("\n".join(lines))


def _contradictions(params: Params) -> Iterator[str]:
    """Values that are right alone and wrong together."""
    yield from _contradictions_of(params.data)
    if params.evaluate.split not in (names := ["val", "test", *params.data.evaluation_sets]):
        near = difflib.get_close_matches(params.evaluate.split, names, 1, 0.5)
        yield f"evaluate.split: {params.evaluate.split!r} is not one of {', '.join(names)}" + (
            f": did you mean {near[0]}?" if near else ""
        )
    for name in params.gate.evaluation_sets:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1, 0.5)
            yield f"gate.evaluation_sets.{name}: is not one of {', '.join(names)}" + (
                f": did you mean {near[0]}?" if near else ""
            )
    if params.model.resize_size < params.model.image_size:
        yield (
            f"model.resize_size: {params.model.resize_size} is less than model.image_size "
            f"{params.model.image_size}: raise it to {params.model.image_size} or more"
        )
    if params.train.warmup_epochs >= params.train.epochs:
        yield f"train.warmup_epochs: must be less than train.epochs, {params.train.epochs}"
    yield from _contradictions_of_recipe(params.train)
    variants = params.export.variants
    if "fp32" not in variants or len(set(variants)) < len(variants):
        yield "export.variants: must hold fp32, from which the others are made, and each once: write [fp32, int8]"


def _contradictions_of_recipe(train: Train) -> Iterator[str]:
    if train.accumulate > 1 and train.batch_size < 2 * train.accumulate:
        yield (
            f"train.accumulate: {train.accumulate} pieces of train.batch_size {train.batch_size} leave some with a "
            "single image: lower it"
        )
    if train.early_stop.patience and train.select == "last":
        yield "train.early_stop.patience: stops on the check images: set train.select to holdout or val, or this to 0"
    if train.mode == "frozen" and train.augment.mixup:
        yield "train.augment.mixup: needs train.mode finetune: set it to 0.0"
    if train.mode == "frozen" and train.compile:
        yield "train.compile: needs train.mode finetune: set it to false"
    yield from _contradictions_of_distribution(train)


def _contradictions_of_distribution(train: Train) -> Iterator[str]:
    distributed = train.distributed
    per_node, nodes = distributed.processes_per_node, distributed.node_counts
    if distributed.launcher == "none" and (nodes[-1] > 1 or per_node > 1):
        yield "train.distributed.launcher: none starts one process: set it to torchrun, or nodes and processes to 1"
    if distributed.launcher == "mpirun" and len(nodes) > 1:
        yield f"train.distributed.nodes: mpirun needs a number, not {distributed.nodes!r}: set it, or take torchrun"
    if train.mode == "frozen":
        return  # each process takes whole batches
    for count in nodes:
        world = count * per_node
        if train.batch_size % world:
            yield (
                f"train.batch_size: {train.batch_size} images cannot be shared evenly by {world} processes "
                f"({count} nodes of {per_node}): make it a multiple of {world}"
            )
        elif world > 1 and train.batch_size < 2 * world * train.accumulate:
            yield (
                f"train.batch_size: {train.batch_size} images leave some of {world} processes, or of their "
                f"train.accumulate {train.accumulate} pieces, with a single one: "
                f"raise it to {2 * world * train.accumulate}"
            )


def _contradictions_of(data: Data) -> Iterator[str]:
    source = data.source
    if source == "digits" and data.url is not None:
        yield "data.url: must be null when data.source is digits"
    if source in ("folder", "archive") and not data.url:
        yield f"data.url: must name the images when data.source is {source}"
    if source == "dvc" and not data.path:
        yield "data.path: must name what is tracked when data.source is dvc"
    for key, value in (("path", data.path), ("rev", data.rev)):
        if value is not None and source != "dvc":
            yield f"data.{key}: must be null when data.source is {source}: only dvc has it"
    if data.sha256 is not None and source in ("digits", "folder"):
        yield f"data.sha256: must be null when data.source is {source}: only an archive has one"
    if data.split and source == "digits":
        yield "data.split: must be null when data.source is digits: they come split"
    if data.split and data.split.val + data.split.test >= 1:
        yield f"data.split: val and test are {data.split.val + data.split.test:g} together: leave a share for train"
    addresses = {"data.url": data.url} | {f"data.evaluation_sets.{k}": v for k, v in data.evaluation_sets.items()}
    for key, address in addresses.items():
        if address is not None and re.match(r"\w+://[^/]*@", address) and not re.match(r"ssh://[^/:]*@", address):
            yield (
                f"{key}: holds a user or password, which Git and the ledger would keep for ever: "
                "download the archive and name its path"
            )
    for name, address in data.evaluation_sets.items():
        if name in ("train", "val", "test", "holdout"):
            yield f"data.evaluation_sets.{name}: is the name of a split already: take another"
        elif address is None and (data.split or source == "digits"):
            yield f"data.evaluation_sets.{name}: must name a folder or archive: nothing lies beside train"
        elif address == "":
            yield f"data.evaluation_sets.{name}: is empty: name a folder or archive"


def known_keys(model: type[BaseModel] = Params, prefix: str = "") -> Iterator[str]:
    """Every key path that params.yaml may hold, sections and leaves."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for section in _sections(field.annotation):
            yield from known_keys(section, f"{prefix}{name}.")


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [
        part for part in getattr(annotation, "__args__", ()) if isinstance(part, type) and issubclass(part, BaseModel)
    ]


def json_schema() -> str:
    """The JSON schema of params.yaml, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Params.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"
