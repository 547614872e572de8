"""Series of measurements: what belongs to one, where it breaks, what is flagged, and the page and feed of it."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pygit2
import pytest
import table_ledger
from html_reader import read
from playwright.sync_api import Browser, Page, expect

from runhive.report.chart import Chart
from runhive.report.feed import ATOM, NEVER, atom
from runhive.report.series import Series, series_of
from runhive.report.site import build
from runhive.report.trend_chart import LONGEST, trend_chart
from runhive.report.trends import flags_of, trends_data, trends_page
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.row import COLUMNS, Row
from runhive.tracking.ledger.run import Event


def row(number: int, **told: Any) -> Row:
    """A completed run of experiment `ants` at minute *number*."""
    started = f"2026-11-01T{number // 60:02d}:{number % 60:02d}:00.000+00:00"
    own = {
        "run_id": f"20261101-{number // 60:02d}{number % 60:02d}00-abcdef",
        "experiment": "ants",
        "state": "completed",
    }
    own |= {"archived": False, "started_at": started, "ended_at": started, "commit": f"{number:040d}", "host": "hive"}
    own |= {"evaluation_set": "val", "evaluation_digest": "d1", "metrics_version": 1}
    return dict.fromkeys(COLUMNS) | own | told


def newest_first(rows: list[Row]) -> list[Row]:
    return rows[::-1]


def series(rows: list[Row], metric: str = "val.accuracy") -> Series:
    (found,) = [one for one in series_of(newest_first(rows))["ants"] if one.metric == metric]
    return found


def scored(values: list[float], **told: Any) -> list[Row]:
    return [row(number, **{"metrics.val.accuracy": value}, **told) for number, value in enumerate(values)]


def test_a_series_holds_completed_runs_with_a_number_the_oldest_first() -> None:
    rows = scored([0.5, 0.6, 0.7, 0.8, 0.9])
    rows[1] |= {"state": "failed"}
    rows[2] |= {"archived": True}
    rows[3] |= {"metrics.val.accuracy": None}

    assert [one.value for one in series(rows).measured] == [0.5, 0.9]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"evaluation_digest": "d2"}, "other images"),
        ({"metrics_version": 2}, "another definition"),
    ],
)
def test_the_line_of_a_score_breaks_where_it_means_something_else(change: dict[str, Any], why: str) -> None:
    rows = scored([0.5, 0.6, 0.7, 0.8])
    for one in rows[2:]:
        one |= change
    found = series(rows)

    assert [(first.run_id, told) for first, told in found.breaks()] == [(rows[2]["run_id"], why)]
    assert [[one.value for one in part] for part in found.parts()] == [[0.5, 0.6], [0.7, 0.8]]


def test_a_speed_breaks_where_the_machine_changed_and_a_size_nowhere() -> None:
    rows = [
        row(number, host=host, onnx_milliseconds=3.0, evaluation_digest=digest, **{"metrics.export.onnx_bytes": 9})
        for number, (host, digest) in enumerate([("a", "d1"), ("b", "d1"), ("b", "d2")])
    ]

    assert [why for _, why in series(rows, "onnx_milliseconds").breaks()] == ["another machine"]
    assert series(rows, "export.onnx_bytes").breaks() == []


def test_nothing_is_tested_across_a_break() -> None:
    low, high = scored([0.1, 0.11, 0.1, 0.12]), scored([0.8, 0.81, 0.8, 0.82] * 2)[4:]
    assert [step.index for step in series(low + high).steps] == [4]
    for one in high:
        one |= {"evaluation_digest": "d2"}

    assert series(low + high).steps == []


def test_a_step_is_told_with_its_run_its_means_and_whether_it_is_better() -> None:
    rows = [
        row(n, **{"metrics.val.nll": value}) for n, value in enumerate([0.2, 0.21, 0.19, 0.2, 0.5, 0.51, 0.49, 0.5])
    ]
    (flag,) = flags_of(series(rows, "val.nll"))

    assert (flag.run_id, flag.before, flag.after, flag.change, flag.tone) == (
        rows[4]["run_id"],
        "0.2",
        "0.5",
        "+0.3",
        "worse",
    )
    ((told,),) = [
        one["steps"] for one in trends_data(series_of(newest_first(rows)))[0]["metrics"] if one["metric"] == "val.nll"
    ]
    assert told[:3] == [rows[4]["run_id"], pytest.approx(0.2), pytest.approx(0.5)]


def test_the_best_so_far_begins_again_after_a_break() -> None:
    rows = scored([0.5, 0.7, 0.6, 0.4, 0.3])
    for one in rows[3:]:
        one |= {"evaluation_digest": "d2"}
    chart = trend_chart("t", series(rows))
    assert chart is not None
    best, values = chart.lines

    assert [len(line.split()) for line in values.paths] == [3, 2]
    ends = [float(line.split()[-1].partition(",")[2]) for line in best.paths]
    assert ends == sorted(ends)  # down the page is lower: 0.7, then 0.4
    assert [mark.label for mark in chart.marks] == ["other images"]


def test_a_long_series_shows_its_last_hundred_runs_and_a_short_one_nothing() -> None:
    assert trend_chart("t", series(scored([0.5]))) is None
    chart = trend_chart("t", series(scored([0.5, 0.6] * LONGEST)))

    assert isinstance(chart, Chart)
    assert len(chart.lines[-1].dots) == LONGEST


def test_the_page_charts_accuracy_size_and_latency_and_leads_to_runs(site: Path, ledger: Ledger) -> None:
    page = read(site / "trends/index.html")
    addresses = page.addresses()
    scored_runs = [one["run_id"] for one in ledger.rows() if one.get("metrics.val.accuracy") is not None]

    for title in (
        "val.accuracy, %, last 4 runs",
        "export.onnx_bytes, MB, last 4 runs",
        "onnx_milliseconds, last 4 runs",
    ):
        assert title in page.text
    assert {f"../runs/{run_id}.html" for run_id in scored_runs} <= set(addresses)
    assert "evaluation set" in (site / "trends/index.html").read_text()


def test_the_feed_has_an_entry_a_flag_with_a_link_to_its_run() -> None:
    rows = [
        row(n, **{"metrics.val.nll": value}) for n, value in enumerate([0.2, 0.21, 0.19, 0.2, 0.5, 0.51, 0.49, 0.5])
    ]
    for one in rows:
        one |= {"experiment": "<ants> & \u202ebees"}
    feed = ElementTree.fromstring(atom(trends_page(series_of(newest_first(rows))).flags))
    (entry,) = feed.findall(f"{{{ATOM}}}entry")

    title = entry.findtext(f"{{{ATOM}}}title") or ""
    assert title.startswith("val.nll of <ants> & ⟨U+202E⟩bees: 0.2 to 0.5")
    link = entry.find(f"{{{ATOM}}}link")
    assert link is not None and link.get("href") == f"../runs/{rows[4]['run_id']}.html"
    assert feed.findtext(f"{{{ATOM}}}updated") == rows[4]["started_at"]


def test_a_feed_of_nothing_is_a_feed(empty_ledger: Ledger) -> None:
    feed = ElementTree.fromstring(atom(trends_page(series_of(empty_ledger.rows())).flags))

    assert (feed.findall(f"{{{ATOM}}}entry"), feed.findtext(f"{{{ATOM}}}updated")) == ([], NEVER)


def opened(site: Path, browser: Browser, fragment: str = "") -> Page:
    page = browser.new_page()
    page.on("console", lambda message: pytest.fail(message.text))
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{(site / 'trends/index.html').as_uri()}#{fragment}")
    page.wait_for_selector("#rh-trends-live figure")
    return page


def test_any_metric_of_any_experiment_can_be_drawn_and_the_choice_is_in_the_address(
    site: Path, browser: Browser, ledger: Ledger
) -> None:
    page = opened(site, browser)
    page.get_by_label("Experiment").select_option("pytorch-hymenoptera")
    page.get_by_label("Metric").select_option("val.nll")
    expected = [
        one["metrics.val.nll"]
        for one in reversed(ledger.rows())
        if one["experiment"] == "pytorch-hymenoptera" and one["state"] == "completed"
    ]

    assert page.evaluate("runhive.measured('pytorch-hymenoptera', 'val.nll').map(one => one.value)") == expected
    assert page.evaluate("location.hash") == "#experiment=pytorch-hymenoptera&metric=val.nll"
    expect(page.locator("#rh-trends-live figcaption")).to_contain_text("digest b246e0ad7429")
    page.close()


def test_an_address_brings_a_trend_back(site: Path, browser: Browser) -> None:
    page = opened(site, browser, "experiment=pytorch-hymenoptera&metric=export.onnx_bytes&axis=time&log=1")

    assert page.get_by_label("Metric").input_value() == "export.onnx_bytes"
    assert page.get_by_label("Across").input_value() == "time"
    assert page.get_by_label("log scale").is_checked()
    page.close()


def test_a_single_result_is_told_and_not_drawn(tmp_path: Path, source: Path, browser: Browser) -> None:
    """Axes without a second value would say nothing."""
    pygit2.init_repository(str(tmp_path / "repository"))
    ledger = open_ledger(tmp_path / "repository")
    table_ledger.add(
        ledger, 1, {}, Event("evaluated", table_ledger.scored(0.9, "a1" * 32, 50)),
        Event("finished", {"state": "completed", "attempt": 1}),
    )  # fmt: skip
    build(ledger, source, tmp_path / "site")
    page = opened(tmp_path / "site", browser)

    expect(page.locator("#rh-trends-live figure")).to_contain_text("90.0")
    expect(page.locator("#rh-trends-live figure")).to_contain_text("The trend begins with the second result.")
    assert page.locator("canvas").count() == 0
    page.close()


def test_enter_on_a_point_opens_its_run(site: Path, browser: Browser, ledger: Ledger) -> None:
    first = next(one for one in reversed(ledger.rows()) if one["experiment"] == "digits")
    page = opened(site, browser, "experiment=digits&metric=val.accuracy")
    plot = page.locator("#rh-trends-live .rh-plot")
    plot.focus()
    plot.press("ArrowRight")
    expect(plot.locator(".rh-tip")).to_contain_text(first["run_id"])
    plot.press("Enter")

    page.wait_for_url(f"**/runs/{first['run_id']}.html")
    page.close()


def test_the_page_draws_best_so_far_and_pieces_as_python_does(site: Path, browser: Browser) -> None:
    page = opened(site, browser)
    found = page.evaluate(
        """() => {
          const commits = ["a", "a", "b", "b"];
          const points = [3, 1, 2, 5].map((value, index) => ({ id: `r${index}`, value, commit: commits[index] }));
          const { pieces, bestSoFar, placesOf } = runhive.measured;
          return [pieces(points, [["r2", "other images"]]).map((piece) => piece.length),
                  bestSoFar(points, "val.nll"), bestSoFar(points, "val.accuracy"), placesOf(points, "commit")];
        }"""
    )

    assert found == [[2, 2], [3, 1, 1, 1], [3, 3, 3, 5], [1, 1, 2, 2]]
    page.close()


def test_without_javascript_the_main_metrics_are_drawn(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "trends/index.html").as_uri())

    assert page.locator("section.rh-trend svg > title").count() == 6
    assert page.locator("section.rh-trend a circle").count() == 24
    context.close()


def test_what_hostile_runs_measured_is_drawn_and_runs_nothing(hostile_site: Path, browser: Browser) -> None:
    page = opened(hostile_site, browser)
    for option in page.get_by_label("Experiment").locator("option").all():
        page.get_by_label("Experiment").select_option(option.get_attribute("value"))
        page.wait_for_selector("#rh-trends-live figure")

        assert page.evaluate("window.pwned") is None
    page.close()
