"""What `runhive watch` knows of the workflows by name is what they are called."""

from pathlib import Path

import yaml

from runhive.compute.check import RENDEZVOUS, WORKFLOW
from runhive.compute.phases import FIRST_NODE, TRAINING
from runhive.compute.pushed import Pushed
from runhive.compute.submission import Submission
from runhive.compute.waiting import COLLECTOR

WORKFLOWS = Path(__file__).parents[2] / ".github/workflows"


def workflow(name: str) -> dict:
    return dict(yaml.safe_load((WORKFLOWS / name).read_text()))


def test_the_inputs_of_a_submission_are_those_of_the_workflow_which_shows_its_id() -> None:
    submission = Submission("s-20261125-120000-7f3a9c", "gpu", 2, ("train.lr=0.1",), Pushed("main", "0" * 40))
    train = workflow(WORKFLOW)

    assert set(submission.inputs()) == set(train[True]["workflow_dispatch"]["inputs"])  # YAML 1.1 takes `on` for true
    assert "${{ inputs.submission }}" in train["run-name"].split(" ", 1)[1]


def test_the_first_node_and_the_step_that_trains_are_found_by_their_names() -> None:
    node = workflow("_train.yml")["jobs"]["node"]
    named = [step["name"] for step in node["steps"] if TRAINING.fullmatch(step.get("name", ""))]
    first, second = (node["name"].replace("${{ matrix.rank }}", rank) for rank in "01")

    assert len(named) == 1
    assert FIRST_NODE.fullmatch(first) and FIRST_NODE.fullmatch(f"train / {first}")
    assert not FIRST_NODE.fullmatch(second) and not FIRST_NODE.fullmatch(f"train / {second}")


def test_the_collector_is_found_by_the_number_of_what_it_collects() -> None:
    assert "${{ github.event.workflow_run.id }}" in workflow(COLLECTOR)["run-name"]


def test_the_place_to_meet_is_the_variable_that_the_workflow_reads() -> None:
    assert f"vars.{RENDEZVOUS} " in (WORKFLOWS / WORKFLOW).read_text()
