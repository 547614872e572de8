"""The section compute."""

from typing import Annotated

from pydantic import Field

from runhive.params.values import Count, Section, SetName

LOCAL = "local"  # the target that is always there: this machine

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class Target(Section):
    """Runners of GitHub Actions that jobs may be sent to: those of a group, those with all labels, or both."""

    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$")] | None = Field(
        description="the runner group, which organizations have; null for those of the repository"
    )
    labels: list[Label] = Field(description="labels that a runner must have, every one; also a scale set's name")
    min_nodes: Annotated[int, Field(ge=0, le=64)] = Field(description="machines that stand ready, used or not")
    max_nodes: Annotated[int, Field(gt=0, le=64)] = Field(description="the most machines that there are at once")
    gpus_per_node: Annotated[int, Field(ge=0, le=64)] = Field(description="GPUs of each machine")
    idle_minutes: Count | None = Field(
        description="minutes without a job after which a single box switches itself off; null leaves it on"
    )
    timeout_minutes: Annotated[int, Field(gt=0, le=7_200)] = Field(
        description="minutes that a job may take, with all that comes before and after training"
    )


class Compute(Section):
    """Where runs can be sent. DVC does not watch it: no change of it runs a stage again."""

    default: SetName = Field(
        description="the target of `runhive submit` and of a pull request: local or one of targets"
    )
    targets: dict[SetName, Target] = Field(description="runners to send runs to, by a name of your choice")
