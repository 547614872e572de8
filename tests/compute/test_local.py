"""`runhive submit --compute local`: `dvc repro` here, with its exit code."""

from clones import Clone
from hub import FakeGitHub

PIPELINE = """stages:
  train:
    cmd: {}
    params: [train.lr]
"""


def start_dvc(clone: Clone, command: str) -> None:
    (clone.root / ".dvc").mkdir()
    (clone.root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (clone.root / "dvc.yaml").write_text(PIPELINE.format(command))


def test_it_runs_the_pipeline_here_with_the_changes_and_asks_nobody(clone: Clone, github: FakeGitHub) -> None:
    start_dvc(clone, "grep '^  lr:' params.yaml > lr.txt && echo $RUNHIVE_LAUNCHER >> lr.txt")

    done = clone.start("submit", "--compute", "local", "-S", "train.lr=0.25")
    said, errors = done.communicate()

    assert done.returncode == 0, errors
    assert "Running stage 'train'" in said
    assert (clone.root / "lr.txt").read_text() == "  lr: 0.25\nrunhive submit\n"
    assert "  lr: 0.25\n" in (clone.root / "params.yaml").read_text()
    assert github.calls() == []


def test_a_pipeline_that_fails_gives_its_exit_code(clone: Clone) -> None:
    start_dvc(clone, "exit 3")
    done = clone.start("submit", "--compute", "local")
    done.communicate()

    assert done.returncode == 255  # what dvc makes of it


def test_a_mistake_changes_nothing_and_runs_nothing(clone: Clone) -> None:
    start_dvc(clone, "touch ran")
    before = (clone.root / "params.yaml").read_bytes()
    done = clone.call("submit", "--compute", "local", "-S", "train.lr=fast")

    assert str(done.exception).startswith("params.yaml with -S: train.lr:")
    assert (clone.root / "params.yaml").read_bytes() == before
    assert not (clone.root / "ran").exists()
