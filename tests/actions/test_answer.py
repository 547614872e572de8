"""The answer's Markdown: what it says first, and that no stranger's string becomes anything but text."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rendered import OURS, flat, strange_tokens

from runhive.actions.answer import markdown
from runhive.actions.comment import MOST, shortened
from runhive.actions.compared import Compared, compare_answers
from runhive.actions.facts import Answer, Links
from runhive.actions.markdown import code, prose, table
from runhive.formats.predictions import Predictions
from runhive.gate.verdict import Finding, Verdict
from runhive.tracking.ledger.run import Run

BASE, AFTER = "20261123-142201-7f3a9c", "20261123-142202-7f3a9c"


def predictions(
    answers: list[int], labels: list[int] | None = None, classes: tuple[str, ...] = ("ant", "bee")
) -> Predictions:
    """Image i, of class i % 2 unless *labels* say so, is answered by class `answers[i]`."""
    count = len(answers)
    return Predictions(
        list(classes), [f"val/{row}.jpg" for row in range(count)], [f"{row:064x}" for row in range(count)],
        np.array(labels or [row % len(classes) for row in range(count)]),
        np.eye(len(classes))[answers] * 5.0,
    )  # fmt: skip


def a_run(run_id: str, **fields: object) -> Run:
    return replace(Run(run_id=run_id, state="completed", attempt=1, started_at="2026-11-23T14:22:01+00:00"), **fields)


def an_answer(wrong_before: int, wrong_now: int, images: int = 40, **fields: object) -> Answer:
    right = [row % 2 for row in range(images)]
    before, after = (
        predictions([1 - one if row < wrong else one for row, one in enumerate(right)])
        for wrong in (wrong_before, wrong_now)
    )
    found = compare_answers(before, after)
    assert isinstance(found, Compared)
    run = a_run(AFTER, metrics={"val.accuracy": 1 - wrong_now / images}, params={"train": {"lr": 0.1}})
    base = a_run(BASE, metrics={"val.accuracy": 1 - wrong_before / images}, params={"train": {"lr": 0.2}})
    return replace(Answer(run, base, "the run of the base commit", found), **fields)


@pytest.mark.parametrize(
    ("before", "now", "first"),
    [
        (12, 2, "### Better than the base"),
        (2, 12, "### Worse than the base"),
        (3, 4, "### Not shown to differ from the base"),
    ],
)
def test_the_first_line_is_the_verdict_and_the_second_its_numbers(before: int, now: int, first: str) -> None:
    lines = markdown(an_answer(before, now)).splitlines()

    assert lines[0] == first
    assert f"**{max(0, before - now)} image" in lines[2] and "McNemar p" in lines[2]
    assert "interval" in lines[2]


def test_the_gates_word_is_in_the_first_line_and_its_reasons_below() -> None:
    finding = Finding("accuracy", False, "8 images lost, 0 won: worse")
    verdict = Verdict(
        AFTER,
        BASE,
        (finding,),
        ("its epoch was chosen on val",),
        (),
        {},
        {"parity": 1e-6, "milliseconds": 2.0, "onnx_bytes": 9},
    )
    text = markdown(an_answer(2, 6, verdict=verdict))

    assert text.splitlines()[0] == "### Worse than the base: the gate refuses it"
    assert "- 8 images lost, 0 won: worse" in text
    assert "- Mind: its epoch was chosen on val" in text
    assert "1.0e-06 of their spread" in text
    assert "| one image, on the collector's CPU | — | 2 ms |" in text and "| ONNX file | — | 9" in text


def test_a_failed_run_says_so_first_and_why() -> None:
    text = markdown(Answer(a_run(AFTER, state="failed", cause="CUDA out of memory"), None, links=Links(log=OURS[1])))

    assert text.splitlines()[:3] == ["### Training failed", "", "CUDA out of memory."]
    assert "(https://github.com/team/bees/)" in text
    assert "runs apply" not in text


def test_the_last_lines_that_a_failed_run_printed_stay_lines_whatever_they_hold() -> None:
    printed = ("epoch 1", "```", "</details>", "@maya <img src=x> ![x](https://evil.example/x.png)", "x" * 500)
    text = markdown(Answer(a_run(AFTER, state="failed", cause="it failed"), None, printed=printed))
    rendered = flat(MarkdownIt("commonmark").parse(text))
    (block,) = [token.content.splitlines() for token in rendered if token.type == "fence"]

    assert strange_tokens(text) == []
    assert block[:4] == list(printed[:4]) and len(block[4]) == 200


def test_answers_that_are_alike_are_said_to_be_so() -> None:
    assert "Both are right on the same images" in markdown(an_answer(3, 3))


def test_each_change_says_whether_it_is_for_the_better_where_that_is_known() -> None:
    def with_metrics(run_id: str, accuracy: float, nll: float, own: float) -> Run:
        return a_run(run_id, metrics={"val.accuracy": accuracy, "val.nll": nll, "own.kindness": own})

    text = markdown(Answer(with_metrics(AFTER, 0.8, 0.4, 2.0), with_metrics(BASE, 0.9, 0.5, 1.0)))

    assert "| `val.accuracy` | 90.0 % | 80.0 % | −10.0 points, worse |" in text.replace("\u202f", " ")
    assert "| `val.nll` | 0.5 | 0.4 | −0.1, better |" in text
    assert "| `own.kindness` | 1 | 2 | +1 |" in text


def test_a_restored_model_names_the_commit_that_trained_it() -> None:
    answer = an_answer(3, 1, commit="2" * 40)
    restored = replace(answer, run=replace(answer.run, code={"commit": "1" * 40}))

    assert "a run of commit `11111111` made it" in markdown(restored)
    assert "DVC restored" not in markdown(replace(answer, run=replace(answer.run, code={"commit": "2" * 40})))


def test_an_experiment_says_which_parameters_the_commit_has_otherwise() -> None:
    text = markdown(an_answer(3, 3, others=("train.lr",)))

    assert text.startswith("### An experiment: not shown to differ from the base")
    assert "other parameters than the commit has: `train.lr`" in text


def test_twelve_images_at_most_are_shown_half_of_them_lost() -> None:
    before = predictions([0] * 40)  # all bees are wrong
    after = predictions([1] * 40)  # all ants are wrong
    found = compare_answers(before, after)
    assert isinstance(found, Compared)

    assert [flip.won for flip in found.flips] == [False] * 6 + [True] * 6
    assert [(one.label, one.before, one.after) for one in found.moved] == [("ant", 20, 0), ("bee", 0, 20)]


def test_pictures_are_shown_only_where_the_reader_can_read_the_site() -> None:
    without = markdown(an_answer(3, 1))
    beside = markdown(an_answer(3, 1, links=Links(site="https://bees.example/")))

    assert "<img" not in without and "`val/1.jpg`" in without
    assert beside.count('<img src="https://bees.example/media/00/') == 2
    assert f"(https://bees.example/runs/{AFTER}.html)" in beside


def test_what_only_the_run_says_is_marked() -> None:
    run = a_run(AFTER, metrics={"val.accuracy": 0.9, "own.score": 3.0})
    text = markdown(replace(an_answer(3, 1), run=run, numbers={"val.accuracy": 0.9}))

    assert "| `own.score` \\* |" in text
    assert "| `val.accuracy` |" in text


@pytest.mark.parametrize(
    "text",
    [
        "@maya", "<script>alert(1)</script>", "![x](https://evil.example/x.png)", "[x](javascript:alert(1))",
        "a|b", "\\|`@maya`", "``` @maya", "`", "a\n\n# heading", "https://evil.example", "www.evil.example", "#7",
        "mail@evil.example", "GH-12", "--><img src=x>", "$`x`$", "\u202egnp.exe", "&#64;maya", "<!-- runhive -->",
    ],
)  # fmt: skip
def test_a_hostile_string_stays_text(text: str) -> None:
    lines = table(["a", "b"], [[code(text), "1"], ["x", code(text)]])
    rendered = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))

    assert sum(token.type == "td_open" for token in rendered) == 4
    assert strange_tokens("\n".join([*lines, prose(text), "", f"- {prose(f'recall of {text} falls')}"])) == []


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("|\\`@#[]()!<>&*_~$-=:/.w \n\tabh\u202e\u0000"), max_size=40))
def test_no_string_breaks_out_of_its_cell(text: str) -> None:
    lines = table(["a", "b", "c"], [["left", code(text), "right"]])
    tokens = flat(MarkdownIt("commonmark").enable("table").parse("\n".join(lines)))
    inside = [token.content for token in tokens if token.type == "text"]

    assert strange_tokens("\n".join(lines)) == []
    assert inside in (["a", "b", "c", "left", "right"], ["a", "b", "c", "left", "(empty)", "right"])


def test_a_long_answer_is_cut_at_a_line_and_closed() -> None:
    text = "### Title\n\n<details>\n\n```sh\n" + "x" * 50 + "\n" + ("line\n" * 20_000) + "```\n</details>\n"
    short = shortened(text, MOST)

    assert len(short) <= MOST
    assert short.count("```") == 2 and short.count("</details>") == 1
    assert "does not fit" in short
    assert shortened("as it is", MOST) == "as it is"
