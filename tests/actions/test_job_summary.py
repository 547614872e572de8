"""What a job that trained says of its run in its summary, before anything is checked."""

import shutil
from pathlib import Path

import pytest
from hive import BASE_RUN, RUN, Hive
from rendered import strange_tokens


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return tmp_path / "summary"


def test_it_puts_the_run_against_that_of_the_base_and_says_whose_word_it_is(trained: Hive, summary: Path) -> None:
    trained.call(trained.folder / "box", "runs", "pull")
    trained.pack()
    said = summary.read_text()

    assert "**0 images won, 5 lost** of 30" in said
    assert said.endswith("This is the job's own word. The workflow `collect` scores the model again.\n")
    assert f"runhive runs apply {RUN}" in said and f"against `{BASE_RUN}`" in said
    assert strange_tokens(said) == []


def test_a_job_without_a_run_says_so(hive: Hive, summary: Path) -> None:
    hive.pack()

    assert summary.read_text() == "### No run was made\n"


def test_a_run_of_the_base_branch_is_not_put_against_another(hive: Hive, summary: Path) -> None:
    """DVC restored main's model: the collector takes it as its own base."""
    box = hive.folder / "box"
    hive.call(box, "runs", "pull")
    shutil.copytree(hive.base / "models", box / "models")
    hive.pack()

    assert summary.read_text().startswith("### The base branch's own model")
