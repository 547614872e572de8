"""The runners behind a target, as GitHub lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runhive.actions.github import GitHub, GitHubError
from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.params import Target


@dataclass(frozen=True)
class Runner:
    """One machine's program that takes jobs; an ephemeral one is listed from its start to the end of its job."""

    name: str
    online: bool
    busy: bool
    labels: tuple[str, ...]

    @property
    def state(self) -> str:
        """In one word."""
        return "offline" if not self.online else "busy" if self.busy else "idle"

    def lacks(self, target: Target) -> list[str]:
        """Return the labels of *target* that it has not; GitHub does not tell upper from lower case."""
        own = {label.lower() for label in self.labels}
        return [label for label in target.labels if label.lower() not in own]


def list_runners(github: GitHub, target: Target) -> list[Runner]:
    """Return the runners of the target's group, or of the repository where it names none, whatever their labels.

    Raises RunhiveError where there is no such group, or gh may not see it.
    """
    path = "actions/runners" if target.group is None else _group_path(github, target.group)
    try:
        return [_runner(item) for item in github.pages(path, "runners")]
    except GitHubError as error:
        if error.status in (403, 404):
            where = github.repository if target.group is None else f"the group {target.group}"
            raise RunhiveError(
                f"gh may not read the runners of {where}: ask an administrator, or run `gh auth refresh -s "
                f"{'repo' if target.group is None else 'admin:org'}`"
            ) from error
        raise


def fitting(runners: Sequence[Runner], target: Target) -> list[Runner]:
    """Return those that have every label of *target*."""
    return [runner for runner in runners if not runner.lacks(target)]


def is_hosted(target: Target) -> bool:
    """Say whether GitHub has the machines itself: nobody's list has them."""
    hosted = ("ubuntu-", "windows-", "macos-")
    return target.group is None and len(target.labels) == 1 and target.labels[0].startswith(hosted)


def _group_path(github: GitHub, name: str) -> str:
    owner, _, repository = github.repository.partition("/")
    groups_path = f"/orgs/{owner}/actions/runner-groups"
    try:
        groups = github.pages(groups_path, "runner_groups", visible_to_repository=repository)
    except GitHubError as error:
        if error.status == 404:
            raise RunhiveError(
                f"{owner} has no runner groups that gh can see: only organizations have them. Set group to null, or "
                "run `gh auth refresh -s admin:org`"
            ) from error
        if error.status == 403:
            raise RunhiveError(
                f"gh may not read the runner groups of {owner}: run `gh auth refresh -s admin:org`, or ask an owner"
            ) from error
        raise
    number = next((group["id"] for group in groups if group.get("name") == name), None)
    if number is None:
        known = ", ".join(one_line(str(group.get("name"))) for group in groups) or "none"
        raise RunhiveError(
            f"{owner} has no runner group {name!r} that {repository} may use (it has {known}): make it, or allow the "
            f"repository in it, in the organization's settings under Actions, Runner groups"
        )
    return f"{groups_path}/{number}/runners"


def _runner(item: Any) -> Runner:
    return Runner(
        name=one_line(str(item["name"])),
        online=item["status"] == "online",
        busy=bool(item["busy"]),
        labels=tuple(one_line(str(label["name"])) for label in item["labels"]),
    )
