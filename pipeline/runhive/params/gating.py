"""The section gate."""

from typing import Annotated, Literal

from pydantic import Field

from runhive.params.values import Count, Positive, Section, SetName, Share

COMPARE = (
    "what to ask of accuracy on the same images: not shown to be worse (exact McNemar), or shown to be no worse than a "
    "margin (Tango's interval)"
)
LEVEL = "one-sided level of the test: how often a model that is just as good is refused, or one at the margin let in"


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
