"""From a clone to a model in use elsewhere: register, promote, refuse, force, roll back, download, predict."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import ROOT, Workspace

from runhive.files import sha256_of

pytestmark = pytest.mark.slow


def told(workspace: Workspace, *words: str) -> str:
    """What a command says that has to be refused."""
    process = workspace.start(*words)
    output, _ = process.communicate()
    assert process.returncode == 1, output
    return " ".join(output.split())


def runhive(workspace: Workspace, *words: str) -> str:
    return " ".join(workspace.run(sys.executable, "pipeline", *words).split())


def shared(workspace: Workspace, folder: Path) -> Path:
    """A Git remote and a DVC remote of the repository, as a team has them."""
    hub = folder / "hub.git"
    workspace.git("init", "-q", "--bare", "-b", "main", str(hub))
    workspace.git("remote", "add", "origin", str(hub))
    workspace.run("dvc", "remote", "add", "-d", "store", str(folder / "store"))
    return hub


def test_a_worse_model_is_kept_from_use_and_the_one_in_use_predicts_elsewhere(
    workspace: Workspace, tmp_path: Path
) -> None:
    hub = shared(workspace, tmp_path)
    for key, value in (("user.name", "Bee"), ("user.email", "bee@hive.example")):
        workspace.git("config", key, value)
    workspace.change_params("gate.max_ece=1.0")
    workspace.git("add", "-A")
    workspace.git("commit", "-qm", "A model")
    workspace.git("push", "-q", "origin", "main")
    name = "my-model"
    assert f"{name}@v1.0.0 is run" in runhive(workspace, "models", "register")
    assert "Admitted against no other model" in runhive(workspace, "models", "promote", "latest", "prod")
    good = sha256_of(workspace.root / "models/model.onnx")

    workspace.change_params("train.lr=0.0000001", "train.epochs=1")
    workspace.run("dvc", "repro", "record")
    workspace.git("add", "-A")
    workspace.git("commit", "-qm", "A hasty one")
    runhive(workspace, "models", "register")
    said = told(workspace, sys.executable, "pipeline", "models", "promote", "latest", "prod")
    assert f"{name}@v1.1.0 is refused: " in said
    assert f"against {name}@v1.0.0 on" in said and "to promote it all the same: --force --reason TEXT" in said
    runhive(workspace, "models", "promote", "latest", "prod", "--force", "--reason", "a demonstration")
    assert json.loads(workspace.run("gto", "show", "--json"))[name]["stage"]["prod"] == "v1.1.0"
    runhive(workspace, "models", "rollback", "prod")
    assert json.loads(workspace.run("gto", "show", "--json"))[name]["stage"]["prod"] == "v1.0.0"

    shutil.rmtree(workspace.root / ".dvc/cache")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, str(ROOT / "pipeline")]
    at = [*command, "models", "download", f"{name}#prod", "model", "--repo", str(hub)]
    subprocess.run(at, cwd=elsewhere, check=True)
    assert sha256_of(elsewhere / "model/model.onnx") == good
    photos = workspace.root / "images/val"
    subprocess.run([*command, "predict", "model/model.onnx", photos, "--out", "a.jsonl"], cwd=elsewhere, check=True)
    rows = [json.loads(line) for line in (elsewhere / "a.jsonl").read_text().splitlines()]
    assert (len(rows), {row["version"] for row in rows}) == (16, {f"{name}@v1.0.0"})
    assert runhive(workspace, "models", "verify") == "2 versions hold"
