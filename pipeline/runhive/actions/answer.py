"""The answer to a pull request, as Markdown: the verdict, what changed, how to take it or make it again.

The job's summary and `runhive compare --markdown` are the same text.
"""

from collections.abc import Iterator

from runhive.actions import changes
from runhive.actions.facts import Answer
from runhive.actions.markdown import code, folded, link, prose
from runhive.report import numerals
from runhive.report.score import score_of, shown

ENDINGS = {"failed": "failed", "canceled": "was cancelled", "lost": "was lost", "running": "did not end"}
HEADLINES = {
    "better": "Better than the base",
    "worse": "Worse than the base",
    "same": "Not shown to differ from the base",
}
MOST_NAMED = 10  # parameters
ADVICE = {
    "better": "Take it, if the price below is fine.",
    "worse": "Do not take it for its accuracy.",
    "same": "Chance gives as much: take it only for another reason.",
}


def markdown(answer: Answer) -> str:
    """The whole answer."""
    parts = [_verdict(answer), _gate(answer), _mind(answer)]
    if answer.run.state == "completed":
        parts += [part(answer) for part in (changes.metrics, changes.parameters, changes.classes, changes.flips)]
    lines = [line for part in (*parts, changes.costs(answer), _next(answer)) for line in part]
    return "\n".join(lines).rstrip() + "\n"


def headline(answer: Answer) -> str:
    """The verdict in a few words."""
    if answer.run.state != "completed":
        return f"Training {ENDINGS.get(answer.run.state, 'ended')}"
    words = HEADLINES[_tone(answer)] if answer.compared else "Nothing to compare with"
    if _is_bases_own(answer):
        words = "The base branch's own model"
    if answer.others:
        words = f"An experiment: {words[0].lower()}{words[1:]}"
    if answer.verdict is None:
        return words
    return f"{words}: the gate {'lets it in' if answer.verdict.admitted else 'refuses it'}"


def _is_bases_own(answer: Answer) -> bool:
    return answer.base is not None and answer.base.run_id == answer.run.run_id


def _tone(answer: Answer) -> str:
    """Worse is also what the gate calls so, which asks from one side only."""
    assert answer.compared
    findings = answer.verdict.findings if answer.verdict else ()
    refused = any(finding.rule == "accuracy" and not finding.admitted for finding in findings)
    return "worse" if refused and answer.compared.lost > answer.compared.won else answer.compared.tone


def _verdict(answer: Answer) -> Iterator[str]:
    yield from (f"### {headline(answer)}", "")
    one = answer.compared
    if answer.run.state == "completed" and _is_bases_own(answer):
        yield from (
            f"This branch changes no input of the model, so nothing was trained. {_accuracy(answer)}".strip(),
            "",
        )
    elif answer.run.state != "completed":
        yield from (prose(_sentence(answer.run.cause or "it did not say why")), "")
    elif one is None:
        yield from (f"{_accuracy(answer)}There is no comparison: {prose(answer.why_not)}.", "")
    else:
        low, high = (numerals.points(bound) for bound in one.interval)
        counted = f"**{one.won:,} {'image' if one.won == 1 else 'images'} won, {one.lost:,} lost** of {one.images:,}"
        change = f"{numerals.points(one.difference)} points of accuracy, 95 % interval {low} to {high}"
        p = numerals.p_value(one.p).replace("<", "&lt;")
        yield from (
            f"{counted}: {change}, two-sided McNemar {p}. {ADVICE[_tone(answer)]}",
            "",
            _accuracy(answer).strip(),
            "",
        )


def _accuracy(answer: Answer) -> str:
    """The number that counts: computed anew, or as the run says."""
    score = score_of(answer.run)
    metric = next((name for name in answer.numbers if name.endswith(".accuracy")), score.metric if score else None)
    if metric is None:
        return ""
    value = answer.numbers.get(metric, score.value if score else 0.0)
    how = ", scored again from the ONNX file by the base branch's code" if metric in answer.numbers else ""
    return f"{code(metric)} is **{shown(metric, value)}**{how}. "


def _gate(answer: Answer) -> Iterator[str]:
    verdict = answer.verdict
    if verdict is None:
        return
    if verdict.admitted:
        yield from (f"The gate: {prose(_sentence(verdict.headline))}", "")
    else:
        against = [finding.words for finding in verdict.findings if not finding.admitted]
        yield from ("The gate refuses it:", "", *(f"- {prose(words)}" for words in against), "")
    if verdict.warnings:
        yield from (*(f"- Mind: {prose(words)}" for words in verdict.warnings), "")


def _mind(answer: Answer) -> Iterator[str]:
    """What the numbers are not."""
    trained = answer.run.code.get("commit")
    if answer.others:
        names = ", ".join(code(name) for name in answer.others[:MOST_NAMED])
        yield from (f"It was trained with other parameters than the commit has: {names}.", "")
    if answer.run.is_claim:
        yield from (
            "Its own numbers are of other images than those of gate.evaluation_sets, so they could not be checked: they "
            "are a claim, and the site ranks them nowhere.",
            "",
        )
    if answer.commit and isinstance(trained, str) and trained != answer.commit and not _is_bases_own(answer):
        yield from (
            f"Nothing was trained for this commit: DVC restored the model, whose run trained {code(trained[:8])} with the "
            "same inputs.",
            "",
        )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


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
    against = f", put against {code(answer.base.run_id)}, {prose(answer.base_reason)}" if answer.base else ""
    yield f"Run {code(run_id)}{against}." + (f" See {', '.join(found)}." if found else "")
