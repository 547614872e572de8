"""All of params.yaml, and its sections but for train, gate and compute."""

from typing import Annotated, Literal

from pydantic import Field

from runhive.params.compute import Compute
from runhive.params.gating import Gate
from runhive.params.training import Train
from runhive.params.values import Count, Fraction, Name, Positive, Section, SetName, Share


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


class Pages(Section):
    """The site on GitHub Pages."""

    public: bool = Field(description="deploy the site of a private repository although everybody can read its Pages")


class Params(Section):
    """All of params.yaml."""

    experiment: Name = Field(description="the name under which runs are grouped")
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate
    export: Export
    gate: Gate
    compute: Compute
    pages: Pages
