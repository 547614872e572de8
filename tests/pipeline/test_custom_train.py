"""The training script of docs/how-to/custom-train.md, as it stands there, in place of the stage."""

import os
import re
import subprocess
import sys

import pytest
from workspace import ROOT, Workspace

pytestmark = pytest.mark.slow


def test_results_find_the_run_of_a_train_of_ones_own(workspace: Workspace) -> None:
    (before,) = workspace.runs()
    page = (ROOT / "docs/how-to/custom-train.md").read_text()
    (script,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (workspace.root / "my_train.py").write_text(script)
    environment = {**workspace.environment(), "PYTHONPATH": str(workspace.root / "pipeline")}
    subprocess.run([sys.executable, "my_train.py"], cwd=workspace.root, env=environment, check=True)
    for stage in ("evaluate", "export", "record"):
        workspace.run(sys.executable, "pipeline", stage)

    own, _ = workspace.runs()
    assert own.run_id != before.run_id
    assert (own.state, own.training["epochs"]) == ("completed", 1)
    assert own.metrics["loss"] == 0.5
    assert own.metrics["val.accuracy"] == own.evaluation["accuracy"]
    assert own.files["models/model.onnx"]["sha256"] == own.parity["onnx_sha256"]
    assert os.fspath(workspace.root) not in str(own.params)
