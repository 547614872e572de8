"""Collect what a workflow run made, push it, and answer the pull request. It is run with the base branch's code."""

from dataclasses import dataclass
from pathlib import Path

from runhive.actions.answer import markdown, refusal
from runhive.actions.comment import AUTHOR, Check, find_pull_request, post, report_check
from runhive.actions.compared import Compared
from runhive.actions.facts import Answer, Links
from runhive.actions.github import GitHub
from runhive.actions.opening import headline
from runhive.actions.reading import REFUSED, TAKEN, NotItsOwn, Refused
from runhive.actions.rescore import Unscored
from runhive.actions.standing import has_commit, other_parameters, require_commit, was_asked_by_commit
from runhive.actions.taking import NothingTrained, Taken, take
from runhive.actions.told import Told
from runhive.actions.workflow import jobs_of, read_event
from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.remote import find_remote
from runhive.tracking.ledger.sync import pull, push
from runhive.tracking.life.intake import LOG

MOST_PRINTED = 20  # lines of a log in an answer
MOST_NAMED = 200  # characters of parameters' names


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
    if told.pull_request is not None:
        require_commit(root, workflow.head_sha)
    try:
        taken = take(ledger, root, order.bundle, told)
    except (Refused, Unscored, NothingTrained) as error:
        if has_commit(root, workflow.head_sha) and was_asked_by_commit(ledger, root, workflow):
            _tell(github, told, order, _refused(error, workflow.html_url))
        raise
    if taken is None:
        return Collected(("no training was asked for, so there is nothing to collect",), "")
    push(remote)
    others = other_parameters(root, taken.run, workflow.head_sha, taken.params)
    log = ledger.file(taken.run.run_id, LOG) or b""
    answer = _answer(taken, told, order, others, log.decode(errors="replace"))
    text = markdown(answer)
    state = f"run {taken.run.run_id} ({taken.run.state}) is {'in' if taken.is_new else 'already in'} the ledger"
    if not has_commit(root, workflow.head_sha):
        done = ["its commit is on no branch: nothing is judged"]
    elif others:
        named = one_line(", ".join(others))[:MOST_NAMED]
        done = [f"it is an experiment with {named}, so it answers no pull request and judges no commit"]
    elif not taken.run.params and not was_asked_by_commit(ledger, root, workflow):
        done = ["it was dispatched and left no parameters, so it answers no pull request and judges no commit"]
    else:
        done = _tell(github, told, order, Check(_conclusion(taken), headline(answer), text))
    return Collected((state, *done), text)


def _answer(taken: Taken, told: Told, order: Order, others: list[str], log: str) -> Answer:
    weighed, found = taken.weighed, taken.compared
    return Answer(
        run=taken.run,
        base=taken.base,
        base_reason=taken.base_reason,
        compared=found if isinstance(found, Compared) else None,
        why_not=found if isinstance(found, str) else "",
        numbers=weighed.numbers if weighed else {},
        base_numbers=weighed.base_numbers if weighed else {},
        verdict=taken.verdict,
        commit=told.workflow.head_sha,
        others=tuple(others),
        printed=() if taken.run.state == "completed" else tuple(log.splitlines()[-MOST_PRINTED:]),
        links=Links(order.site, order.preview, told.workflow.html_url),
    )


def _conclusion(taken: Taken) -> str:
    if taken.run.state != "completed":
        return "failure"
    if taken.verdict is None:
        return "action_required"  # a neutral one would let a merge pass
    return "success" if taken.verdict.admitted else "failure"


def _refused(error: RunhiveError, log: str) -> Check:
    reason = str(error).removeprefix(REFUSED).removesuffix(TAKEN)
    harmless = {NothingTrained: "Nothing was trained", NotItsOwn: "It has no run of its own"}
    if title := harmless.get(type(error)):
        return Check("action_required", title, refusal(title, reason, log))
    title = "The bundle is refused" if isinstance(error, Refused) else "The model cannot be scored"
    return Check("failure", title, refusal(title, reason, log))


def _tell(github: GitHub, told: Told, order: Order, check: Check) -> list[str]:
    """Comment where the commit is still a pull request's newest, and add the check. Says what was done."""
    done = []
    number = find_pull_request(github, told.workflow)
    if number is not None:
        done.append(f"pull request {number}: {post(github, number, told.workflow, check.summary, order.author)}")
    else:
        done.append(f"no pull request has {told.workflow.head_sha[:8]} as its newest commit: nobody is answered")
    return [*done, f"check: {report_check(github, told.workflow, check)}"]
