"""A collected run in the author's working tree, with the real DVC."""

import subprocess
from pathlib import Path

import pytest
from hive import BASE_RUN, RUN, Hive
from shop import git, worse

from runhive.tracking.final_numbers import final_numbers
from runhive.tracking.ledger.run import Event

RECORD = """\
  record:
    cmd: python record.py
    deps: [models/model.onnx]
    metrics:
      - results/metrics.json:
          cache: false
          persist: true
artifacts:
"""


def dvc(folder: Path, *words: str) -> str:
    done = subprocess.run(["dvc", *words], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def author(hive: Hive) -> Path:
    """The clone of who opened the pull request; the box has trained its branch, and the run is collected."""
    box = hive.folder / "box"
    (box / "dvc.yaml").write_text((box / "dvc.yaml").read_text().replace("artifacts:\n", RECORD))
    (box / "train.py").write_text("# recipe 2\n")
    (box / "record.py").write_text("")
    (box / ".dvc/config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {hive.folder / 'store'}\n"
    )
    git(box, "add", "--all")
    git(box, "commit", "--quiet", "--message", "another recipe")
    git(box, "push", "--quiet", "origin", "faster")
    git(hive.folder, "clone", "--quiet", "--branch", "faster", "hub.git", "author")
    hive.box.train(2, worse(0.5))
    git(box, "reset", "--quiet", "HEAD^")  # a job commits nothing
    run = hive.box.ledger.run(RUN)
    (box / "results").mkdir()
    (box / "results/metrics.json").write_bytes(final_numbers([run.metrics]))
    dvc(box, "commit", "--force", "--quiet")
    dvc(box, "push", "--quiet")
    kept = {"params.yaml": (box / "params.yaml").read_bytes(), "dvc.lock": (box / "dvc.lock").read_bytes()}
    hive.box.ledger.append(RUN, [Event("recorded", {})], kept)
    hive.pack()
    hive.answers()
    hive.collect()
    return hive.folder / "author"


def test_after_apply_and_pull_dvc_has_nothing_to_do(hive: Hive, author: Path) -> None:
    (author / "params.yaml").write_text((author / "params.yaml").read_text().replace("lr: 0.5", "lr: 0.002"))
    git(
        author,
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.example",
        "commit",
        "--quiet",
        "--all",
        "--message",
        "an older rate",
    )
    hive.call(author, "runs", "pull")
    said = hive.call(author, "runs", "apply", RUN)
    dvc(author, "pull", "--quiet")

    assert said.splitlines() == [
        "params.yaml",
        "dvc.lock",
        "results/metrics.json",
        f"{RUN}: applied: run `dvc pull`, then commit",
    ]
    assert "up to date" in dvc(author, "status")
    assert "Running stage" not in dvc(author, "repro", "--pull")
    assert (author / "models/model.onnx").read_bytes() == (hive.folder / "box/models/model.onnx").read_bytes()
    assert "applied already" in hive.call(author, "runs", "apply", RUN)


def test_changes_that_are_not_committed_are_not_overwritten(hive: Hive) -> None:
    lock = b"schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n"
    hive.ledger.append(BASE_RUN, [Event("recorded", {})], {"params.yaml": b"lr: 2\n", "dvc.lock": lock})
    before = (hive.base / "dvc.lock").read_bytes()
    (hive.base / "params.yaml").write_text("mine: 1\n")
    (hive.base / "results").mkdir()
    (hive.base / "results/metrics.json").write_text("mine, too")
    said = hive.call(hive.base, "runs", "apply", BASE_RUN, code=1)

    assert said.startswith("params.yaml, results/metrics.json: has changes that are not committed")
    assert (hive.base / "params.yaml").read_text() == "mine: 1\n"
    assert (hive.base / "dvc.lock").read_bytes() == before


def test_a_run_without_a_lock_or_an_end_is_not_applied(hive: Hive) -> None:
    hive.ledger.append("20261124-101010-abcdef", [Event("started", {})])

    assert "only a completed one" in hive.call(hive.base, "runs", "apply", "20261124-101010-abcdef", code=1)
    assert "keeps no params.yaml" in hive.call(hive.base, "runs", "apply", BASE_RUN, code=1)
