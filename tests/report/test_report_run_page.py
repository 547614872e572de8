"""The parts of a run's page: by what its files say, and by clicks in a browser."""

from pathlib import Path

import numpy as np
import pytest
import sample_ledger
from html_reader import parse, rows
from playwright.sync_api import Browser, Page, expect

from runhive.formats.predictions import Predictions, from_csv
from runhive.metrics import calibration, precision_recall_curve, roc_curve, softmax
from runhive.report.answers import Answers, parse_answers
from runhive.report.files import kept_files
from runhive.report.numerals import percent
from runhive.report.quality import quality_charts
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run, fold

PLANS = {(plan.day, plan.hour): plan for plan in sample_ledger.plans()}
DIRTY, FAILED, DIGITS = (22, 9), (19, 15), (23, 8)


def path(site: Path, day: int, hour: int) -> Path:
    return site / "runs" / f"{PLANS[day, hour].run_id}.html"


def section(site: Path, when: tuple[int, int], name: str) -> str:
    return path(site, *when).read_text().split(f"id={name}>")[1].split("<h2")[0]


def answers(ledger: Ledger, day: int, hour: int) -> Answers:
    found = parse_answers(ledger.file(PLANS[day, hour].run_id, "predictions.csv") or b"")
    assert found
    return found


@pytest.fixture
def opened(browser: Browser, site: Path) -> Page:
    page = browser.new_page()
    page.goto(path(site, *DIGITS).as_uri())
    yield page
    page.close()


def test_each_cell_with_a_number_opens_its_images_and_no_others(opened: Page, ledger: Ledger) -> None:
    found = answers(ledger, *DIGITS)
    wrong = np.flatnonzero(found.predicted != found.predictions.labels)
    cells = {(int(found.predictions.labels[i]), int(found.predicted[i])) for i in wrong}
    assert cells
    for actual, predicted in cells:
        opened.locator(f'.rh-confusion a[href="#cell-{actual}-{predicted}"]').click()
        dialog = opened.locator("dialog")
        names = dialog.locator(".rh-gallery__path").all_inner_texts()
        expected = [found.predictions.paths[i] for i in wrong]
        of_cell = [
            name for name, i in zip(expected, wrong, strict=True)
            if (found.predictions.labels[i], found.predicted[i]) == (actual, predicted)
        ]  # fmt: skip

        assert sorted(names) == sorted(of_cell)
        assert dialog.get_by_role("heading").inner_text() == (
            f"Actual {actual}, predicted {predicted}: {len(names)} of {len(names)}"
        )
        opened.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_a_cell_is_opened_and_closed_by_keys_and_focus_comes_back(opened: Page) -> None:
    link = opened.locator(".rh-confusion a[href^='#cell-']").first
    link.focus()
    opened.keyboard.press("Enter")
    opened.locator("dialog").wait_for()
    opened.get_by_role("button", name="Close", exact=True).press("Enter")

    expect(opened.locator("dialog")).to_have_count(0)  # its close event comes later
    assert link.evaluate("one => one === document.activeElement")


def test_without_javascript_a_cell_leads_to_its_first_image(site: Path) -> None:
    html = path(site, *DIGITS).read_text()
    page = parse(html)
    targets = [link["href"][1:] for link in page.all("a") if link.get("href", "").startswith("#cell-")]

    assert targets and set(targets) <= set(page.ids())
    assert len(page.ids()) == len(set(page.ids()))


