"""The Compare page in Debian's Chromium, by clicks: curves, differences, columns, ranges, pairs, and its address."""

import json
import math
import random
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import permutations
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Locator, Page, expect

from runhive.cli import commands
from runhive.metrics import mcnemar_p
from runhive.report import numerals, score
from runhive.tracking.comparison import compare_runs, difference_interval
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

Open = Callable[..., Page]
OWN = ("file:", "blob:", "http://127.0.0.1")  # the search works in a blob


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    """The site under a sub-path of a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{site.name}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what it told the console or asked of other hosts."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(OWN) else said.append(request.url),
    )
    yield page, said
    context.close()


@pytest.fixture
def compare(site: Path, told: tuple[Page, list[str]]) -> Iterator[Open]:
    """Opens the page for runs, with more of its address; at the end it must have told nothing."""
    page, said = told

    def opened(runs: list[Run], more: str = "", base: str | None = None) -> Page:
        page.goto("about:blank")
        page.goto(f"{base or site.as_uri()}/compare/index.html#runs={','.join(run.run_id for run in runs)}{more}")
        if len(runs) > 1:
            page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")
        return page

    yield opened
    assert said == []


@pytest.fixture(scope="module")
def runs(ledger: Ledger) -> list[Run]:
    return ledger.runs()[::-1]


@pytest.fixture(scope="module")
def insects(runs: list[Run]) -> list[Run]:
    """Four completed runs on the same images."""
    return [run for run in runs if run.metrics and run.experiment == "pytorch-hymenoptera"]


def column(page: Page, axis: str) -> Locator:
    """The choice of an axis of the two columns."""
    return page.locator("#scatter").get_by_role("combobox", name=axis)


def drawn(page: Page, name: str) -> list[list[float | None]]:
    """The data that the chart of *name* shows, from a chart drawn anew with what the page's address says."""
    figure = page.locator("figure", has=page.locator("figcaption", has_text=name))
    figure.scroll_into_view_if_needed()
    figure.locator("canvas").wait_for()
    data: list[list[float | None]] = figure.locator(".rh-plot").evaluate(
        "one => one.chart.plot.data.map(column => [...column])"
    )
    return data


def by_arrow_keys(page: Page, name: str, key: str, times: int = 1) -> None:
    end = page.get_by_role("slider", name=name)
    for _ in range(times):
        end.press(key)


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_runs_that_the_address_names_are_shown_side_by_side(
    scheme: str, insects: list[Run], compare: Open, served: str
) -> None:
    page = compare(insects, base=served if scheme == "http" else None)

    assert page.locator(".rh-chosen-runs .rh-id").all_inner_texts() == [run.run_id for run in insects]
    assert page.locator(".rh-compare-section h2").all_inner_texts() == [
        "Image by image", "Curves", "Parameters and metrics", "Parallel coordinates", "Scatter",
    ]  # fmt: skip
    assert len(drawn(page, "check_accuracy")) == 1 + len(insects)


def test_a_click_in_the_table_of_baselines_compares_the_two(site: Path, told: tuple[Page, list[str]]) -> None:
    page, said = told
    page.goto((site / "compare/index.html").as_uri())
    link = page.locator(".rh-compare-pair").first
    wanted = (link.get_attribute("href") or "").removeprefix("#runs=").split(",")
    link.click()
    page.wait_for_selector(".rh-compare-section")

    assert page.locator(".rh-chosen-runs .rh-id").all_inner_texts() == wanted
    assert said == []


def test_runs_are_found_added_put_first_and_taken_away(insects: list[Run], runs: list[Run], compare: Open) -> None:
    page = compare(insects[:1])
    page.get_by_label("Find a run to add").fill(insects[1].run_id[:12])
    page.get_by_role("button", name=insects[1].run_id).click()
    page.wait_for_selector(".rh-compare-section")
    page.get_by_role("button", name="put first: run 2").click()

    expect(page.locator(".rh-chosen-runs .rh-id").first).to_have_text(insects[1].run_id)
    assert page.evaluate("location.hash") == f"#runs={insects[1].run_id},{insects[0].run_id}"
    page.get_by_role("button", name="take run 1 away").click()
    expect(page.locator(".rh-compare-section")).to_have_count(0)
    page.get_by_label("Find a run to add").fill("canceled")
    assert page.locator(".rh-found .rh-id").all_inner_texts() == [run.run_id for run in runs if run.state == "canceled"]


