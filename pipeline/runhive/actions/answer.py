"""The answer to a pull request, as Markdown: the verdict, what changed, how to take it or make it again.

The job's summary and `runhive compare --markdown` are the same text.
"""

from collections.abc import Iterator

from runhive.actions import changes
from runhive.actions.facts import Answer
from runhive.actions.markdown import code, folded, link, listing, prose
from runhive.actions.opening import opening, sentence


def markdown(answer: Answer) -> str:
    """The whole answer."""
    parts = [opening(answer)]
    if answer.run.state == "completed":
        parts += [part(answer) for part in (changes.metrics, changes.parameters, changes.classes, changes.flips)]
    lines = [line for part in (*parts, changes.costs(answer), _printed(answer), _next(answer)) for line in part]
    return "\n".join(lines).rstrip() + "\n"


def refusal(title: str, reason: str, log: str) -> str:
    """The answer where nothing of what the job left was taken."""
    told = f"Nothing of it is in the history, and no number of it counts. See {link('the log', log)}."
    return f"### {title}\n\n{prose(sentence(reason))}\n\n{told}\n"


def _printed(answer: Answer) -> Iterator[str]:
    yield from folded("The last lines that it printed", listing(answer.printed))


def _next(answer: Answer) -> Iterator[str]:
    run_id = answer.run.run_id
    if answer.run.state == "completed":
        take = ["runhive runs pull", f"runhive runs apply {run_id}", "dvc pull"]
        lines = ["Bring its results into your branch, then commit and push:", "", "```sh", *take, "```", ""]
        lines += ["Run it again, and see whether the same comes out:", "", "```sh"]
        yield from folded("Take it, or reproduce it", [*lines, f"runhive runs reproduce {run_id}", "```", ""])
    page = f"{answer.links.site}runs/{run_id}.html" if answer.links.site else None
    told = {"the run's page": page, "the site as a download": answer.links.preview, "the log": answer.links.log}
    found = [link(words, address) for words, address in told.items() if address]
    other = None if answer.is_bases_own else answer.base
    against = f", put against {code(other.run_id)}, {prose(answer.base_reason)}" if other else ""
    yield f"Run {code(run_id)}{against}." + (f" See {', '.join(found)}." if found else "")
