"""CUDA that is asked for and absent ends a stage before any work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runhive.driver import admit_device
from runhive.errors import RunhiveError
from runhive.presets import presets, with_changes

PIPELINE = Path(__file__).parents[2] / "pipeline"


def has_no_device() -> bool:
    try:
        admit_device("cuda")
    except RunhiveError:
        return True
    return False


@pytest.mark.fault(
    "train",
    "a GPU is asked for and there is none",
    wanted="refused before anything is downloaded or written",
    said="params.yaml: train.device: no CUDA device here: set auto or cpu, or mend the driver",
)
@pytest.mark.skipif(not has_no_device(), reason="there is a CUDA device")
@pytest.mark.parametrize("stage", ["fetch", "train", "evaluate"])
def test_absent_cuda_is_told_before_torch_is_imported_or_anything_is_written(stage: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "params.yaml").write_text(with_changes(presets()["digits"], ["train.device=cuda"]))
    script = "import sys; sys.modules['torch'] = None; from runhive.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, stage], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PIPELINE)},
        capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == (
        "runhive: params.yaml: train.device: no CUDA device here: set auto or cpu, or mend the driver\n"
    )
    assert {path.name for path in tmp_path.iterdir()} - {".git", ".runhive"} == {"params.yaml"}


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_other_devices_are_not_asked_for(name: str) -> None:
    admit_device(name)