def test_without_a_choice_the_last_two_completed_of_the_last_one_s_experiment_are_offered(
    runs: list[Run], compare: Open
) -> None:
    page = compare([])
    page.get_by_role("button", name="the last two").click()
    page.wait_for_selector(".rh-compare-section")

    completed = [run for run in runs if run.state == "completed"]
    peers = [run.run_id for run in completed if run.experiment == completed[-1].experiment]
    assert completed[-2].experiment != completed[-1].experiment
    assert page.locator(".rh-chosen-runs .rh-id").all_inner_texts() == peers[-2:]


def test_a_run_that_is_not_there_is_named_and_the_others_are_compared(insects: list[Run], compare: Open) -> None:
    page = compare(insects[:2])
    page.evaluate("location.hash += ',20200101-000000-000000'")

    expect(page.locator(".rh-chosen-runs")).to_contain_text("20200101-000000-000000 is not on this site")
    page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")


def test_the_curves_are_those_of_the_ledger(insects: list[Run], ledger: Ledger, compare: Open) -> None:
    history = (ledger.file(insects[0].run_id, "history.csv") or b"").decode().splitlines()[1:]
    page = compare(insects[:2])
    data = drawn(page, "check_loss")

    assert data[0][: len(history)] == [float(line.split(",")[0]) for line in history]
    assert data[1][: len(history)] == pytest.approx([float(line.split(",")[4]) for line in history], rel=1e-5)


def test_smoothing_is_a_corrected_moving_average_and_stays_in_the_address(insects: list[Run], compare: Open) -> None:
    page = compare(insects[:1] + insects[2:3])
    raw = [value for value in drawn(page, "check_loss")[1] if value is not None]
    page.get_by_label("Smoothing").fill("0.8")
    page.wait_for_function("location.hash.includes('smooth=0.8')")
    page.wait_for_function(
        "document.querySelectorAll('figure .rh-plot')[3].chart.plot.data.length === 5"
    )  # raw lines, too
    smooth = [value for value in drawn(page, "check_loss")[2] if value is not None]
    total = share = 0.0
    expected = []
    for value in raw:
        total, share = 0.8 * total + 0.2 * value, 0.8 * share + 0.2
        expected.append(total / share)

    assert smooth == pytest.approx(expected, rel=1e-9)


def test_a_log_axis_leaves_out_what_is_not_above_zero_and_says_so(insects: list[Run], compare: Open) -> None:
    page = compare(insects[:2])
    page.get_by_label("log scale").check()
    page.locator("figure canvas").first.wait_for()

    assert page.locator(".rh-plot").first.evaluate("one => one.chart.plot.scales.y.distr") == 3
    assert "log=1" in page.evaluate("location.hash")
    left = page.evaluate("runhive.lineChart.aligned([{at: [1, 2, 3], values: [0, -1, 2]}], true)")
    assert left == [[1, 2, 3], [None, None, 2]]


def test_labels_at_the_ends_of_lines_are_moved_apart_wherever_the_lines_end(insects: list[Run], compare: Open) -> None:
    """Also where adding the gap to a place rounds to a little less than the gap."""
    page = compare(insects)
    closest, lowest = page.evaluate(
        """() => {
          let [closest, lowest] = [Infinity, 0];
          for (let round = 0; round < 2000; round += 1) {
            const ends = Array.from({ length: 1 + (round % 20) }, () => ({ x: 100, y: 10 + Math.random() * 230 }));
            const placed = runhive.lineChart.apart(ends.sort((one, other) => one.y - other.y), 1, 240);
            placed.slice(1).forEach((end, index) => { closest = Math.min(closest, end.y - placed[index].y); });
            lowest = Math.max(lowest, ...placed.map((end) => end.y));
          }
          return [closest, lowest];
        }"""
    )

    assert closest == pytest.approx(10) or closest > 10
    assert lowest <= 240


