"""Whether the site may be deployed: Pages of a private repository are public unless the plan says otherwise."""

from collections.abc import Mapping
from typing import Any

from runhive.actions.github import GitHub
from runhive.errors import RunhiveError


def check_pages(github: GitHub, may_be_public: bool) -> str:
    """Say who will read the site.

    Raises RunhiveError where Pages is off, and where strangers would read what a private repository holds while
    `pages.public` does not allow it.
    """
    repository: Mapping[str, Any] = github.get("")
    pages = github.find("pages")
    if pages is None:
        raise RunhiveError(
            f"{github.repository} has no Pages: set the source to GitHub Actions in its settings, or delete pages.yml"
        )
    if not pages.get("public", True):
        return "the site is for those who may read the repository"
    if repository.get("private", True) and not may_be_public:
        raise RunhiveError(
            f"{github.repository} is private and its Pages are public: everybody would read its runs, names and "
            "pictures: set pages.public to true in params.yaml if that is meant"
        )
    return "the site is for everybody"
