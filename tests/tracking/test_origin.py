"""What a run's record says of the job that it was made in."""

import pytest

from runhive.tracking.life.origin import origin

IMAGE = f"ghcr.io/hive/bees@sha256:{'a' * 64}"


def test_the_launcher_names_the_workflow_run_and_the_container_with_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "hive/bees",
        "GITHUB_RUN_ID": "5", "GITHUB_WORKFLOW": "train", "RUNHIVE_IMAGE": IMAGE,
    }  # fmt: skip
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    launcher = origin()["launcher"]

    assert (launcher["url"], launcher["image"]) == ("https://github.com/hive/bees/actions/runs/5", IMAGE)


def test_a_bare_runner_has_no_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("RUNHIVE_IMAGE", "")

    assert "image" not in origin()["launcher"]
