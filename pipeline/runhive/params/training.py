"""The section train."""

import re
from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from runhive.params.values import Cache, Count, Fraction, NotNegative, Section

OPTIMIZER = "the optimizer"
DECAY = "weight decay of the optimizer, as torch defines it"
SCHEDULE = "how the learning rate falls after warm-up: in steps, along a cosine to 0, or not at all"


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
