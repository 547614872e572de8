"""What needs only the light install: downloading and predicting load neither torch nor DVC nor the report."""

import json
import shutil
from pathlib import Path

import pytest
from light import light
from shop import Shop


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
