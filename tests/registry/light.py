"""The command line as in an environment with the light install alone."""

import os
import subprocess
import sys
from pathlib import Path

import runhive

HEAVY = ("torch", "torchvision", "dvc", "dvc_data", "onnx", "safetensors", "sklearn", "jinja2", "mkdocs", "markupsafe")
# As in an environment without them: whoever imports one gets the error that a missing package gives.
BLOCKED = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from runhive.cli import main
sys.argv = ["runhive", *sys.argv[1:]]
main()
"""


def light(folder: Path, *words: str, code: int = 0) -> str:
    """Run `runhive` in *folder* and return what it says."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": str(Path(runhive.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == code, done.stderr[-2000:]
    return done.stdout + done.stderr
