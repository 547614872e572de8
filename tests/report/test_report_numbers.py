"""The arithmetic behind the pages: scores, verdicts, scales, curves and answers."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_ledger import HEADER

from runhive.formats.predictions import Predictions, to_csv
from runhive.report import numerals
from runhive.report.answers import changed, mistakes, parse_answers
from runhive.report.chart import decimals, spread, thinned, ticks, whole_ticks
from runhive.report.curves import learning_curve, parse_history
from runhive.report.home import home
from runhive.report.parameters import rows
from runhive.report.record import Comparison
from runhive.report.score import main_metric, score_of
from runhive.report.span import spans
from runhive.report.summary import Summary, summarize
from runhive.report.trend import trend
from runhive.report.verdict import judge
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

REASONABLE = st.floats(-1e11, 1e11)


def scored(number: int, accuracy: float, digest: str = "a" * 64, version: int = 1, **more: Any) -> Summary:
    evaluation = {"metrics_version": version, "evaluation_set": {"name": "val", "digest": digest, "images": 100}}
    metrics = {"val.accuracy": accuracy, "val.accuracy_low": accuracy - 0.05, "val.accuracy_high": accuracy + 0.05}
    run_id = f"20261101-{number:06d}-abcdef"
    run = Run(run_id, "completed", 1, f"2026-11-01T00:00:{number:02d}+00:00", evaluation=evaluation, metrics=metrics)
    return summarize(replace(run, **more))


@pytest.mark.parametrize(
    ("won", "lost", "p", "tone"),
    [
        (20, 3, 0.0005, "better"),
        (3, 20, 0.0005, "worse"),
        (5, 3, 0.73, "same"),
        (0, 0, 1.0, "same"),
        (9, 2, None, "same"),
    ],
)
def test_a_verdict_follows_the_test_and_not_the_sign(won: int, lost: int, p: float | None, tone: str) -> None:
    comparison = Comparison(baseline="20261101-000001-abcdef", comparable=True, won=won, lost=lost, p=p)

    assert judge(comparison).tone == tone


def test_a_run_that_cannot_be_compared_says_why_and_shows_no_change() -> None:
    told = {"baseline": "20261101-000001-abcdef", "reason": "scored on other images", "comparable": False}
    summary = scored(2, 0.9, comparison=told)

    assert (summary.verdict.headline, summary.verdict.detail) == (
        "Not comparable with its baseline",
        "scored on other images",
    )
    assert summary.change is None and summary.shown_change == ""


def test_a_baseline_that_is_no_run_id_is_never_linked() -> None:
    assert judge(Comparison(baseline="../../x", comparable=True, won=1)).baseline is None


def test_the_change_is_exact_from_the_images_won_and_lost() -> None:
    told = {"baseline": "20261101-000001-abcdef", "comparable": True, "won": 7, "lost": 4, "p": 0.5}

    assert scored(2, 0.9, comparison=told).shown_change == "+3.0"


@pytest.mark.parametrize(
    ("names", "set_name", "main"),
    [
        (["val.nll", "val.accuracy", "val.accuracy_low"], "val", "val.accuracy"),
        (["val.accuracy", "test.accuracy"], "test", "test.accuracy"),
        (["val.rmse_low", "val.rmse", "val.mae"], "", "val.rmse"),
        (["export.onnx_bytes", "holdout.mae"], "holdout", "holdout.mae"),
        (["speed"], "", "speed"),
        ([], "val", None),
    ],
)
def test_the_main_metric_is_the_accuracy_of_the_scored_set_or_its_first(
    names: list[str], set_name: str, main: str | None
) -> None:
    assert main_metric(names, set_name) == main


@pytest.mark.parametrize("other", [{"digest": "b" * 64}, {"version": 2}])
def test_the_best_is_sought_only_among_runs_on_the_same_images_by_the_same_rules(
    other: dict[str, Any], empty_ledger: Ledger
) -> None:
    newest_first = [scored(3, 0.8), scored(2, 0.99, **other), scored(1, 0.9)]
    (experiment,) = home(newest_first, empty_ledger).experiments

    assert experiment.best is newest_first[2]
    assert experiment.elsewhere == 1


def test_a_trend_breaks_where_the_images_change() -> None:
    chart = trend(
        "t", [scored(4, 0.8), scored(3, 0.8), scored(2, 0.9, digest="b" * 64), scored(1, 0.9, digest="b" * 64)]
    )

    assert chart and len(chart.lines[0].paths) == len(chart.bands) == 2
    assert [mark.label for mark in chart.marks] == ["other images"]


def test_intervals_of_different_images_are_not_drawn_on_one_scale() -> None:
    one, same, other = (score_of(scored(1, 0.9, digest=digest * 64).run) for digest in "aab")
    assert one and same and other

    drawn = [spans(one, baseline) for baseline in (same, other, None)]
    assert [len(picture.bars) for picture in drawn if picture] == [2, 1, 1]


@given(REASONABLE, REASONABLE)
def test_ticks_enclose_the_values_and_are_even(one: float, other: float) -> None:
    low, high = sorted((one, other))
    found = ticks(low, high)
    gaps = [right - left for left, right in pairwise(found)]

    margin = 1e-6 * max(1.0, abs(low), abs(high))
    assert found[0] <= low + margin and found[-1] >= high - margin
    assert 2 <= len(found) <= 12
    assert max(gaps) - min(gaps) <= margin


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_whole_ticks_hold_both_ends_and_are_few(low: int, length: int) -> None:
    found = whole_ticks(low, low + length)

    assert found[0] == low and found[-1] == low + length
    assert found == sorted(set(found)) and len(found) <= 12


@given(st.lists(st.floats(0, 190), min_size=1, max_size=5))
def test_labels_are_moved_apart(wanted: list[float]) -> None:
    placed = sorted(spread(wanted, 16, 190))

    assert all(right - left >= 15.999 for left, right in pairwise(placed))
    assert placed[-1] <= 190.001


def test_thinning_keeps_the_ends() -> None:
    assert thinned(range(1001), 100)[0] == 0 and thinned(range(1001), 100)[-1] == 1000
    assert len(thinned(range(1001), 100)) <= 102
    assert thinned([], 3) == [] and thinned([1, 2], 3) == [1, 2]


def test_tick_labels_are_as_long_as_they_must_be() -> None:
    assert decimals([0.0, 0.25, 0.5]) == 2
    assert decimals([0.0, 20.0]) == 0


def test_a_diverged_training_is_drawn_up_to_where_it_diverged() -> None:
    history = parse_history(
        (HEADER + "1,0.1,0.5,0.6,0.4,0.7,2\n2,0.1,nan,0.5,inf,0.5,2\n3,0.1,0.4,0.5,1e30,0.5,2\n").encode()
    )
    assert history

    chart = learning_curve(history, "loss", 3)
    assert chart and [len(line.dots) for line in chart.lines] == [2, 1]
    assert not {"nan", "inf"} & set(str(chart).replace(",", " ").split())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"epoch,lr\n1,2\n",
        HEADER.encode() + b"1,2\n",
        HEADER.encode() + b"x,1,1,1,1,1,1\n",
        HEADER.encode() + b"9" * 400 + b",1,1,1,1,1,1\n",
        b'"',
    ],
)
def test_what_is_no_history_gives_none(content: bytes) -> None:
    assert parse_history(content) is None


def predictions(answers: list[int]) -> Predictions:
    logits = np.array([[2.0 + i, 0.0] if answer == 0 else [0.0, 2.0 + i] for i, answer in enumerate(answers)])
    digests = [f"{i:064x}" for i in range(len(answers))]
    return Predictions(["a", "b"], [f"{i}.jpg" for i in range(len(answers))], digests, np.array([0, 0, 1, 1]), logits)


def test_mistakes_come_the_most_confident_first_and_changes_name_both_answers() -> None:
    before, after = (parse_answers(to_csv(predictions(answers))) for answers in ([0, 1, 1, 0], [1, 0, 1, 0]))
    assert before and after

    assert [answer.path for answer in mistakes(after)] == ["3.jpg", "0.jpg"]
    won, lost = changed(after, before)
    assert [(answer.path, answer.before, answer.predicted) for answer in (*won, *lost)] == [
        ("1.jpg", "b", "a"),
        ("0.jpg", "a", "b"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"path\nx\n",
        b"path,sha256,label,predicted,confidence,logit:a\nx,y,unknown,a,1,1\n",
        b"path,sha256,label,predicted,confidence,logit:a\nx,y,a,a,1,nan\n",
        b"path,sha256,label,predicted,confidence,logit:a\n",
    ],
)
def test_what_is_no_table_of_predictions_gives_none(content: bytes) -> None:
    assert parse_answers(content) is None


def test_parameters_say_what_changed_came_and_went() -> None:
    found = rows({"train.lr": "0.1", "seed": "0", "new": "1"}, {"train.lr": "0.2", "seed": "0", "old": "2"})

    assert [(row.group, row.name, row.value, row.differs, row.before) for row in found] == [
        ("train", "lr", "0.1", True, "0.2"),
        ("", "seed", "0", False, ""),
        ("", "new", "1", True, ""),
        ("", "old", "", True, "2"),
    ]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numerals.percent(0.9537), "95.4 %"),
        (numerals.percent(float("nan")), "—"),
        (numerals.points(-0.026), "\N{MINUS SIGN}2.6"),
        (numerals.points(0.0001), "0.0"),
        (numerals.number(11177538), "11 177 538"),
        (numerals.number(1.9e-6), "1.9 \N{MULTIPLICATION SIGN} 10⁻⁶"),
        (numerals.number(-0.25), "\N{MINUS SIGN}0.25"),
        (numerals.number(10**400), "—"),
        (numerals.seconds(0.04), "0.0 s"),
        (numerals.seconds(59.7), "1 min 00 s"),
        (numerals.seconds(7620), "2 h 07 min"),
        (numerals.seconds(float("inf")), "—"),
        (numerals.size(999), "999 B"),
        (numerals.size(44_783_000), "44.8 MB"),
        (numerals.size(999_999), "1000 kB"),
        (numerals.p_value(0.00001), "p < 0.001"),
        (numerals.p_value(1), "p = 1"),
        (numerals.when("2026-11-23T15:22:33.1+01:00"), "2026-11-23 14:22:33"),
        (numerals.when("0001-01-01T00:00:00+14:00"), "0001-01-01T00:00:00+14:00"),
    ],
)  # fmt: skip
def test_numbers_are_shown_by_one_rule_for_each_kind(shown: str, expected: str) -> None:
    assert shown.replace("\u202f", " ") == expected
