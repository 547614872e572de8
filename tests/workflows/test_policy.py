"""Rules that no scanner has: who may start what, what runs on the team's own runners, and what may write.

act and the scanners cannot enforce permissions, environments and concurrency, so that they are read here.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from act import HERE, ROOT, workflows
from team import callers

TRIGGERS = {
    "pull_request", "merge_group", "push", "schedule", "workflow_dispatch", "workflow_run", "workflow_call",
}  # fmt: skip
ON_RUNNERS = "_train.yml"
HOSTED = "ubuntu-24.04"
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
ACTIONS = {
    "actions/attest-build-provenance",
    "actions/checkout",
    "actions/deploy-pages",
    "actions/download-artifact",
    "actions/upload-artifact",
    "actions/upload-pages-artifact",
}
WRITERS = {
    ("collect.yml", "collect"): {"contents", "pull-requests", "checks", "id-token"},
    ("pages.yml", "deploy"): {"pages", "id-token"},
    ("register.yml", "register"): {"contents", "id-token"},
    ("register.yml", "publish"): {"contents", "id-token", "attestations"},
    ("resume.yml", "resume"): {"actions"},
    ("train.yml", "train"): {"id-token"},
    ("_train.yml", "node"): {"id-token"},
}
CACHING = re.compile(r"actions/cache|enable-cache|cache: ")
WORKFLOWS = workflows()
FILES = sorted(WORKFLOWS)
JOBS = [(file, name) for file in FILES for name in WORKFLOWS[file]["jobs"]]


def text(file: str) -> str:
    return (ROOT / ".github/workflows" / file).read_text()


def triggers(file: str) -> dict[str, Any]:
    on = WORKFLOWS[file][True]  # YAML reads the key `on` as True
    return on if isinstance(on, dict) else dict.fromkeys([on] if isinstance(on, str) else on)


def steps(node: Any) -> Iterator[dict[str, Any]]:
    """Every step of a workflow, a job or an action."""
    if isinstance(node, dict):
        yield from node.get("steps", ())
        for one in node.values():
            yield from steps(one)


def all_steps() -> list[tuple[str, dict[str, Any]]]:
    actions = {file.name: yaml.safe_load(file.read_text()) for file in (ROOT / ".github/actions").rglob("action.yml")}
    return [(file, step) for file, content in {**WORKFLOWS, **actions}.items() for step in steps(content)]


@pytest.mark.parametrize("file", FILES)
def test_nothing_starts_with_a_strangers_code_and_the_repositorys_rights(file: str) -> None:
    """No pull_request_target, no issue_comment, nor anything else that is not on the list."""
    assert set(triggers(file)) <= TRIGGERS


@pytest.mark.parametrize("file", FILES)
def test_a_workflow_starts_with_no_permission(file: str) -> None:
    assert WORKFLOWS[file]["permissions"] == {}


@pytest.mark.parametrize(("file", "name"), JOBS)
def test_only_named_jobs_write_and_only_what_they_are_named_for(file: str, name: str) -> None:
    permissions = WORKFLOWS[file]["jobs"][name]["permissions"]

    assert isinstance(permissions, dict), "a job lists its permissions"
    assert {key for key, value in permissions.items() if value != "read"} == WRITERS.get((file, name), set())


def test_every_named_writer_exists() -> None:
    assert set(WRITERS) <= set(JOBS)


@pytest.mark.parametrize(("file", "name"), JOBS)
def test_only_one_file_has_jobs_on_the_teams_own_runners(file: str, name: str) -> None:
    job = WORKFLOWS[file]["jobs"][name]
    if "uses" in job:
        assert job["uses"] == f"./.github/workflows/{ON_RUNNERS}"
    elif file != ON_RUNNERS:
        assert job["runs-on"] == HOSTED


@pytest.mark.parametrize("file", FILES)
def test_forks_are_kept_out_of_the_file_with_the_teams_own_runners_and_of_all_that_call_it(file: str) -> None:
    jobs = WORKFLOWS[file]["jobs"]
    for name, job in jobs.items():
        if file == ON_RUNNERS:
            assert SAME_REPOSITORY in job["if"], name
        if job.get("uses", "").endswith(ON_RUNNERS):
            needed = [job["needs"]] if isinstance(job["needs"], str) else job["needs"]

            assert any(SAME_REPOSITORY in jobs[one]["if"] for one in needed), "it waits for a job that forks do not get"
            assert "always()" not in job.get("if", "")


@pytest.mark.parametrize("file", [file for file in FILES if "workflow_run" in triggers(file)])
def test_what_follows_a_workflow_takes_no_code_of_it_and_no_fork(file: str) -> None:
    for name, job in WORKFLOWS[file]["jobs"].items():
        for step in steps({"steps": job.get("steps", ())}):
            if str(step.get("uses", "")).startswith("actions/checkout@"):
                assert "ref" not in step["with"] and "repository" not in step["with"], name
            if "download-artifact" in str(step.get("uses", "")) and "run-id" in step["with"]:
                assert step["with"]["path"].startswith("${{ runner.temp }}"), f"{name}: outside of the checkout"
    first = [job for job in WORKFLOWS[file]["jobs"].values() if "needs" not in job]
    for job in first:
        assert "github.event.workflow_run.head_repository.full_name == github.repository" in job["if"]


def test_no_run_block_has_an_expression_in_it() -> None:
    """A title such as `"; rm -rf ~; "` would be code there; through `env:` it is text."""
    for file, step in all_steps():
        assert "${{" not in step.get("run", ""), f"{file}: {step.get('name', step['run'])}"
        assert "github-script" not in step.get("uses", ""), file


def test_every_action_is_on_the_list_and_pinned_by_its_sha_with_its_version_beside_it() -> None:
    for file in FILES:
        for line in text(file).splitlines():
            if not (found := re.search(r"\buses: *(\S+)", line)) or found[1].startswith("./"):
                continue
            name, _, sha = found[1].partition("@")

            assert name in ACTIONS, f"{file}: {name}"
            assert re.fullmatch("[0-9a-f]{40}", sha), f"{file}: {name}"
            assert re.search(r"# v\d+\.\d+\.\d+$", line), f"{file}: {name}"


def test_checkouts_are_new_enough_to_refuse_forks_and_leave_no_token_behind() -> None:
    for file, step in all_steps():
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False, file
            assert "allow-unsafe-pr-checkout" not in step["with"], file
    versions = {
        tuple(map(int, found)) for file in FILES for found in re.findall(r"checkout@\S+ # v(\d+)\.(\d+)", text(file))
    }
    assert versions and min(versions) >= (7, 0)


def test_every_input_of_an_action_is_one_that_the_action_has() -> None:
    """The stubs list the inputs of the real actions, at the pinned versions."""
    for file, step in all_steps():
        uses = step.get("uses", "").partition("@")[0]
        if uses:
            folder = ROOT / uses if uses.startswith("./") else HERE / "stubs" / uses
            known = yaml.safe_load((folder / "action.yml").read_text())["inputs"]

            assert set(step.get("with", {})) <= set(known), f"{file}: {uses}"


def test_an_image_has_its_digest_or_its_reason() -> None:
    """A container that sees no secret may be the newest one; the plan refuses one for the runners without a digest."""
    taken = {
        (file, name): job["container"] for file, name in JOBS if (job := WORKFLOWS[file]["jobs"][name]).get("container")
    }

    assert set(taken) == {("ci.yml", "test"), (ON_RUNNERS, "node")}
    assert taken[ON_RUNNERS, "node"]["image"] == "${{ inputs.image }}"
    assert "secrets" not in text("ci.yml") and "GH_TOKEN" not in text("ci.yml")


@pytest.mark.parametrize(
    ("base", "code"), [(f"python@sha256:{'a' * 64}", 0), ("python:3.12", 1), ("python@sha256:abc", 1), ("", 1)]
)
def test_the_image_of_the_runners_is_built_from_a_base_with_its_digest_alone(base: str, code: int) -> None:
    lines = (ROOT / ".github/runners/Containerfile").read_text().replace("\\\n", "").splitlines()
    assert [line for line in lines if line.startswith(("FROM", "ARG"))] == ["ARG BASE", "FROM ${BASE}", "ARG BASE"]
    guard = next(line for line in lines if line.startswith("RUN")).removeprefix("RUN ")
    done = subprocess.run(["sh", "-c", guard], env={"PATH": os.defpath, "BASE": base}, capture_output=True, text=True)

    assert done.returncode == code
    assert ("has no digest" in done.stderr) == bool(code)


def test_no_workflow_restores_a_cache() -> None:
    """A cache is written by whoever comes first, and read by jobs that may write more."""
    for file in FILES:
        assert not CACHING.search(text(file)), file


@pytest.mark.parametrize(("file", "name"), JOBS)
def test_every_job_has_a_time_out_above_those_of_its_steps(file: str, name: str) -> None:
    job = WORKFLOWS[file]["jobs"][name]
    if "uses" in job:
        return
    limits = [step["timeout-minutes"] for step in job["steps"] if "timeout-minutes" in step]

    assert limits or file == ON_RUNNERS, "the step that works has a time-out"
    assert "timeout-minutes" in job
    if isinstance(job["timeout-minutes"], int):
        assert sum(limits) <= job["timeout-minutes"] and max(limits) < job["timeout-minutes"]
    else:  # `runhive actions plan` keeps the step's below the job's
        assert job["timeout-minutes"] == "${{ inputs.job_minutes }}" and "${{ inputs.step_minutes }}" in limits


@pytest.mark.parametrize("file", FILES)
def test_a_command_that_fails_before_a_pipe_fails_its_step(file: str) -> None:
    assert WORKFLOWS[file]["defaults"]["run"]["shell"] == "bash"


@pytest.mark.parametrize("file", [file for file in FILES if file != ON_RUNNERS])
def test_every_workflow_says_what_runs_of_it_do_at_once(file: str) -> None:
    assert WORKFLOWS[file]["concurrency"]["group"]


def test_what_writes_waits_and_is_never_cut_off() -> None:
    for file in ("collect.yml", "pages.yml", "register.yml", "resume.yml"):
        assert WORKFLOWS[file]["concurrency"].get("cancel-in-progress", False) is False, file


def test_a_fork_s_branch_of_the_same_name_keeps_no_collector_waiting() -> None:
    group = WORKFLOWS["collect.yml"]["concurrency"]["group"]

    assert "workflow_run.head_repository.full_name" in group and "workflow_run.head_branch" in group


def test_an_unrelated_label_does_not_replace_the_run_of_a_pull_request() -> None:
    """Its group is its own; only what trains has the pull request's."""
    group = WORKFLOWS["train.yml"]["concurrency"]["group"]

    assert "github.event.label.name == 'run-gpu'" in group and group.rstrip("} ").endswith("github.run_id")


