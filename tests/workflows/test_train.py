"""What starts a train and what does not, and what a train leaves, under act."""

import json
import socket

import events
import psutil
import pytest
from playwright.sync_api import Browser
from team import Hive, collect, ledger_on_the_hub, told_by_github


@pytest.mark.parametrize(
    ("action", "repository"),
    [("labeled", "stranger/bees"), ("synchronize", "stranger/bees"), ("synchronize", None)],
)
def test_nothing_runs_for_a_fork_although_it_has_the_label(
    action: str, repository: str | None, still_hive: Hive
) -> None:
    head, label = still_hive.main, "run-gpu" if action == "labeled" else None
    event = events.pull_request(head, head, action=action, labels=("run-gpu",), label=label, repository=repository)

    assert still_hive.box.run("train.yml", "pull_request", event, still_hive.main).jobs == {}


@pytest.mark.parametrize(
    ("action", "labels", "label"),
    [("synchronize", (), None), ("labeled", ("docs",), "docs"), ("labeled", ("run-gpu", "docs"), "docs")],
)
def test_nothing_runs_without_the_label_nor_for_another_one(
    action: str, labels: tuple[str, ...], label: str | None, still_hive: Hive
) -> None:
    event = events.pull_request(still_hive.main, still_hive.main, action=action, labels=labels, label=label)

    assert still_hive.box.run("train.yml", "pull_request", event, still_hive.main).jobs == {}


def test_the_plan_of_a_hostile_title_and_branch_is_made_and_neither_is_run_as_code(still_hive: Hive) -> None:
    mark = still_hive.box.folder / "owned"
    words = f'"; touch {mark}; echo "$(touch {mark})`touch {mark}`'
    head = still_hive.pushed("change", "train.lr=0.003")
    event = events.pull_request(
        head, still_hive.main, action="synchronize", labels=("run-gpu", words), branch=words, title=words
    )
    ran = still_hive.box.run("train.yml", "pull_request", event, head, jobs=("plan",))

    assert ran.jobs == {"plan": "success"}, ran.output
    assert not mark.exists()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"compute": "gpus"}, "compute.targets has no 'gpus': did you mean gpu?"),
        ({"nodes": "9"}, "'9' machines: compute.targets.gpu has 1 to 4"),
        ({"set": "train.lr=0.1\ntrain.epoch=1"}, "train.epoch: unknown key: did you mean train.epochs?"),
        ({"set": "$(touch owned)"}, "sets nothing: write KEY=VALUE"),
        ({"resume": "../x"}, "'../x' is no run"),
    ],
)
def test_a_dispatch_that_cannot_be_had_asks_for_no_runner_and_says_why(
    inputs: dict[str, str], said: str, still_hive: Hive
) -> None:
    ran = still_hive.box.run("train.yml", "workflow_dispatch", events.dispatch(**inputs), still_hive.main)

    assert ran.jobs == {"plan": "failure"}
    assert said in ran.output
    assert len([line for line in ran.output.splitlines() if line.startswith("runhive: ")]) == 1


def test_a_repository_without_a_dvc_remote_asks_for_no_runner(new_hive: Hive) -> None:
    ran = new_hive.box.run("train.yml", "workflow_dispatch", events.dispatch(), new_hive.main)

    assert ran.jobs == {"plan": "failure"}
    assert "the repository has no DVC remote, so the model would be lost with the runner" in ran.output


def test_a_workflow_that_another_repository_calls_by_its_sha_is_the_same(hive: Hive) -> None:
    """act takes what the called one calls itself from the caller's folder, so this goes as far as the plan."""
    hive.calls("train")
    ran = hive.box.run("train.yml", "workflow_dispatch", events.dispatch(nodes="9"), hive.main)

    assert ran.jobs == {"plan": "failure"}, "a job that only the called one has"
    assert "'9' machines: compute.targets.gpu has 1 to 4" in ran.output


@pytest.mark.slow
def test_a_train_that_fails_hands_over_its_run_which_is_in_the_history_as_failed(hive: Hive, browser: Browser) -> None:
    """The learning rate is beyond all measure, so that training diverges. Another repository's collect takes it."""
    event = events.dispatch(set="train.lr=100\ntrain.optimizer={name: sgd, momentum: 0.99, weight_decay: 0.0}")
    ran = hive.box.run("train.yml", "workflow_dispatch", event, hive.main)

    assert ran.jobs == {"plan": "success", "node 0": "failure"}, ran.output
    left = hive.box.artifacts / str(ran.number)
    assert sorted(path.name for path in left.iterdir()) == ["runhive-asked", "runhive-run"], "and no checkpoint"
    assert "Training failed" in ran.summaries
    head = hive.main
    told_by_github(hive, ran, head, [], "failure")
    hive.calls("collect")
    collected = collect(hive, ran, head, "failure")
    assert collected.jobs == {"collect": "success", "preview": "success"}, collected.output
    (run,) = ledger_on_the_hub(hive).runs()
    assert (run.state, run.params["train"]["lr"]) == ("failed", 100)
    preview = hive.box.artifacts / str(collected.number) / "site"
    opened = browser.new_page()
    opened.goto((preview / f"runs/{run.run_id}.html").as_uri())  # as by a double click
    shown = opened.locator("main").inner_text()
    opened.close()
    assert run.run_id in shown and "failed" in shown.lower()


@pytest.mark.slow
def test_two_jobs_of_a_matrix_meet_by_torchrun_and_train_together(hive: Hive) -> None:
    hive.box.variables["RUNHIVE_RENDEZVOUS"] = f"{own_address()}:{free_port()}"
    ran = hive.box.run("train.yml", "workflow_dispatch", events.dispatch(nodes="2"), hive.main)

    assert ran.jobs == {"plan": "success", "node 0": "success", "node 1": "success"}, ran.output
    told = json.loads((hive.box.artifacts / str(ran.number) / "runhive-run" / "bundle.json").read_text())
    appends = (hive.box.artifacts / str(ran.number) / "runhive-run").rglob("*-events.json")
    (started,) = [one for path in appends for one in json.loads(path.read_text()) if one["type"] == "started"]
    environment = started["data"]["environment"]
    assert environment["distributed"]["nodes"] == 2 and len(told["runs"]) == 1


def own_address() -> str:
    """An address of this machine that is not the loopback."""
    found = [one.address for all_of in psutil.net_if_addrs().values() for one in all_of if one.family == socket.AF_INET]
    return next(address for address in found if not address.startswith("127."))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("", 0))
        return int(one.getsockname()[1])
