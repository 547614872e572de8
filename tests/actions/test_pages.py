"""Who would read the site, before it is deployed."""

from typing import Any

import pytest
from hub import FakeGitHub

from runhive.actions.github import GitHub
from runhive.actions.pages import check_pages
from runhive.errors import RunhiveError

HUB = GitHub("hive/bees")


def told(github: FakeGitHub, repository: dict[str, Any], pages: dict[str, Any] | None) -> None:
    answers = [{"path": "repos/hive/bees", "body": repository}]
    github.answers(*answers, *([{"path": "repos/hive/bees/pages", "body": pages}] if pages is not None else []))


def test_public_pages_of_a_private_repository_are_refused(github: FakeGitHub) -> None:
    told(github, {"private": True}, {"public": True})

    with pytest.raises(RunhiveError, match=r"set pages\.public to true in params\.yaml if that is meant"):
        check_pages(HUB, may_be_public=False)


def test_what_github_does_not_say_counts_as_private_and_as_public(github: FakeGitHub) -> None:
    told(github, {}, {})

    with pytest.raises(RunhiveError, match=r"pages\.public"):
        check_pages(HUB, may_be_public=False)


def test_they_are_deployed_where_params_yaml_means_it(github: FakeGitHub) -> None:
    told(github, {"private": True}, {"public": True})

    assert check_pages(HUB, may_be_public=True) == "the site is for everybody"


def test_private_pages_and_public_repositories_are_deployed(github: FakeGitHub) -> None:
    told(github, {"private": True}, {"public": False})
    assert check_pages(HUB, may_be_public=False) == "the site is for those who may read the repository"
    told(github, {"private": False}, {"public": True})
    assert check_pages(HUB, may_be_public=False) == "the site is for everybody"


def test_pages_that_are_off_are_one_line_that_says_where_to_switch_them_on(github: FakeGitHub) -> None:
    told(github, {"private": True}, None)

    with pytest.raises(RunhiveError, match="has no Pages: set the source to GitHub Actions"):
        check_pages(HUB, may_be_public=False)