def test_the_axis_can_be_wall_time(insects: list[Run], ledger: Ledger, compare: Open) -> None:
    lines = (ledger.file(insects[0].run_id, "history.csv") or b"").decode().splitlines()[1:]
    page = compare(insects[:2])
    page.get_by_label("Across").first.select_option("time")
    page.wait_for_function("location.hash.includes('axis=time')")
    at = page.locator(".rh-plot").first.evaluate(
        "one => new Promise(done => requestAnimationFrame(() => done([...one.chart.plot.data[0]])))"
    )

    assert math.fsum(float(line.split(",")[-1]) for line in lines) in [pytest.approx(one, rel=1e-4) for one in at]


def test_the_cursor_is_in_all_charts_and_tells_each_run_s_value_by_keys_too(insects: list[Run], compare: Open) -> None:
    page = compare(insects[:2])
    drawn(page, "train_accuracy"), drawn(page, "check_accuracy")
    first = page.locator(".rh-plot").nth(0)
    first.focus()
    first.press("Home")
    first.press("ArrowRight")

    expect(first.locator(".rh-tip li")).to_have_count(2)
    assert page.locator(".rh-plot").nth(1).evaluate("one => one.chart.plot.cursor.idx") == first.evaluate(
        "one => one.chart.plot.cursor.idx"
    )
    expect(page.locator(".rh-plot").nth(1).locator(".rh-tip")).to_be_hidden()


def test_only_differences_are_shown_unless_asked_for_all(insects: list[Run], compare: Open) -> None:
    page = compare(insects[:2])
    parameters = page.get_by_role("region", name="Parameters of the runs").locator("tbody th")
    assert parameters.all_inner_texts() == ["train.epochs", "train.seed"]
    page.get_by_label("differences only").uncheck()

    assert "train.mode" in parameters.all_inner_texts()
    assert "all=1" in page.evaluate("location.hash")


