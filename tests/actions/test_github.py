"""GitHub's API by the program `gh`: questions, pages, refusals."""

from pathlib import Path

import pygit2
import pytest
from hub import FakeGitHub

from runhive.actions.github import GitHub, GitHubError, find_repository
from runhive.errors import RunhiveError


def test_a_list_of_three_pages_comes_whole(github: FakeGitHub) -> None:
    def page(number: int, first: int, after: int) -> dict:
        jobs = [{"id": number} for number in range(first, after)]
        return {"path": f".*/jobs?.*page={number}", "body": {"total_count": 201, "jobs": jobs}}

    github.answers(page(1, 0, 100), page(2, 100, 200), page(3, 200, 201))

    assert [job["id"] for job in GitHub("o/r").pages("actions/runs/7/jobs", "jobs")] == list(range(201))
    assert [call["path"] for call in github.calls()] == ["repos/o/r/actions/runs/7/jobs"] * 3


def test_a_body_is_sent_as_it_is_and_the_answer_parsed(github: FakeGitHub) -> None:
    github.answers({"method": "POST", "path": "orgs/o/things", "body": {"id": 3}})

    assert GitHub("o/r").post("/orgs/o/things", {"text": "`$(touch x)` — ü"}) == {"id": 3}
    assert github.sent()[0]["body"] == {"text": "`$(touch x)` — ü"}


def test_no_answer_at_all_is_none(github: FakeGitHub) -> None:
    github.answers({"method": "POST", "path": ".*/dispatches", "text": ""})

    assert GitHub("o/r").post("actions/workflows/train.yml/dispatches", {"ref": "main"}) is None


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "gh auth login"), (403, "permission"), (404, "check the name"), (422, "try again")]
)
def test_a_refusal_is_one_line_with_its_status_and_what_to_do(github: FakeGitHub, status: int, advice: str) -> None:
    github.answers({"path": ".*", "status": status, "message": "Bad\x1b[31m thing"})

    with pytest.raises(GitHubError, match=advice) as refused:
        GitHub("o/r").get("pulls/1")

    assert refused.value.status == status
    assert "\x1b" not in str(refused.value) and "\n" not in str(refused.value)


def test_what_is_not_there_is_found_to_be_none(github: FakeGitHub) -> None:
    github.answers()

    assert GitHub("o/r").find("releases/latest") is None


def test_a_question_that_the_host_dropped_is_asked_again_and_an_order_is_not(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    github.answers(
        {"path": ".*", "status": 502, "once": True},
        {"path": ".*", "body": {"id": 1}},
        {"method": "POST", "path": ".*", "status": 502},
    )

    assert GitHub("o/r").get("pulls/1") == {"id": 1}
    with pytest.raises(GitHubError):
        GitHub("o/r").post("issues/1/comments", {"body": ""})
    assert [call["method"] for call in github.calls()] == ["GET", "GET", "POST"]


def test_without_gh_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(RunhiveError, match="gh is not installed"):
        GitHub("o/r").get("pulls/1")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/team/bees.git",
        "https://user:token@github.com/team/bees",
        "git@github.com:team/bees.git",
        "ssh://git@github.example.com:2222/team/bees.git",
    ],
)
def test_the_repository_is_read_off_the_remote(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    repository = pygit2.init_repository(str(tmp_path))
    repository.remotes.create("origin", url)

    assert find_repository(repository) == "team/bees"


@pytest.mark.parametrize("name", ["", "one", "a/b/c", "a/b?x", "../b", "a/b\n", "-a/b c"])
def test_what_is_no_repository_is_refused(name: str) -> None:
    with pytest.raises(RunhiveError, match="owner/name"):
        GitHub(name)


def test_a_remote_that_is_a_folder_is_no_github_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    repository = pygit2.init_repository(str(tmp_path))
    repository.remotes.create("origin", "/srv/git/team/bees.git")

    with pytest.raises(RunhiveError, match="GITHUB_REPOSITORY"):
        find_repository(repository)
