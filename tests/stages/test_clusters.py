"""The files for Slurm and Kubernetes on the how-to page are whole, and start what one would start by hand."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

PAGE = Path(__file__).parents[2] / "docs/how-to/train-on-several-machines.md"


def block(heading: str) -> str:
    """The code under *heading*."""
    found = re.search(rf"### {heading}\n\n```\w+\n(.*?)\n```\n", PAGE.read_text(), re.DOTALL)
    assert found, heading
    return found[1]


def assert_shell(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def stand_ins(folder: Path, *names: str) -> str:
    """A PATH in which each command of *names* writes its words and Runhive's variables to a file of its own."""
    for name in names:
        (folder / name).write_text(
            f'#!/bin/bash\necho "$RUNHIVE_NODE_RANK $RUNHIVE_RENDEZVOUS $*" >> "{folder}/{name}.said"\n'
        )
        (folder / name).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def said(folder: Path, name: str) -> list[str]:
    path = folder / f"{name}.said"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize(("rank", "command", "words"), [("0", "dvc", "repro"), ("1", "runhive", "train")])
def test_the_slurm_script_starts_dvc_on_the_first_machine_and_train_on_the_others(
    rank: str, command: str, words: str, tmp_path: Path
) -> None:
    script = block("Slurm")
    assert_shell(script)
    assert re.findall(r"^#SBATCH --(nodes=2|ntasks-per-node=1)$", script, re.MULTILINE) == [
        "nodes=2",
        "ntasks-per-node=1",
    ]
    path = stand_ins(tmp_path, "dvc", "runhive")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/activate").write_text("")
    (tmp_path / "scontrol").write_text('#!/bin/bash\n[ "$*" = "show hostnames n[1-2]" ] && printf "n1\\nn2\\n"\n')
    (tmp_path / "srun").write_text('#!/bin/bash\nshift\nexec "$@"\n')
    for name in ("scontrol", "srun"):
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": path, "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_NODEID": rank}
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, check=True)

    assert said(tmp_path, command)[-1] == f"{rank} n1:29400 {words}"
    assert said(tmp_path, "dvc")[0] == " n1:29400 repro fetch"


@pytest.mark.parametrize(("rank", "command", "words"), [("0", "dvc", "repro"), ("1", "runhive", "train")])
def test_the_train_job_starts_dvc_on_the_first_machine_and_train_on_the_others(
    rank: str, command: str, words: str, tmp_path: Path
) -> None:
    job = yaml.safe_load(block("Kubernetes"))
    trainer = job["spec"]["trainer"]
    shell, option, script = trainer["command"]
    path = stand_ins(tmp_path, "dvc", "runhive")
    here = script.replace("cd /repository", f"cd {tmp_path}")
    environment = {"PATH": path, "PET_NODE_RANK": rank, "PET_MASTER_ADDR": "first", "PET_MASTER_PORT": "29500"}
    subprocess.run([shell, option, here], env=environment, check=True)

    assert (job["apiVersion"], job["kind"]) == ("trainer.kubeflow.org/v1alpha1", "TrainJob")
    assert (trainer["numNodes"], job["spec"]["runtimeRef"]["name"]) == (2, "torch-distributed")
    assert said(tmp_path, command) == [f"{rank} first:29500 {words}"]
