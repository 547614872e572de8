"""What an answer begins with: the verdict in a few words, its numbers, the gate's word, what to mind."""

from collections.abc import Iterator

from runhive.actions.compared import Compared
from runhive.actions.facts import Answer
from runhive.actions.markdown import code, prose
from runhive.report import numerals
from runhive.report.score import score_of, shown

ENDINGS = {"failed": "failed", "canceled": "was cancelled", "lost": "was lost", "running": "did not end"}
HEADLINES = {
    "better": "Better than the base",
    "worse": "Worse than the base",
    "same": "Not shown to differ from the base",
}
ADVICE = {
    "better": "Take it, if the price below is fine.",
    "worse": "Do not take it for its accuracy.",
    "same": "Chance gives as much: take it only for another reason.",
}
ALIKE = "Both are right on the same images: take it only for another reason."
MOST_NAMED = 10  # parameters


def headline(answer: Answer) -> str:
    """The verdict in a few words."""
    if answer.run.state != "completed":
        return f"Training {ENDINGS.get(answer.run.state, 'ended')}"
    words = HEADLINES[_tone(answer, answer.compared)] if answer.compared else "Nothing to compare with"
    if answer.is_bases_own:
        words = "The base branch's own model"
    if answer.others:
        words = f"An experiment: {words[0].lower()}{words[1:]}"
    if answer.verdict is None:
        return words
    return f"{words}: the gate {'lets it in' if answer.verdict.admitted else 'refuses it'}"


def opening(answer: Answer) -> Iterator[str]:
    """The headline and what belongs to it, in paragraphs."""
    yield from (f"### {headline(answer)}", "")
    for paragraph in (*_verdict(answer), *_mind(answer)):
        yield from (paragraph, "")
    yield from _gate(answer)


def sentence(text: str) -> str:
    """*text* with a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _verdict(answer: Answer) -> Iterator[str]:
    if answer.run.state != "completed":
        yield prose(sentence(answer.run.cause or "it did not say why"))
        return
    if answer.is_bases_own:
        yield "No input of the model changed, so nothing was trained."
    elif answer.compared is None:
        yield f"There is no comparison: {prose(answer.why_not)}."
    else:
        yield _counted(answer, answer.compared)
    yield from _accuracy(answer)


def _counted(answer: Answer, one: Compared) -> str:
    low, high = (numerals.points(bound) for bound in one.interval)
    counted = f"**{one.won:,} {'image' if one.won == 1 else 'images'} won, {one.lost:,} lost** of {one.images:,}"
    change = f"{numerals.points(one.difference)} points of accuracy, 95 % interval {low} to {high}"
    p = numerals.p_value(one.p).replace("<", "&lt;")
    advice = ADVICE[_tone(answer, one)] if one.won or one.lost else ALIKE
    return f"{counted}: {change}, two-sided McNemar {p}. {advice}"


def _tone(answer: Answer, one: Compared) -> str:
    """Worse is also what the gate calls so, which asks from one side only."""
    findings = answer.verdict.findings if answer.verdict else ()
    refused = any(finding.rule == "accuracy" and not finding.admitted for finding in findings)
    return "worse" if refused and one.lost > one.won else one.tone


def _accuracy(answer: Answer) -> Iterator[str]:
    """The number that counts: computed anew, or as the run says."""
    score = score_of(answer.run)
    metric = next((name for name in answer.numbers if name.endswith(".accuracy")), score.metric if score else None)
    if metric is not None:
        value = answer.numbers.get(metric, score.value if score else 0.0)
        how = ", scored again from the ONNX file by the base branch's code" if metric in answer.numbers else ""
        yield f"{code(metric)} is **{shown(metric, value)}**{how}."


def _mind(answer: Answer) -> Iterator[str]:
    """What the numbers are not."""
    trained = answer.run.code.get("commit")
    if answer.others:
        names = ", ".join(code(name) for name in answer.others[:MOST_NAMED])
        yield f"It was made with other parameters than the commit has: {names}."
    if answer.run.is_claim:
        yield (
            "Its own numbers are of other images than those of `gate.evaluation_sets`, or call them otherwise, so they "
            "could not be checked: they are a claim, which the site ranks nowhere."
        )
    if answer.commit and isinstance(trained, str) and trained != answer.commit and not answer.is_bases_own:
        yield f"DVC restored the model instead of training it again: a run of commit {code(trained[:8])} made it."


def _gate(answer: Answer) -> Iterator[str]:
    verdict = answer.verdict
    if verdict is None:
        return
    if verdict.admitted:
        yield from (f"The gate: {prose(sentence(verdict.headline))}", "")
    else:
        against = [finding.words for finding in verdict.findings if not finding.admitted]
        yield from ("The gate refuses it:", "", *(f"- {prose(words)}" for words in against), "")
    if verdict.warnings:
        yield from (*(f"- Mind: {prose(words)}" for words in verdict.warnings), "")
