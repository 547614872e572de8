"""The plan of a train: what may be asked, what is refused, what the workflow gets."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.actions.outputs import write_outputs
from runhive.actions.plan import Asked, commit_of, lines, make_plan, require_remote
from runhive.errors import RunhiveError
from runhive.presets import presets, with_changes

GPU = presets()["digits"]
TOGETHER = with_changes(GPU, ["train.distributed.launcher=torchrun", "train.distributed.nodes=2"])
IMAGE = f"ghcr.io/hive/bees@sha256:{'a' * 64}"
SHA = "1" * 40
PLAN = make_plan(GPU, Asked())


def test_nothing_asked_is_what_params_yaml_says() -> None:
    plan = make_plan(GPU, Asked())

    assert plan.outputs("77") == {
        "runner": '{"labels": ["self-hosted", "gpu"]}',
        "ranks": "[0]",
        "job_minutes": 1440,
        "step_minutes": 1425,
        "changes": "[]",
        "queue": "machine-77",
        "image": "",
    }


def test_a_group_is_asked_for_beside_the_labels_of_its_runners() -> None:
    text = with_changes(GPU, ["compute.targets.gpu.group=gpu boxes"])

    assert json.loads(str(make_plan(text, Asked()).outputs("1")["runner"])) == {
        "group": "gpu boxes",
        "labels": ["self-hosted", "gpu"],
    }


def test_two_machines_get_two_ranks_one_queue_and_the_parameters_that_they_need() -> None:
    outputs = make_plan(GPU, Asked(nodes="2", rendezvous="box:29400")).outputs("1")

    assert (outputs["ranks"], outputs["queue"]) == ("[0, 1]", "machines-gpu")
    assert json.loads(str(outputs["changes"])) == ["train.distributed.nodes=2", "train.distributed.launcher=torchrun"]


def test_params_yaml_may_ask_for_two_machines_itself() -> None:
    plan = make_plan(TOGETHER, Asked(rendezvous="box:29400"))

    assert (plan.nodes, list(plan.changes)) == (2, [])


def test_one_machine_may_train_what_two_were_meant_for() -> None:
    assert list(make_plan(TOGETHER, Asked(nodes="1")).changes) == ["train.distributed.nodes=1"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(compute="gpuu"), "compute.targets has no 'gpuu': did you mean gpu?"),
        (Asked(compute="local"), "local is the machine that you sit at"),
        (Asked(nodes="5"), "'5' machines: compute.targets.gpu has 1 to 4"),
        (Asked(nodes="0"), "1 to 4"),
        (Asked(nodes="-1"), "1 to 4"),
        (Asked(nodes="²"), "1 to 4"),
        (Asked(nodes="2"), "need a place to meet"),
        (Asked(changes=["train.lr"]), "sets nothing"),
        (Asked(changes=["train.lrr=1"]), "train.lrr: unknown key: did you mean train.lr?"),
        (Asked(changes=["train.lr=high"]), "train.lr"),
        (Asked(image="ghcr.io/hive/bees:latest"), "has no digest"),
        (Asked(image=f"{IMAGE}\n--privileged"), "has no digest"),
    ],
)
def test_what_cannot_be_had_is_refused_before_a_runner_is_asked_for(asked: Asked, said: str) -> None:
    with pytest.raises(RunhiveError) as refused:
        make_plan(GPU, asked)

    assert said in str(refused.value)


@given(st.integers(1, 7200))
def test_training_is_cut_off_before_its_job_is(minutes: int) -> None:
    plan = replace(PLAN, minutes=minutes)

    assert plan.step_minutes >= 1 and (plan.step_minutes < minutes or minutes == 1)


def test_changes_come_one_a_line_and_empty_lines_are_none() -> None:
    assert lines(" train.lr=0.1\r\n\n  data.split={val: 0.1, test: 0.0}\n") == [
        "train.lr=0.1",
        "data.split={val: 0.1, test: 0.0}",
    ]


def pull_request(repository: str | None) -> dict:
    head = {"sha": "2" * 40, "repo": {"full_name": repository} if repository else None}
    return {"repository": {"full_name": "hive/bees"}, "pull_request": {"head": head}}


def test_a_pull_request_trains_its_newest_commit_and_a_dispatch_its_own() -> None:
    assert commit_of(pull_request("hive/bees"), SHA) == "2" * 40
    assert commit_of({"repository": {"full_name": "hive/bees"}}, SHA) == SHA


@pytest.mark.parametrize("repository", ["stranger/bees", None])
def test_a_fork_gets_no_plan(repository: str | None) -> None:
    with pytest.raises(RunhiveError, match="from a fork"):
        commit_of(pull_request(repository), SHA)


def test_a_change_with_a_line_break_is_one_output(tmp_path: Path) -> None:
    """What `--set` cannot bring, a caller of the function may."""
    change = "experiment: x\nrunner=evil"
    write_outputs(tmp_path / "outputs", replace(PLAN, changes=[change]).outputs("1"))

    assert json.dumps([change]) in (tmp_path / "outputs").read_text()
    assert "\nrunner=evil" not in (tmp_path / "outputs").read_text()


def test_outputs_are_added_to_those_of_the_step_before(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    path.write_text("a=1\n")
    write_outputs(path, {"b": "[0, 1]", "c": 3})

    assert path.read_text() == "a=1\nb=[0, 1]\nc=3\n"


def test_outputs_without_a_place_are_a_mistake_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunhiveError, match="cannot be written"):
        write_outputs(tmp_path / "none" / "outputs", {"b": "1"})


@pytest.mark.parametrize("config", ["", "[core]\n", "['remote \"store\"']\n    url = s3://bees\n"])
def test_a_repository_needs_a_default_dvc_remote(config: str, tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text(config)

    with pytest.raises(RunhiveError, match=r"no DVC remote.*dvc remote add -d NAME URL"):
        require_remote(tmp_path)


def test_a_default_dvc_remote_is_enough(tmp_path: Path) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    remote = store\n['remote \"store\"']\n    url = s3://bees\n")

    require_remote(tmp_path)