@pytest.mark.parametrize("which", ["insects", "runs"])
def test_the_differing_parameters_and_metrics_are_those_of_the_terminal(
    which: str, ledger: Ledger, compare: Open, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[Run] = request.getfixturevalue(which)
    monkeypatch.chdir(ledger.repository.workdir)
    done = CliRunner().invoke(
        commands, ["runs", "compare", *(run.run_id for run in chosen), "--json"], catch_exceptions=False
    )
    said = json.loads(done.stdout)
    page = compare(chosen)
    found = page.evaluate(
        """async (ids) => {
          const runs = await runhive.chosen.chosen(ids);
          return [runhive.differences.differing(runs, "params."), runhive.differences.differing(runs, "metrics.")];
        }""",
        said["runs"],
    )

    assert found == [said["params"], said["metrics"]]


def test_every_pair_is_compared_as_python_does(runs: list[Run], ledger: Ledger, compare: Open) -> None:
    page = compare(runs)
    found = page.evaluate(
        """async (ids) => {
          const runs = await runhive.chosen.chosen(ids);
          return runs.flatMap((one) => runs.filter((other) => other !== one).map((other) => {
            const { comparable, won, lost, p } = runhive.pairs.compare(one, other);
            return comparable ? [won.length, lost.length, p] : null;
          }));
        }""",
        [run.run_id for run in runs],
    )
    expected = [compare_runs(ledger, before, after) for before, after in permutations(runs, 2)]

    assert [one is not None for one in found] == [one.comparable for one in expected]
    for one, other in zip(found, expected, strict=True):
        if one is not None:
            assert one == [other.won, other.lost, pytest.approx(other.p, rel=1e-12)]
    assert sum(one.comparable for one in expected) >= 12


def test_mcnemar_and_the_interval_are_python_s(insects: list[Run], compare: Open) -> None:
    chance = random.Random(0)
    counts = [(chance.randrange(60), chance.randrange(60)) for _ in range(300)]
    counts += [(0, 0), (5, 0), (6, 0), (0, 1074), (0, 1200), (1500, 1), (2000, 2100), (4000, 3000)]
    page = compare(insects[:2])
    found = page.evaluate(
        """counts => counts.map(([won, lost]) =>
             [runhive.pairs.mcnemar(won, lost), runhive.pairs.interval(won, lost, 8000)])""",
        counts,
    )

    for (won, lost), (p, bounds) in zip(counts, found, strict=True):
        assert p == pytest.approx(mcnemar_p(won, lost), rel=1e-12, abs=0), (won, lost)
        assert bounds == pytest.approx(difference_interval(won, lost, 8000), rel=1e-12, abs=1e-15)


def test_numbers_are_shown_as_in_python(insects: list[Run], compare: Open) -> None:
    chance = random.Random(1)
    values = [chance.choice([1, -1]) * chance.random() * 10 ** chance.randrange(-9, 9) for _ in range(400)]
    values += [0.0, 1.0, 12345.0, 1e-5, 0.8125, 0.15625, 0.0625, 2.5, 3.25, 99.95, 1e14, 59.5, 3599.5]
    page = compare(insects[:2])
    found = page.evaluate(
        """values => {
          const { number, percent, seconds } = runhive.numerals;
          const { pValue, shownChange } = runhive.changes;
          return values.map((value) => [
            number(value), percent(value), seconds(value), pValue(Math.min(1, Math.abs(value))),
            shownChange("val.accuracy", value), shownChange("val.nll", value), shownChange("x_bytes", value),
          ]);
        }""",
        values,
    )

    for value, told in zip(values, found, strict=True):
        assert told == [
            numerals.number(value), numerals.percent(value), numerals.seconds(value),
            numerals.p_value(min(1, abs(value))),
            score.shown_change("val.accuracy", value), score.shown_change("val.nll", value),
            score.shown_change("x_bytes", value),
        ], value  # fmt: skip


def test_a_pair_s_row_tells_won_lost_change_and_p(insects: list[Run], ledger: Ledger, compare: Open) -> None:
    before, after = insects[0], insects[-1]
    known = compare_runs(ledger, before, after)
    page = compare([before, after])
    cells = page.locator("#pairs tbody tr").first.locator("td").all_inner_texts()

    assert cells[:2] == [str(known.won), str(known.lost)]
    assert cells[2] == f"{numerals.points((known.won - known.lost) / 60)} points"
    assert cells[4].startswith(numerals.p_value(known.p))
    assert "digest" in page.locator("#pairs .rh-caption").first.inner_text()


def test_what_is_not_comparable_is_neither_tested_nor_ranked(
    runs: list[Run], insects: list[Run], compare: Open
) -> None:
    digits = next(run for run in runs if run.metrics and run.experiment == "digits")
    failed = next(run for run in runs if run.state == "failed")
    page = compare([insects[0], digits, failed])
    rows = page.locator("#pairs tbody tr").all_inner_texts()

    assert "not comparable with 1: scored on other images" in rows[0]
    assert "not comparable with 1: the ledger lacks its predictions" in rows[1]
    accuracy = page.locator("#differences tr", has_text="val.accuracy")
    expect(accuracy).to_contain_text("not ranked")
    expect(accuracy).not_to_contain_text("★")
    expect(page.locator("#scatter .rh-note")).to_contain_text("measured on different images")
    expect(page.locator("#parallel .rh-note")).to_contain_text("Measured on other images, data or definitions")
    last = page.locator("#parallel .rh-axis").last.get_attribute("x1")
    lines = page.locator("#parallel path.rh-line").evaluate_all("lines => lines.map(line => line.getAttribute('d'))")
    assert [f"L{last} " in line for line in lines] == [True, False, False], "the last axis is that of the accuracy"


def test_the_scatter_begins_with_the_parameter_that_parts_the_runs_and_no_seed(
    insects: list[Run], compare: Open
) -> None:
    page = compare(insects)

    assert page.locator("#scatter").get_by_role("combobox", name="Across").input_value() == "params.train.epochs"
    assert page.locator("#scatter circle").count() == len(insects)


def test_of_what_looks_the_same_none_is_the_best(insects: list[Run], compare: Open) -> None:
    """A file that is some bytes smaller, in megabytes of one decimal."""
    page = compare(insects[:2])
    shown = page.evaluate(
        """() => {
          const [one, other] = [44_700_100, 44_700_900].map((bytes, at) => ({
            number: at + 1, id: `run-${at}`, label: "run", environment: new Map(), data: new Map(), phases: new Map(),
            value: name => name === "metrics.export.onnx_bytes" ? bytes : null,
          }));
          const host = document.createElement("div");
          runhive.differences(host, [one, other], true);
          return host.textContent;
        }"""
    )

    assert shown.count("44.7") == 2
    assert "★ 44.7" not in shown


def test_comparable_metrics_are_ranked_and_say_on_what_they_were_measured(insects: list[Run], compare: Open) -> None:
    page = compare(insects)
    accuracy = page.locator("#differences tr", has_text="val.accuracy").locator("td")
    best = max(range(len(insects)), key=lambda index: insects[index].metrics["val.accuracy"])

    assert ["★" in text for text in accuracy.all_inner_texts()] == [index == best for index in range(len(insects))]
    assert "evaluation set val, digest" in (accuracy.first.locator("span").first.get_attribute("title") or "")
    for part in ("parallel", "scatter"):
        expect(page.locator(f"#{part} .rh-measured")).to_contain_text("Measured on evaluation set val, digest")


def test_the_images_whose_answer_changed_are_shown_with_their_names(
    insects: list[Run], ledger: Ledger, compare: Open
) -> None:
    before, after = insects[2], insects[3]
    known = compare_runs(ledger, before, after)
    page = compare([before, after])
    page.get_by_role("button", name="images").click()
    items = page.locator(".rh-flips li")
    expect(items).to_have_count(known.won + known.lost)

    assert page.locator(".rh-flips h4").all_inner_texts() == [f"Won by 2: {known.won}", f"Lost by 2: {known.lost}"]
    assert all(path.startswith("val/") for path in page.locator(".rh-gallery__path").all_inner_texts())
    picture = page.locator(".rh-flips img").first
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.rh-flips img').naturalWidth > 0")
    assert f"flips={after.run_id}" in page.evaluate("location.hash")


def test_any_two_columns_can_be_the_axes_and_a_point_leads_to_its_run(insects: list[Run], compare: Open) -> None:
    page = compare(insects)
    column(page, "Across").select_option("params.train.lr")
    column(page, "Up").select_option("metrics.val.nll")
    points = page.locator("#scatter a")

    assert points.count() == len(insects)
    assert page.locator("#scatter svg").first.get_attribute("aria-label") == "val.nll over train.lr"
    assert "x=params.train.lr" in page.evaluate("location.hash")
    points.nth(1).click()
    page.wait_for_url(f"**/runs/{insects[1].run_id}.html")


def test_a_range_dragged_over_an_axis_keeps_the_runs_in_it_and_dims_the_others(
    insects: list[Run], compare: Open
) -> None:
    page = compare(insects)
    area = page.locator(".rh-brush__area").last
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + box["height"] * 0.3, steps=3)
    page.mouse.up()
    best = max(insects, key=lambda run: run.metrics["val.accuracy"])
    number = insects.index(best) + 1

    expect(page.locator("#parallel .rh-caption")).to_contain_text(f"1 of 4 runs lie in the ranges: {number}.")
    opacity = page.locator("#scatter a").evaluate_all("points => points.map(point => point.getAttribute('opacity'))")
    assert [one == "1" for one in opacity] == [run is best for run in insects]
    page.mouse.click(middle, box["y"] + box["height"] / 2)
    expect(page.locator("#parallel .rh-caption")).to_contain_text("Drag over an axis")


