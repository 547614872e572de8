"""`runhive submit`: what is refused before anything is sent, and what is sent."""

import re
import signal
import subprocess

import pytest
from clones import Clone
from hub import FakeGitHub
from told import MEETING, NUMBER, URL, WORKFLOW, collector, looks, node, runner, runners, step, workflow_run

DISPATCH = {"method": "POST", "path": "repos/o/r/actions/workflows/train.yml/dispatches", "text": ""}
LISTED = {
    "path": "repos/o/r/actions/workflows/train.yml/runs",
    "body": {"workflow_runs": [workflow_run("queued", title="train $submission")]},
}


def appear(github: FakeGitHub) -> None:
    """GitHub takes a dispatch, and lists the workflow run of whatever was sent last."""
    github.answers(WORKFLOW, MEETING, runners(runner("a")), DISPATCH, LISTED)


def refusal(clone: Clone, github: FakeGitHub, *words: str) -> str:
    """The message with which submit ends; nothing was sent."""
    done = clone.call("submit", *words)
    assert done.exception is not None, done.output
    assert github.sent() == []
    return str(done.exception)


def test_what_is_committed_and_pushed_is_sent_with_its_changes(clone: Clone, github: FakeGitHub) -> None:
    appear(github)

    done = clone.call("submit", "-S", "train.lr=0.01", "-S", "train.epochs=2", "--nodes", "2")

    (sent,) = github.sent()
    submission = sent["body"]["inputs"].pop("submission")
    assert re.fullmatch(r"s-\d{8}-\d{6}-[0-9a-f]{6}", submission)
    assert sent["body"] == {
        "ref": "main",
        "inputs": {
            "compute": "gpu", "nodes": "2", "resume": "",
            "set": "train.lr=0.01\ntrain.epochs=2\ntrain.distributed.nodes=2\ntrain.distributed.launcher=torchrun",
        },
    }  # fmt: skip
    commit = clone.git("rev-parse", "--short=8", "HEAD")
    assert done.stdout.splitlines() == [
        f"{submission}: main at {commit} to gpu, 2 nodes",
        URL,
        f"`runhive watch {NUMBER}` follows it, `runhive cancel {NUMBER}` ends it",
    ]
    assert done.stderr == "runhive: gpu: 2 runners are needed and 1 is online: jobs wait\n"


