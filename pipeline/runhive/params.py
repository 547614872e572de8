"""params.yaml: the only source of what a person may tune, strictly validated.

Every key must be there, none may be added, and nothing is converted: a number in quotes is an error.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError

Fraction = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


OPTIMIZER = "the optimizer"
DECAY = "weight decay of the optimizer, as torch defines it"
SCHEDULE = "how the learning rate falls after warm-up: in steps, along a cosine to 0, or not at all"


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Data(Section):
    """Where the images come from."""

    source: Literal["digits", "folder", "archive"] = Field(
        description="scikit-learn's digits, a folder, a zip or tar; the last two hold train/<class>/* and val/<class>/*"
    )
    url: str | None = Field(description="the folder or archive: a path, file:// or https://; null for digits")
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


class Train(Section):
    """How it learns."""

    mode: Literal["finetune", "frozen"] = Field(
        description="finetune: all weights learn; frozen: only the last layer, on features computed once"
    )
    epochs: Annotated[int, Field(gt=0, le=100_000)] = Field(description="passes over the images that are learned from")
    batch_size: Annotated[int, Field(gt=0, le=65_536)] = Field(description="images in one optimizer step")
    lr: Annotated[float, Field(gt=0, le=100)] = Field(description="learning rate after warm-up")
    optimizer: Annotated[Sgd | AdamW, Field(discriminator="name")]
    schedule: Annotated[Step | Cosine | Constant, Field(discriminator="name")]
    warmup_epochs: Annotated[int, Field(ge=0)] = Field(
        description="epochs over which the rate rises linearly, step by step"
    )
    augment: Augment
    views: Annotated[int, Field(gt=0, le=1000)] = Field(
        description="frozen only: augmented views of each image; features of each are computed once, epochs take turns"
    )
    select: Literal["val", "holdout", "last"] = Field(
        description="the epoch that is kept: best on val (the reported images), best on a holdout of train, or the last"
    )
    holdout: Fraction = Field(description="share of train that `select: holdout` sets aside")
    device: Literal["auto", "cpu", "cuda"] = Field(description="auto takes CUDA where there is one")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        description="of the first weights, the order of the images, the crops and dropout"
    )


class Evaluate(Section):
    """What the model is scored on."""

    split: Literal["val", "test"] = Field(description="the split that evaluate and export work on")


class Export(Section):
    """The ONNX file."""

    opset: Annotated[int, Field(ge=18, le=23)] = Field(description="ONNX operator set")
    tolerance: Positive = Field(description="largest difference of logits to torch, relative to their spread")


class Params(Section):
    """All of params.yaml."""

    experiment: Name = Field(description="the name under which runs are grouped")
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate
    export: Export


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
        raise RunhiveError("\n".join(f"{where}: {line}" for line in _explain_all(error))) from None
    _check_together(params, where)
    return params


def parse_yaml(text: str, where: str) -> Any:
    """Parse as DVC does (YAML 1.2), so that both read the same values."""
    try:
        return YAML(typ="safe").load(text)
    except DuplicateKeyError as error:
        key = re.search(r'duplicate key "(.*?)"', str(error.problem))
        raise RunhiveError(
            f"{where}: line {error.problem_mark.line + 1}: the key {_one_line(key[1]) if key else '?'} is there twice: "
            "delete one"
        ) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = _one_line(getattr(error, "problem", None) or "not YAML")
        raise RunhiveError(f"{where}: {line}{problem}: mend the syntax") from None
    except (ValueError, KeyError, RecursionError) as error:  # ruamel's, for `2026-13-45`, `!!bool x` and `[[[[…`
        problem = "nested too deep" if isinstance(error, RecursionError) else f"a value is not what it says ({error})"
        raise RunhiveError(f"{where}: {_one_line(problem)}: mend the syntax") from None


def _check_together(params: Params, where: str) -> None:
    lines = [f"{where}: {line}" for line in _contradictions(params)]
    if lines:
        raise RunhiveError("\n".join(lines))


def _contradictions(params: Params) -> Iterator[str]:
    """Values that are right alone and wrong together."""
    if (params.data.source == "digits") != (params.data.url is None):
        wanted = "must be null" if params.data.source == "digits" else "must name the images"
        yield f"data.url: {wanted} when data.source is {params.data.source}"
    if params.data.url is not None and re.match(r"\w+://[^/]*@", params.data.url):
        yield (
            "data.url: holds a user or password, which Git and the ledger would keep for ever: "
            "download the archive and name its path"
        )
    if params.model.resize_size < params.model.image_size:
        yield (
            f"model.resize_size: {params.model.resize_size} is less than model.image_size "
            f"{params.model.image_size}: raise it to {params.model.image_size} or more"
        )
    if params.train.warmup_epochs >= params.train.epochs:
        yield f"train.warmup_epochs: must be less than train.epochs, {params.train.epochs}"


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


def _explain_all(error: ValidationError) -> list[str]:
    """One line a mistake: a key that a misspelt one stands for is not reported as missing too."""
    mistakes = error.errors()
    misspelt = [_key_path(one["loc"]) for one in mistakes if one["type"] == "extra_forbidden"]
    meant = {
        near for key in misspelt if (near := _nearest_key(key)) and near.rpartition(".")[0] == key.rpartition(".")[0]
    }
    return [
        _one_line(_explain(one)) for one in mistakes if one["type"] != "missing" or _key_path(one["loc"]) not in meant
    ]


def _explain(error: Mapping[str, Any]) -> str:
    """One mistake as `key: what is wrong: what to do`."""
    key = _key_path(error["loc"])
    given, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"{key}: missing: add it (`runhive use` lists presets that have it)"
        case "extra_forbidden":
            near = _nearest_key(key)
            return f"{key}: unknown key: " + (f"did you mean {near}?" if near else "delete it")
        case "literal_error":
            return (
                f"{key}: {_show(given)} is not one of {context['expected']}{_nearest_value(given, context['expected'])}"
            )
        case "union_tag_invalid":
            tags = context["expected_tags"]
            return f"{key}.name: {_show(context['tag'])} is not one of {tags}{_nearest_value(context['tag'], tags)}"
        case "union_tag_not_found":
            return f"{key}.name: missing: add it"
        case "finite_number":
            return f"{key}: {given} is not a finite number: write one"
        case "string_pattern_mismatch":
            return f"{key}: {_show(given)} does not match {context['pattern']}"
        case "model_type" | "model_attributes_type":
            return f"{key}: holds keys and values, not {_show(given)}"
        case "float_type" | "int_type" | "int_from_float" if isinstance(given, str) and _as_number(given) is not None:
            return f"{key}: {_show(given)} is text, not a number: write {_as_number(given):g} without quotes"
    return f"{key}: {_plain(error['msg'])}, not {_show(given)}"


def _key_path(location: tuple[int | str, ...]) -> str:
    """The key's path as in the file; pydantic adds the union's tag, which is no key, after optimizer and schedule."""
    parts = [str(part) or "''" for part in location]
    if len(parts) > 2 and parts[1] in ("optimizer", "schedule"):
        del parts[2]
    return ".".join(parts) or "the file"


def _nearest_key(key: str) -> str | None:
    paths = list(known_keys())
    leaf = key.rpartition(".")[2]
    near = difflib.get_close_matches(key, paths, 1, 0.75) or [path for path in paths if path.rpartition(".")[2] == leaf]
    return near[0] if near else None


def _nearest_value(given: object, expected: str) -> str:
    near = difflib.get_close_matches(str(given), re.findall(r"'(.*?)'", expected), 1, 0.5)
    return f": did you mean {near[0]}?" if near else ""


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _show(given: object) -> str:
    """A value as it was read, shortened."""
    try:
        text = repr(given)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _plain(message: str) -> str:
    return message.removeprefix("Input ")


def json_schema() -> str:
    """The JSON schema of params.yaml, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Params.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"
