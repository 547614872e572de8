"""A model's life as a team lives it, from its first version to predictions in an empty folder elsewhere."""

import json
import subprocess
import sys
from pathlib import Path

from html_reader import read

from runhive.report.site import Plan, build

sys.path.insert(0, str(Path(__file__).parents[1] / "registry"))
from light import light
from shop import git, make_hub, make_shop, worse


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
    own_settings: None, source: Path, tmp_path: Path
) -> None:
    shop = make_shop(tmp_path / "repository")
    shop.train(1)
    hub = make_hub(shop, tmp_path)
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

    build(shop.ledger, source, tmp_path / "site", Plan(static=True))
    shown = read(tmp_path / "site/models/index.html").text
    for words in ("p = 0.0312: worse", "promoted by force, against the gate", "Reason: a demonstration", "rolled back"):
        assert words in shown
    assert (tmp_path / "site/models/colours-1.1.0.html").exists()