def test_a_range_is_set_and_taken_away_by_keys(insects: list[Run], compare: Open) -> None:
    page = compare(insects)
    by_arrow_keys(page, "lowest val.accuracy", "PageUp", 6)
    expect(page.locator("#parallel .rh-caption")).to_contain_text("runs lie in the ranges")
    assert "brush=metrics.val.accuracy" in page.evaluate("decodeURIComponent(location.hash)")
    by_arrow_keys(page, "highest val.accuracy", "Escape")

    expect(page.locator("#parallel .rh-caption")).to_contain_text("Drag over an axis")
    assert "brush" not in page.evaluate("location.hash")


def test_the_address_brings_the_whole_state_back(insects: list[Run], compare: Open) -> None:
    more = (
        "&smooth=0.4&log=1&axis=time&all=1&x=params.train.seed&y=metrics.val.ece"
        f"&against={insects[1].run_id}&flips={insects[2].run_id}&brush=metrics.val.accuracy,0.50,1.00"
    )
    page = compare(insects, more)

    assert page.get_by_label("Smoothing").input_value() == "0.4"
    assert page.get_by_label("log scale").is_checked()
    assert page.get_by_label("Across").first.input_value() == "time"
    assert not page.get_by_label("differences only").is_checked()
    assert column(page, "Across").input_value() == "params.train.seed"
    assert column(page, "Up").input_value() == "metrics.val.ece"
    assert page.get_by_role("combobox", name="Against").input_value() == insects[1].run_id
    expect(page.locator(".rh-flips li").first).to_be_visible()
    expect(page.locator("#parallel .rh-caption")).to_contain_text("of 4 runs lie in the ranges")