@pytest.mark.parametrize("file", ["train.yml", "collect.yml", "register.yml", "pages.yml"])
def test_another_repository_can_call_it(file: str) -> None:
    assert "workflow_call" in triggers(file)


def test_a_dispatch_and_a_call_take_the_same_inputs() -> None:
    on = triggers("train.yml")

    assert on["workflow_dispatch"] == on["workflow_call"]
    assert list(on["workflow_call"]["inputs"]) == ["compute", "nodes", "set", "submission", "resume"]


def test_the_team_of_the_code_is_asked_for_every_file_that_is_code_on_the_gpu_box() -> None:
    owned = {line.split()[0] for line in (ROOT / ".github/CODEOWNERS").read_text().splitlines() if line[:1] == "/"}

    assert {"/.github/", "/.dvc/config", "/dvc.yaml", "/pipeline/", "/pyproject.toml"} <= owned


def test_the_page_for_callers_gives_the_rights_and_inputs_that_the_workflows_ask_for() -> None:
    shown = [yaml.safe_load(caller) for caller in callers().values()]
    assert [caller["name"] for caller in shown] == ["train", "collect"]
    for caller in shown:
        file = f"{caller['name']}.yml"
        asked: dict[str, str] = {}
        for job in WORKFLOWS[file]["jobs"].values():
            asked |= {key: value for key, value in job["permissions"].items() if asked.get(key) != "write"}
        (job,) = caller["jobs"].values()

        assert job["permissions"] == asked
        assert set(job.get("with", {})) == set((triggers(file)["workflow_call"] or {}).get("inputs", {}))
    assert shown[0]["run-name"] == WORKFLOWS["train.yml"]["run-name"], "resume counts by the title"


def test_every_variable_that_a_workflow_reads_is_on_the_page_for_callers() -> None:
    page = (ROOT / "docs/how-to/call-the-workflows.md").read_text()
    read = {name for file in FILES for name in re.findall(r"vars\.([A-Z_]+)", text(file))}

    assert read == set(re.findall(r"^\| `(RUNHIVE_[A-Z_]+)`", page, re.MULTILINE))
