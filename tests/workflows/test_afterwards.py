"""What follows a train, and what does not: collect, resume and pages under act."""

import events
import pytest
from act import REPOSITORY, Ran
from team import Hive

ENDED = Ran(901, "2026-11-25T10:00:00Z", "2026-11-25T10:10:00Z", {}, "", "")


@pytest.mark.parametrize(
    ("workflow", "conclusion", "repository"),
    [
        ("collect", "success", "stranger/bees"),
        ("collect", "failure", None),
        ("collect", "skipped", REPOSITORY),
        ("resume", "cancelled", "stranger/bees"),
        ("resume", "success", REPOSITORY),
        ("pages", "success", "stranger/bees"),
        ("pages", "failure", REPOSITORY),
    ],
)
def test_nothing_follows_a_fork_nor_what_there_is_nothing_to_follow_of(
    workflow: str, conclusion: str, repository: str | None, still_hive: Hive
) -> None:
    main = still_hive.main
    event = events.workflow_run("train", ENDED, main, conclusion, repository=repository)

    assert still_hive.box.run(f"{workflow}.yml", "workflow_run", event, main).jobs == {}


def test_a_public_site_of_a_private_repository_is_not_built(still_hive: Hive) -> None:
    still_hive.box.answers(
        {"path": f"repos/{REPOSITORY}", "body": {"private": True}},
        {"path": f"repos/{REPOSITORY}/pages", "body": {"public": True}},
    )
    ran = still_hive.box.run("pages.yml", "push", events.push(still_hive.main), still_hive.main)

    assert ran.jobs == {"build": "failure"}
    assert "set pages.public to true in params.yaml if that is meant" in ran.output
    assert not still_hive.box.pages.exists()


def test_a_merge_without_a_model_registers_nothing(still_hive: Hive) -> None:
    ran = still_hive.box.run("register.yml", "push", events.push(still_hive.main), still_hive.main)

    assert ran.jobs == {"register": "success"}, ran.output
    assert "holds no model" in ran.output and still_hive.box.git("tag") == ""