def test_the_file_stays_as_it_is(clone: Clone, github: FakeGitHub) -> None:
    appear(github)
    before = (clone.root / "params.yaml").read_bytes()
    clone.call("submit", "-S", "train.lr=0.01")

    assert (clone.root / "params.yaml").read_bytes() == before
    assert clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-S", "train.lr=fast"], "params.yaml with -S: train.lr: should be a valid number, not 'fast'"),
        (["-S", "train.lrr=1"], "params.yaml with -S: train.lrr: unknown key: did you mean train.lr?"),
        (["-S", "model.resize_size=20"], "params.yaml with -S: model.resize_size: 20 is less than model.image_size 40"),
        (["-S", "train.lr"], "'train.lr' sets nothing: write KEY=VALUE, such as train.lr=0.01"),
        (["-S", "experiment=a\nb=c"], "'experiment=a\\nb=c': a value goes to the runner on one line"),
        (["--nodes", "3"], "params.yaml with --nodes 3: train.batch_size: 64 images cannot be shared evenly by 3"),
        (["--nodes", "8"], "gpu: 8 nodes are asked for and compute.targets.gpu.max_nodes is 4: ask for fewer"),
        (["--compute", "gpus"], "compute.targets in params.yaml has no 'gpus': did you mean gpu?"),
        (["--compute", "local", "--nodes", "2"], "local is one machine: leave --nodes out, or take another target"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_told_and_nothing_is_sent(clone: Clone, github: FakeGitHub, words: list[str], said: str) -> None:
    appear(github)

    message = refusal(clone, github, *words)

    assert message.startswith(said)
    assert len(message.splitlines()) == 1


def test_changes_that_are_not_committed_are_named(clone: Clone, github: FakeGitHub) -> None:
    appear(github)
    (clone.root / "params.yaml").write_text((clone.root / "params.yaml").read_text().replace("lr: 0.002", "lr: 0.02"))

    assert refusal(clone, github).startswith(
        "params.yaml differ from HEAD, and a runner gets what is committed: commit"
    )


def test_commits_that_are_not_pushed_are_said(clone: Clone, github: FakeGitHub) -> None:
    appear(github)
    clone.git("commit", "-q", "--allow-empty", "-m", "More")
    here, there = clone.git("rev-parse", "--short=8", "HEAD"), clone.git("rev-parse", "--short=8", "origin/main")

    assert refusal(clone, github).startswith(f"main is at {here} here and at {there} in origin: run `git push`")


def test_what_the_remote_tells_counts_and_not_what_was_seen_of_it_last(clone: Clone, github: FakeGitHub) -> None:
    appear(github)
    clone.git("commit", "-q", "--allow-empty", "-m", "More")
    clone.git("push", "-q")
    subprocess.run(["git", "-C", clone.remote, "update-ref", "refs/heads/main", "main~1"], check=True)

    assert "in origin: run `git push`" in refusal(clone, github)


def test_a_branch_that_is_not_there_and_no_branch_at_all_are_said(clone: Clone, github: FakeGitHub) -> None:
    appear(github)
    clone.git("switch", "-qc", "try")
    new = refusal(clone, github)
    clone.git("switch", "-q", "--detach")

    assert new == "origin has no branch try: run `git push -u origin try`"
    assert refusal(clone, github).startswith("HEAD is on no branch, and GitHub starts branches: run `git switch -c")


def test_a_remote_that_does_not_answer_is_one_line(clone: Clone, github: FakeGitHub) -> None:
    appear(github)
    clone.git("remote", "set-url", "origin", str(clone.root / "nowhere"))

    assert refusal(clone, github).startswith("origin does not answer (")


def test_without_the_workflow_nothing_is_sent(clone: Clone, github: FakeGitHub) -> None:
    github.answers(runners(runner("a")), DISPATCH)

    assert refusal(clone, github).startswith("o/r has no workflow train.yml")


def test_runners_that_may_not_be_listed_do_not_keep_a_run_from_being_sent(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, DISPATCH, LISTED)

    done = clone.call("submit")

    assert len(github.sent()) == 1
    assert done.stderr.startswith("runhive: gpu: gh may not read the runners of o/r: ask an administrator")


def test_a_refusal_of_github_is_one_line(clone: Clone, github: FakeGitHub) -> None:
    github.answers(WORKFLOW, runners(runner("a")), {**DISPATCH, "status": 422, "message": "Unexpected inputs"})

    done = clone.call("submit")

    assert "Unexpected inputs (HTTP 422)" in str(done.exception)
    assert len(str(done.exception).splitlines()) == 1


def test_with_wait_it_is_followed_to_its_end_whose_exit_code_it_has(clone: Clone, github: FakeGitHub) -> None:
    over = [node(step("Train, evaluate", "02:00", "08:00", "failure"), ended="09:00", conclusion="failure")]
    told = looks((workflow_run("in_progress"), [node()]), (workflow_run(conclusion="failure"), over))[1:]
    github.answers(WORKFLOW, runners(runner("a")), DISPATCH, LISTED, *told, collector())

    done = clone.call("submit", "--wait", "--every", "0.1")

    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[1] == URL
    assert "  step Train, evaluate: failure" in lines
    assert lines[-1] == f"failure: no record of it: {URL}"


def test_ctrl_c_before_github_lists_the_run_says_how_to_find_it_again(clone: Clone, github: FakeGitHub) -> None:
    nothing = {"path": LISTED["path"], "body": {"workflow_runs": []}}
    github.answers(WORKFLOW, runners(runner("a")), DISPATCH, nothing)
    process = clone.start("submit", "--wait")
    assert process.stdout is not None
    submission = process.stdout.readline().partition(":")[0]
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()

    assert process.returncode == 130
    assert said == f"it was sent: `runhive watch {submission}` follows it, `runhive cancel {submission}` ends it\n"
    assert github.sent()[0]["body"]["inputs"]["submission"] == submission
