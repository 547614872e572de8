"""What needs only the light install: downloading and predicting load neither torch nor DVC nor the report."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shop import Shop

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
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *words], cwd=folder, capture_output=True, text=True, timeout=300,
        env=os.environ | {"PYTHONPATH": str(Path(runhive.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode == code, done.stderr[-2000:]
    return done.stdout + done.stderr


def test_a_version_is_downloaded_by_its_alias_and_predicts_where_nothing_heavy_is_installed(
    shop: Shop, hub: Path, tmp_path: Path
) -> None:
    shop.call("register")
    shop.call("promote", "latest", "prod")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    light(elsewhere, "models", "download", "colours#prod", "model", "--repo", str(hub))
    light(elsewhere, "predict", "model/model.onnx", str(shop.root / "data/images/val"), "--out", "answers.jsonl")

    rows = [json.loads(line) for line in (elsewhere / "answers.jsonl").read_text().splitlines()]
    assert len(rows) == 30
    assert all(Path(row["path"]).parent.name == row["label"] for row in rows)
    assert {(row["model"], row["version"]) for row in rows} == {("colours", "colours@v1.0.0")}


def test_a_version_that_only_a_remote_that_is_a_folder_holds_predicts_where_nothing_heavy_is_installed(
    shop: Shop, hub: Path
) -> None:
    shop.call("register")
    shutil.rmtree(shop.root / ".dvc/cache")
    image = next((shop.root / "data/images/val/rot").glob("*.png"))

    assert ",rot," in light(shop.root, "predict", "colours@1", str(image))
    assert len(list((shop.root / ".runhive/models").iterdir())) == 1


def test_a_file_that_was_changed_after_the_download_is_no_version_any_more(shop: Shop, tmp_path: Path) -> None:
    shop.call("register")
    shop.call("download", "latest", str(tmp_path / "model"))
    told = json.loads((tmp_path / "model/provenance.json").read_text())
    for file in told["files"].values():
        file["sha256"] = "0" * 64
    (tmp_path / "model/provenance.json").write_text(json.dumps(told))
    image = next((shop.root / "data/images").rglob("*.png"))

    assert "colours@v1.0.0" not in light(tmp_path, "predict", "model/model.onnx", str(image))


@pytest.mark.parametrize("words", [("list",), ("show", "latest"), ("history",), ("lineage", "latest"), ("verify",)])
def test_looking_at_models_needs_nothing_heavy(shop: Shop, words: tuple[str, ...]) -> None:
    shop.call("register")

    assert "colours" in light(shop.root, "models", *words) or words == ("verify",)