def test_an_address_that_nobody_wrote_is_no_error(insects: list[Run], compare: Open) -> None:
    page = compare(
        insects[:2], "&smooth=x&axes=%25E0%25A4%25A&brush=a,b,c&x=nothing&against=nobody&flips=nobody&axis=sideways"
    )

    assert page.locator(".rh-compare-section").count() == 5


def test_runs_that_failed_early_stand_beside_the_others(runs: list[Run], compare: Open) -> None:
    page = compare(runs)

    expect(page.locator("#curves .rh-caption").first).to_contain_text("No curves: 4 (failed), 12 (running).")
    assert "lost" in page.locator(".rh-chosen-runs").inner_text()
    assert page.locator("#pairs tbody tr").count() == len(runs) - 1


def test_without_javascript_the_page_says_what_it_needs_and_has_each_run_against_its_baseline(
    site: Path, browser: Browser, runs: list[Run]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "compare/index.html").as_uri())
    text = page.locator(".rh").inner_text()
    rows = page.locator("tbody tr").count()
    context.close()

    assert "needs JavaScript" in text
    assert rows == sum(run.comparison.get("baseline") is not None for run in runs)
    assert "McNemar p =" in text


def test_what_a_hostile_run_says_is_shown_as_it_is(hostile_site: Path, browser: Browser) -> None:
    page = browser.new_page()
    told: list[str] = []
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.on("pageerror", lambda error: told.append(str(error)))
    ids = [path.stem for path in sorted((hostile_site / "runs").glob("2026*.html"))]
    for start in range(0, len(ids) - 1, 9):
        page.goto("about:blank")
        page.goto(f"{(hostile_site / 'compare/index.html').as_uri()}#all=1&runs={','.join(ids[start : start + 20])}")
        page.wait_for_selector(".rh-compared:not([aria-busy]) .rh-compare-section")
        for button in page.get_by_role("button", name="images").all()[:1]:
            button.click()
            page.wait_for_selector(".rh-flips li")
        text = page.locator(".rh").inner_text()

        assert page.evaluate("window.pwned") is None
        assert not set("\u202e\u2066\u200b\x00\x1b\x85\u2028") & set(text)
    page.close()

    assert told == []
    assert "<script>window.pwned=1</script>" in text or "<img src=x" in text or "window.pwned" in text


@pytest.mark.parametrize("width", [390, 768])
def test_with_runs_chosen_the_page_is_no_wider_than_the_window(width: int, runs: list[Run], compare: Open) -> None:
    page = compare(runs)
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
