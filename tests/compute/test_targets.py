"""`runhive compute`: what is listed, and one line for each thing that is missing."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from clones import Clone
from hub import FakeGitHub
from told import MEETING, WORKFLOW, runner, runners

GPU = "compute.targets.gpu"


def problems(clone: Clone, *words: str) -> list[str]:
    done = clone.call("compute", "check", *words)
    assert done.exception is not None, done.output
    return str(done.exception).splitlines()


def group(*names: str) -> dict[str, Any]:
    groups = [{"id": 7 + place, "name": name} for place, name in enumerate(names)]
    return {"path": "orgs/o/actions/runner-groups", "body": {"runner_groups": groups}}


def test_the_list_counts_the_runners_that_fit_each_target(clone: Clone, github: FakeGitHub) -> None:
    clone.params(f"{GPU}.min_nodes=1", "compute.targets.big={group: null, labels: [self-hosted, a100], min_nodes: 0, "
                 "max_nodes: 2, gpus_per_node: 8, idle_minutes: 5, timeout_minutes: 60}")  # fmt: skip
    github.answers(runners(runner("a"), runner("b", busy=True), runner("c", online=False), runner("d", "self-hosted")))

    lines = [line.split("  ") for line in clone.call("compute", "list").stdout.splitlines()]
    rows = [[cell.strip() for cell in line if cell.strip()] for line in lines]

    assert rows[1:] == [
        ["local", "this machine", "1"],
        ["gpu *", "labels self-hosted, gpu", "1–4", "1", "2", "1"],
        ["big", "labels self-hosted, a100", "0–2", "8", "0", "0"],
        ["* the default"],
    ]


def test_the_list_is_there_without_github_and_says_why_runners_are_not(clone: Clone) -> None:
    done = clone.call("compute", "list")

    assert done.exit_code == 0
    assert "gpu *" in done.stdout and "?" in done.stdout
    assert done.stderr.startswith("runhive: gpu: gh may not read the runners of o/r: ask an administrator, or run")


def test_a_target_is_shown_with_its_runners(clone: Clone, github: FakeGitHub) -> None:
    github.answers(runners(runner("a", "self-hosted GPU x64", busy=True)))

    told = json.loads(clone.call("compute", "show", "gpu", "--json").stdout)

    assert told["max_nodes"] == 4
    assert told["runners"] == [{"name": "a", "online": True, "busy": True, "labels": ["self-hosted", "GPU", "x64"]}]
    assert "a  busy  self-hosted, GPU, x64" in clone.call("compute", "show").stdout


def test_a_target_that_is_ready_is_said_to_be(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, runners(runner("a"), runner("b", busy=True)))

    done = clone.call("compute", "check")

    assert (done.exit_code, done.stdout) == (0, "gpu: ready: 2 online, 1 busy\n")


def test_this_machine_is_always_ready(clone: Clone) -> None:
    assert clone.call("compute", "check", "local").stdout == "local: ready: it is this machine\n"
    assert str(clone.call("compute", "show", "local", "--box").exception).startswith("local is this machine and has no")


def test_an_unknown_target_is_told_the_nearest(clone: Clone) -> None:
    assert problems(clone, "gpuu") == ["compute.targets in params.yaml has no 'gpuu': did you mean gpu?"]


def test_gh_that_is_not_installed_is_one_line(clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to("/usr/bin/git")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert problems(clone) == ["gh is not installed: see https://cli.github.com, then run `gh auth login`"]


def test_gh_that_is_not_logged_in_is_one_line(clone: Clone, github: FakeGitHub) -> None:
    github.answers({"path": ".*", "status": 401})
    (out,) = problems(clone)
    github.answers({"path": ".*", "status": 401, "message": "Bad credentials"})
    (line,) = problems(clone)

    assert out == "gh is not logged in: run `gh auth login`, or set GH_TOKEN"
    assert line.endswith("Bad credentials (HTTP 401): run `gh auth login`, or set GH_TOKEN")


def test_a_workflow_that_is_not_there_or_switched_off_is_said(clone: Clone, github: FakeGitHub) -> None:
    github.answers(runners(runner("a")))
    (missing,) = problems(clone)
    github.answers({**WORKFLOW, "body": {"id": 1, "state": "disabled_manually"}}, runners(runner("a")))
    (off,) = problems(clone)

    assert missing.startswith("o/r has no workflow train.yml: push .github/workflows to its default branch")
    assert off == "the workflow train.yml is switched off: run `gh workflow enable train.yml`"


def test_a_group_that_is_not_there_is_told_those_that_are(clone: Clone, github: FakeGitHub) -> None:
    clone.params(f"{GPU}.group=gpu-trusted")
    github.answers(WORKFLOW, group("Default", "cpu"))

    (line,) = problems(clone)

    assert line.startswith("gpu: o has no runner group 'gpu-trusted' that r may use (it has Default, cpu): make it")


def test_a_group_of_nobody_s_organization_is_said_to_need_one(clone: Clone, github: FakeGitHub) -> None:
    clone.params(f"{GPU}.group=gpu-trusted")
    github.answers(WORKFLOW)

    (line,) = problems(clone)

    assert "only organizations have them. Set group to null" in line


def test_the_runners_of_a_group_are_those_that_count(clone: Clone, github: FakeGitHub) -> None:
    clone.params(f"{GPU}.group=gpu-trusted", f"{GPU}.labels=[]")
    listed = {"path": "orgs/o/actions/runner-groups/8/runners", "body": {"runners": [runner("a", "anything")]}}
    github.answers(WORKFLOW, group("Default", "gpu-trusted"), listed)

    assert clone.call("compute", "check").stdout == "gpu: ready: 1 online, 0 busy\n"


def test_lacking_labels_are_named_for_each_runner(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, runners(runner("a", "self-hosted linux"), runner("b", "")))

    advice = "give it to the runner, or mend compute.targets.gpu.labels"

    assert clone.call("compute", "check").stdout == ""
    assert problems(clone) == [
        f"gpu: runner a lacks gpu (it has self-hosted, linux): {advice}",
        f"gpu: runner b lacks self-hosted, gpu (it has none): {advice}",
    ]


def test_an_offline_runner_is_named_with_how_to_start_it(clone: Clone, github: FakeGitHub) -> None:
    clone.params(f"{GPU}.min_nodes=2")
    github.answers(WORKFLOW, runners(runner("a"), runner("b", online=False)))

    assert problems(clone) == [
        "gpu: runner b is offline: start it there with `systemctl start runhive-runner`",
        "gpu: 1 of the 2 runners that compute.targets.gpu.min_nodes promises is online: start the others, or lower it",
    ]


def test_one_that_is_offline_beside_enough_others_is_only_told(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, runners(runner("a"), runner("b", online=False)))
    enough = clone.call("compute", "check")
    github.answers(WORKFLOW, runners(runner("b", online=False)))

    assert (enough.exit_code, len(enough.stdout.splitlines())) == (0, 2)
    assert problems(clone) == ["gpu: runner b is offline: start it there with `systemctl start runhive-runner`"]


def test_no_runner_at_all_is_right_for_a_scale_set_alone(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, runners())

    done = clone.call("compute", "check")

    assert done.exit_code == 0
    assert "no runner is there now, and min_nodes is 0: a scale set starts one when a job comes" in done.stdout


def test_more_nodes_than_there_are_is_a_mistake_and_more_than_are_online_a_wait(
    clone: Clone, github: FakeGitHub
) -> None:
    github.answers(WORKFLOW, MEETING, runners(runner("a")))

    (line,) = problems(clone, "--nodes", "8")
    told = clone.call("compute", "check", "--nodes", "2").stdout.splitlines()

    assert line.startswith("gpu: 8 nodes are asked for and compute.targets.gpu.max_nodes is 4: ask for fewer")
    assert told[0] == "gpu: 2 runners are needed and 1 is online: jobs wait"


def test_several_machines_without_a_place_to_meet_are_a_mistake(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, runners(runner("a"), runner("b")))
    (line,) = problems(clone, "--nodes", "2")
    github.answers(WORKFLOW, {**MEETING, "status": 403}, runners(runner("a"), runner("b")))

    assert line.startswith("2 nodes need a place to meet: set train.distributed.rendezvous, or run `gh variable set")
    assert clone.call("compute", "check", "--nodes", "2").stdout == "gpu: ready: 2 online, 0 busy\n"


def test_more_processes_than_gpus_and_cuda_without_gpus_are_mistakes(clone: Clone, github: FakeGitHub) -> None:
    clone.params("train.distributed={launcher: torchrun, nodes: 1, processes_per_node: 2, rendezvous: null, "
                 "timeout_s: 120, max_restarts: 3}")  # fmt: skip
    github.answers(WORKFLOW, runners(runner("a")))
    (more,) = problems(clone)
    clone.params("train.device=cuda", f"{GPU}.gpus_per_node=0")
    (none,) = problems(clone)

    assert more.startswith("gpu: train.distributed.processes_per_node is 2 and a node has 1 GPUs")
    assert none.startswith("gpu: train.device is cuda and its nodes have no GPU")


def test_machines_of_github_s_own_are_on_nobody_s_list(clone: Clone, github: FakeGitHub) -> None:
    clone.params(f"{GPU}.labels=[ubuntu-24.04]", f"{GPU}.gpus_per_node=0")
    github.answers(WORKFLOW)

    assert clone.call("compute", "check").stdout.startswith("gpu: GitHub has these machines itself\n")
    assert [call["path"] for call in github.calls()] == [WORKFLOW["path"]]


def test_names_of_strangers_cannot_steer_the_terminal(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, runners(runner("a\x1b[31m\n\u202e", "self-hosted gpu")))

    shown = clone.call("compute", "show").stdout
    github.answers(WORKFLOW, runners(runner("a\x1b[31m\n\u202e", "x\x1b[2J")))
    said = clone.start("compute", "check").communicate()[1]

    assert all(line.isprintable() for line in [*shown.splitlines(), *said.splitlines()])
    assert os.linesep not in said.rstrip("\n")
