"""Collect what a workflow run made, push it, and answer the pull request. It is run with the base branch's code."""

from dataclasses import dataclass
from pathlib import Path

from runhive.actions.answer import headline, markdown
from runhive.actions.comment import AUTHOR, Check, find_pull_request, post, report_check
from runhive.actions.compared import Compared, compare_answers
from runhive.actions.facts import Answer, Links
from runhive.actions.github import GitHub
from runhive.actions.markdown import prose
from runhive.actions.reading import Refused
from runhive.actions.rescore import Unscored
from runhive.actions.taking import NothingTrained, Taken, Told, take
from runhive.actions.workflow import jobs_of, read_event
from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.remote import find_remote
from runhive.tracking.ledger.sync import pull, push


@dataclass(frozen=True)
class Order:
    """What to collect. `bundle` is None, or no folder, where the job left none.

    `site` and `preview` are addresses for the answer; `author` is who may have commented before.
    """

    event: Path
    bundle: Path | None
    remote: str | None = None
    site: str | None = None
    preview: str | None = None
    author: str = AUTHOR


@dataclass(frozen=True)
class Collected:
    """What was done, a line each, and the answer as Markdown; empty where no training was asked for."""

    lines: tuple[str, ...]
    text: str


def collect(root: Path, order: Order) -> Collected:
    """Take the bundle into the ledger, push and answer. Again, it adds nothing.

    Raises RunhiveError where the bundle is refused: the ledger stays as it is, and the pull request is told why.
    """
    workflow = read_event(order.event)
    if workflow.head_repository != workflow.repository:
        raise RunhiveError(f"{workflow.head_repository.full_name} is a fork: its workflow runs are not collected")
    github = GitHub(workflow.repository.full_name)
    ledger = open_ledger(root)
    remote = find_remote(ledger.repository, order.remote)
    pull(remote)
    told = Told(workflow, jobs_of(github, workflow), find_pull_request(github, workflow))
    try:
        taken = take(ledger, root, order.bundle, told)
    except (Refused, Unscored) as error:
        _tell(github, told, order, Check("failure", "The bundle is refused", _refusal(str(error))))
        raise
    except NothingTrained as error:
        _tell(
            github,
            told,
            order,
            Check("neutral", "Nothing was trained", f"### Nothing was trained\n\n{prose(str(error))}.\n"),
        )
        raise
    if taken is None:
        return Collected(("no training was asked for, so there is nothing to collect",), "")
    push(remote)
    answer = _answer(taken, told, order)
    text = markdown(answer)
    done = _tell(github, told, order, Check(_conclusion(taken), headline(answer), text))
    state = f"run {taken.run.run_id} ({taken.run.state}) is {'in' if taken.is_new else 'already in'} the ledger"
    return Collected((state, *done), text)


def _answer(taken: Taken, told: Told, order: Order) -> Answer:
    weighed = taken.weighed
    found = compare_answers(weighed.before, weighed.after) if weighed and taken.base else None
    why = "the job left no model" if weighed is None else taken.base_reason if taken.base is None else str(found)
    return Answer(
        run=taken.run,
        base=taken.base,
        base_reason=taken.base_reason,
        compared=found if isinstance(found, Compared) else None,
        why_not=why,
        numbers=weighed.numbers if weighed else {},
        base_numbers=weighed.base_numbers if weighed else {},
        verdict=taken.verdict,
        links=Links(order.site, order.preview, told.workflow.html_url),
    )


def _conclusion(taken: Taken) -> str:
    if taken.run.state != "completed":
        return "failure"
    if taken.verdict is None:
        return "neutral"
    return "success" if taken.verdict.admitted else "failure"


def _refusal(reason: str) -> str:
    return (
        f"### The bundle is refused\n\n{prose(reason)}.\n\nNothing of it is in the history; no number of it counts.\n"
    )


def _tell(github: GitHub, told: Told, order: Order, check: Check) -> list[str]:
    """Comment where there is a pull request, and add the check. Says what was done."""
    done = []
    if told.pull_request is not None:
        how = post(github, told.pull_request, check.summary, order.author)
        done.append(f"pull request {told.pull_request}: {how}")
    report_check(github, told.workflow, check)
    return [*done, f"check: {check.conclusion}: {check.title}"]