def test_a_line_of_the_log_has_an_address_that_opens_its_fold(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{path(site, *FAILED).as_uri()}#L240")
    line = page.locator("#L240")

    assert line.is_visible() and line.get_attribute("href") == "#L240"
    assert "240 step 240" in section(site, FAILED, "log").replace("</a>", "")
    assert page.locator("#L50").count() == 0 and page.locator("#L51").count() == 1  # the last 200 of 250
    page.close()


def test_a_failed_run_has_its_traceback_folded_below_the_cause(site: Path) -> None:
    html = path(site, *FAILED).read_text()
    top = html[html.index("rh-cause--failed") : html.index("</section>")]

    assert top.index("OutOfMemoryError") < top.index("<details")
    assert "Traceback (most recent call last):" in top and "Exit code 1." in top


def test_the_patch_is_literal_and_its_lines_are_told_apart(site: Path) -> None:
    patch = section(site, DIRTY, "patch")

    assert '<span class="rh-patch__added">+  lr: 0.01  # &lt;b&gt;bold&lt;/b&gt;</span>' in patch
    assert '<span class="rh-patch__removed">-  lr: 0.001</span>' in patch
    assert "1 line added, 1 removed" in patch


def test_a_kept_table_shows_its_first_rows_and_says_how_many_there_are(site: Path) -> None:
    found = rows(section(site, DIRTY, "tables"))

    assert len(found) == 11
    assert found[0] == "size images accuracy" and found[1] == "16 1 0.9"
    assert "the first 10 of 30 rows" in section(site, DIRTY, "tables")


def test_files_have_size_place_and_the_command_that_fetches_them(site: Path, ledger: Ledger) -> None:
    run_id = PLANS[DIRTY].run_id
    table = section(site, DIRTY, "files").split("</table>")[0]
    (row,) = [row for row in rows(table) if row.startswith("tables/by_size.csv")]
    size = len(sample_ledger.TABLE)

    assert row.replace("\u202f", " ") == (
        f"tables/by_size.csv table {size} B ledger runhive runs download {run_id} tables/by_size.csv"
    )


@pytest.mark.parametrize("name", ["a b", "$(reboot)", "-rf", "../up", "a;b", "a'b", "`x`", "", "ü"])
def test_no_command_holds_a_path_that_a_shell_reads_otherwise(name: str) -> None:
    told = {"bytes": 1, "md5": "0" * 32, "sha256": "0" * 64, "kind": "file", "ledger": None}
    run = Run("20261101-000100-abcdef", "completed", 1, "2026-11-01T00:00:00+00:00", files={name: told})

    assert [file.command for file in kept_files(run, {}).shown] == [""]


def test_events_that_add_up_are_one_line(site: Path) -> None:
    events = section(site, DIRTY, "events")

    assert events.count("<b>used</b>") == 1
    assert "used 3 times, in all 4 min 32 s of processor time, 2.0 GB of memory" in parse(events).text.replace(
        "\u202f", " "
    )


def test_curves_of_answers_are_those_of_the_metrics(site: Path, ledger: Ledger) -> None:
    of: Predictions = from_csv(ledger.file(PLANS[DIRTY].run_id, "predictions.csv") or b"", "predictions.csv")
    probabilities = softmax(of.logits)
    text = parse(section(site, DIRTY, "quality")).text
    for index, name in enumerate(of.classes):
        roc = roc_curve(probabilities[:, index], of.labels == index)
        pr = precision_recall_curve(probabilities[:, index], of.labels == index)
        assert roc and pr
        for curve in (roc, pr):
            assert f"{name} {percent(curve.area)}".replace("\u202f", " ") in text.replace("\u202f", " ")
    error = calibration(probabilities, of.labels)[0]
    assert f"expected calibration error {percent(error)}".replace("\u202f", " ") in text.replace("\u202f", " ")


def test_of_many_classes_those_with_the_smallest_area_are_drawn(ledger: Ledger) -> None:
    found = answers(ledger, *DIGITS)
    roc, _, _ = quality_charts(found)
    probabilities = softmax(found.predictions.logits)
    curves = [roc_curve(probabilities[:, i], found.predictions.labels == i) for i in range(10)]
    worst = sorted(range(10), key=lambda i: (curves[i].area if curves[i] else 1, i))[:6]

    assert [int(one.label) for one in roc.legend] == sorted(worst)
    assert roc.left_out == 4


def test_every_comparison_names_its_evaluation_set_and_its_data(site: Path, ledger: Ledger) -> None:
    run = ledger.run(PLANS[DIRTY].run_id)
    scored, data = run.evaluation["evaluation_set"]["digest"][:12], str(run.data["digest"])[:12]
    told = f"val, 60 images (set {scored}, data {data})"
    html = path(site, *DIRTY).read_text()

    for name in ("metrics", "classes", "quality", "changed", "mistakes"):
        assert told in section(site, DIRTY, name), name
    assert f'title="val.accuracy on {told}"' in html
    assert f'title="val.accuracy on {told}"' in (site / "index.html").read_text()


def test_what_differs_in_the_environment_is_marked(site: Path) -> None:
    assert "The same as the baseline" in section(site, DIRTY, "environment")


def test_curves_are_looked_at_closer_beside_the_baseline_on_a_click(opened: Page) -> None:
    assert opened.evaluate("window.uPlot") is None
    opened.get_by_role("button", name="Look closer at the curves").click()
    opened.locator("[data-closer] canvas").first.wait_for()

    assert opened.locator(".rh-closer__legend").inner_text().split() == ["1", "this", "run", "2", "baseline"]
    opened.get_by_label("log scale").check()
    opened.locator("[data-closer] canvas").first.wait_for()


def test_a_record_of_many_events_folds_them_in_their_places() -> None:
    events = [Event("started", {}), *(Event("used", {"phase": "train", "cpu_seconds": 1.0}, order=n) for n in range(3))]
    from runhive.report.timeline import moments

    assert [(one.type, one.times) for one in moments(fold("20261101-000100-abcdef", events))] == [
        ("started", 1), ("used", 3),
    ]  # fmt: skip


def test_home_says_why_the_latest_run_is_behind_the_best(site: Path) -> None:
    card = next(card for card in (site / "index.html").read_text().split("rh-experiment")[1:] if ">digits<" in card)
    text = parse(card).text.replace("\u202f", " ")

    assert "−1.0 points against the best: 5 images won, 7 lost, McNemar p = 0.77, as chance may have it." in text
    assert "train.lr 0.02 (best: 0.05)" in text
