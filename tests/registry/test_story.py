"""A model's life as a team lives it, from its first version to predictions in an empty folder elsewhere."""

import json
import subprocess
import sys
from pathlib import Path

from light import light
from shop import Shop, git, worse

from runhive.report.site import Plan, build

ROOT = Path(__file__).parents[2]


def prod(folder: Path) -> str:
    """The version that plain GTO takes for prod."""
    done = subprocess.run(
        [Path(sys.executable).with_name("gto"), "show", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout)["colours"]["stage"]["prod"])


def test_a_worse_model_is_refused_forced_and_rolled_back_and_the_good_one_predicts_where_the_light_install_is(
    shop: Shop, hub: Path, tmp_path: Path
) -> None:
    shop.call("register")
    shop.call("promote", "latest", "prod")
    shop.train(2, worse(0.5))
    shop.call("register")
    refused = shop.call("promote", "latest", "prod", code=1)
    assert "5 images lost, 0 won against colours@v1.0.0 on 30 of val, p = 0.0312: worse" in refused
    assert prod(shop.root) == "v1.0.0"

    shop.call("promote", "latest", "prod", "--force", "--reason", "a demonstration")
    assert prod(shop.root) == "v1.1.0"
    shop.call("rollback", "prod")
    git(tmp_path, "clone", "--quiet", str(hub), "clone")
    assert [prod(shop.root), prod(tmp_path / "clone")] == ["v1.0.0", "v1.0.0"]

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    light(elsewhere, "models", "download", "colours#prod", "model", "--repo", str(hub))
    light(elsewhere, "predict", "model/model.onnx", str(shop.root / "data/images/val"), "--out", "answers.jsonl")
    rows = [json.loads(line) for line in (elsewhere / "answers.jsonl").read_text().splitlines()]
    assert len(rows) == 30
    assert all(Path(row["path"]).parent.name == row["label"] for row in rows)
    assert {(row["model"], row["version"]) for row in rows} == {("colours", "colours@v1.0.0")}

    build(shop.ledger, ROOT, tmp_path / "site", Plan(static=True))
    models, version = ((tmp_path / "site/models" / name).read_text() for name in ("index.html", "colours-1.1.0.html"))
    assert all(words in models for words in ("p = 0.0312: worse", "promoted by force, against the gate", "rolled back"))
    assert "a demonstration" in version
