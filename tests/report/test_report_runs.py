"""The run table by clicks and keys, from file:// and http://, beside what Python says of the same ledger."""

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import pytest
import table_ledger
from playwright.sync_api import Browser, Page, expect

from runhive.report.numerals import percent
from runhive.tracking import fields
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.row import Row

ROWS = ".rt-table tbody tr[data-index]"
LINKS = f"{ROWS} th a"
LISTENING = "all => all.flatMap(one => one.getAttributeNames()).filter(name => name.startsWith('on'))"


@pytest.fixture(scope="module")
def runs(many_runs: Ledger) -> Ledger:
    return many_runs


@pytest.fixture(scope="module")
def table(many_site: Path) -> Path:
    return many_site / "runs/index.html"


@pytest.fixture(scope="module")
def rows(runs: Ledger) -> list[Row]:
    """What the table shows to begin with: archived runs are left out."""
    return [row for row in runs.rows() if not row["archived"]]


@pytest.fixture
def page(browser: Browser, table: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(table.as_uri())
    yield page
    context.close()
    assert told == []


def shown(page: Page) -> list[str]:
    """The ids of the rows from the top, as far as they are drawn."""
    links = page.locator(LINKS).evaluate_all("all => all.map(one => one.getAttribute('href'))")
    return [link.removesuffix(".html") for link in links]


def ids(rows: list[Row]) -> list[str]:
    return [row["run_id"] for row in rows]


def filter_by(page: Page, text: str) -> None:
    page.get_by_role("combobox", name="Filter").fill(text)


def column(page: Page, name: str) -> list[str]:
    """The texts of a column, from the top."""
    heads = page.locator(".rt-table thead th").all_inner_texts()
    place = next(index for index, head in enumerate(heads) if head.strip(" ↓↑\n") == name)
    return [cell.strip() for cell in page.locator(f"{ROWS} > :nth-child({place + 1})").all_inner_texts()]


def test_all_runs_are_there_the_newest_first_and_few_of_them_are_elements(page: Page, rows: list[Row]) -> None:
    drawn = shown(page)

    assert drawn == ids(rows)[: len(drawn)] and len(drawn) < len(rows)
    assert page.locator(".rt-table").get_attribute("aria-rowcount") == str(len(rows) + 1)
    assert page.locator(ROWS).first.get_attribute("aria-rowindex") == "2"
    assert page.locator("[data-runs-static]").is_hidden()
    page.locator(".rt-frame").evaluate("one => one.scrollTop = one.scrollHeight")
    expect(page.locator(LINKS).last).to_have_attribute("href", f"{rows[-1]['run_id']}.html")


@pytest.mark.parametrize(
    "text",
    ["val.accuracy > 0.9 and train.lr == 0.01", "tag == paper", 'name ~ "CROPS" or state == failed', "val.nll == null"],
)
def test_the_box_filters_as_the_command_line_does(text: str, page: Page, rows: list[Row]) -> None:
    filter_by(page, text)
    found = ids(fields.select(rows, text))

    assert shown(page) == found[: len(shown(page))] and len(shown(page)) == min(len(found), len(shown(page)))
    expect(page.locator(".rt-said")).to_have_text(f"{len(found)} of 97 runs")


def test_a_mistake_is_told_with_its_place_and_the_rows_stay(page: Page) -> None:
    before = shown(page)
    filter_by(page, "train.lr = 0.1")
    alert = page.get_by_role("alert")

    expect(alert).to_contain_text("filter, character 10: '=' is no comparison: write ==")
    expect(alert.locator("mark")).to_have_text("=")
    assert page.get_by_role("combobox", name="Filter").get_attribute("aria-invalid") == "true"
    assert shown(page) == before
    filter_by(page, "train.lr == 0.1")
    expect(alert).to_be_hidden()


def test_names_and_values_are_completed_by_keys_and_by_clicks(page: Page) -> None:
    box = page.get_by_role("combobox", name="Filter")
    box.press_sequentially("train.w")
    box.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "rt-filter-list-0"
    box.press("Enter")
    expect(box).to_have_value("train.width ")
    box.press_sequentially("== 3 and state == fai")
    page.get_by_role("option", name="failed").click()
    expect(box).to_have_value("train.width == 3 and state == failed ")
    box.press_sequentially("or ta")
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_a_head_sorts_best_first_within_each_evaluation_set(page: Page, rows: list[Row]) -> None:
    page.get_by_role("button", name="val.accuracy").click()
    new = [row for row in rows if row["evaluation_digest"] == table_ledger.SETS["new"]]
    best = fields.sort(new, "-val.accuracy")

    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert page.locator(".rt-note").first.inner_text() == "6 runs on val, digest 0f0f0f0f0f0f, the newest run's"
    assert shown(page)[6:20] == ids(best)[:14]
    assert (
        page.locator(".rt-note").nth(1).inner_text().startswith("84 runs on another evaluation set (val, digest a1a1")
    )
    assert page.locator(".rt-best").count() == 1
    page.get_by_role("button", name="val.accuracy").click()
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="val.accuracy").click()
    assert page.locator("th[aria-sort]").count() == 0


def test_runs_without_a_value_are_sorted_last(page: Page, rows: list[Row]) -> None:
    page.get_by_role("button", name="train.lr").click()
    page.locator(".rt-frame").evaluate("one => one.scrollTop = one.scrollHeight")
    expect(page.locator(LINKS).last).to_have_attribute("href", f"{fields.sort(rows, '-train.lr')[-1]['run_id']}.html")

    assert column(page, "train.lr")[-5:] == ["–"] * 5


def test_every_number_says_its_evaluation_set_and_digest(page: Page) -> None:
    filter_by(page, "val.accuracy > 0")
    titles = page.locator(".rt-metric").evaluate_all("all => all.map(one => one.title)")

    assert titles
    for title in titles:
        assert re.search(
            r"val\.accuracy 0\.\d+; 95 % interval .*; evaluation set val, 153 images, digest [0-9a-f]{64}", title
        )


def test_one_set_alone_can_be_shown(page: Page, rows: list[Row]) -> None:
    page.get_by_role("button", name="Show only the newest run's set").click()

    expect(page.get_by_role("combobox", name="Filter")).to_have_value(
        f'evaluation_digest == "{table_ledger.SETS["old"]}"'
    )
    expect(page.locator(".rt-said")).to_have_text("6 of 97 runs")
    expect(page.locator(".rh-note")).to_have_count(0)


def test_columns_are_picked_moved_and_put_back(page: Page) -> None:
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Find a column").fill("branch")
    expect(page.locator(".rt-others label")).to_have_text(["Branch"])
    page.get_by_role("checkbox", name="Branch").click()
    page.get_by_role("button", name="Move Branch up").click()
    heads = [head.strip(" ↓↑\n") for head in page.locator(".rt-table thead th").all_inner_texts()]
    assert heads[-2] == "Branch"
    page.locator(".rt-chosen").get_by_role("checkbox", name="Branch").click()
    expect(page.locator(".rt-table thead")).not_to_contain_text("Branch")
    page.get_by_role("button", name="Usual columns").click()
    page.keyboard.press("Escape")
    expect(page.locator(".rt-panel")).to_be_hidden()
    assert page.locator(".rt-table thead th").nth(1).inner_text().strip() == "val.accuracy"


def test_seeds_are_averaged_where_their_set_is_one_and_not_where_it_is_not(page: Page, rows: list[Row]) -> None:
    page.get_by_label("Group by").select_option(label="train.width")
    by_width = {width: [row for row in rows if row.get("params.train.width") == width] for width in range(18)}
    told = dict(zip(column(page, "Group"), column(page, "val.accuracy"), strict=True))
    found = [row["metrics.val.accuracy"] for row in by_width[3]]

    said = f"{percent(mean(found))} ± {100 * stdev(found):.1f} best {percent(max(found))}"
    assert " ".join(told["▸train.width = 3\n5"].split()) == " ".join(said.split())
    assert told["▸train.width = 0\n5"] == "2 evaluation sets"
    page.get_by_role("button", name="train.width = 3").click()
    assert page.get_by_role("button", name="train.width = 3").get_attribute("aria-expanded") == "true"
    assert shown(page) == ids(by_width[3])


def test_groups_of_all_parameters_but_the_seed_hold_the_seeds(page: Page) -> None:
    filter_by(page, "train.width != null")
    page.get_by_label("Group by").select_option(label="All parameters but the seed")

    assert [group.rpartition("\n")[2] for group in column(page, "Group")] == ["5"] * 18


def test_groups_are_ranked_within_a_set_and_those_of_several_are_not(page: Page) -> None:
    page.get_by_label("Group by").select_option(label="train.width")
    page.get_by_role("button", name="val.accuracy").click()
    notes = page.locator(".rt-note").all_inner_texts()

    assert notes[0] == "5 runs on val, digest 0f0f0f0f0f0f, the newest run's"
    assert notes[1].startswith("80 runs on another evaluation set")
    assert notes[2] == "without val.accuracy"
    assert "2 evaluation sets" in column(page, "val.accuracy")[-2:]


def test_states_and_tags_choose_and_the_archived_come_back(page: Page, rows: list[Row]) -> None:
    page.get_by_role("button", name="failed 1").click()
    assert shown(page) == [table_ledger.run_id(90)]
    page.get_by_role("button", name="failed 1").click()
    page.get_by_role("button", name="formula 5").click()
    assert shown(page) == [table_ledger.run_id(number) for number in (96, 95, 94, 93, 92)]
    page.get_by_role("button", name="formula 5").click()
    filter_by(page, "name ~ away")
    expect(page.locator(LINKS)).to_have_count(0)
    page.get_by_role("button", name="archived 1").click()
    assert shown(page) == [table_ledger.run_id(91)]


def test_selected_runs_go_to_the_compare_page(page: Page, rows: list[Row]) -> None:
    compare = page.locator(".rt-compare")
    expect(compare).to_be_hidden()
    for number in (0, 2):
        page.locator(f"{ROWS} input").nth(number).check()
    chosen = [rows[number]["run_id"] for number in (0, 2)]

    expect(compare).to_have_text("Compare 2 runs")
    assert compare.get_attribute("href") == f"../compare/index.html#runs={','.join(chosen)}"
    page.get_by_label("Select all runs shown").check()
    expect(compare).to_have_text("96 runs selected: compare takes 2 to 20")
    assert compare.get_attribute("href") is None
    page.get_by_role("button", name="Clear selection").click()
    assert page.locator(f"{ROWS} input:checked").count() == 0


def download(page: Page) -> list[list[str]]:
    with page.expect_download() as begun:
        page.get_by_role("button", name="CSV").click()
    path: Path = begun.value.path()
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_the_csv_holds_what_is_shown_unrounded(page: Page, rows: list[Row]) -> None:
    filter_by(page, "train.lr == 0.01")
    page.get_by_role("button", name="val.accuracy").click()
    head, *lines = download(page)
    found = [dict(zip(head, line, strict=True)) for line in lines]

    assert [line["run_id"] for line in found] == ids(
        fields.sort(fields.select(rows, "train.lr == 0.01"), "-val.accuracy")
    )
    assert [float(line["val.accuracy_low"]) for line in found] == [
        next(row for row in rows if row["run_id"] == line["run_id"])["metrics.val.accuracy_low"] for line in found
    ]
    assert {line["evaluation_digest"] for line in found} == {table_ledger.SETS["new"]}


def test_no_cell_of_the_csv_is_a_formula_and_numbers_stay_numbers(page: Page) -> None:
    page.goto(f"{page.url}#column=name&column=tags&column=params.note&column=params.shift")
    page.reload()
    filter_by(page, "tag == formula")
    head, *lines = download(page)
    found = [dict(zip(head, line, strict=True)) for line in lines][::-1]

    assert [line["note"] for line in found] == [f"'{formula}" for formula in table_ledger.FORMULAS]
    assert [line["name"] for line in found] == [line["note"] for line in found]
    assert [line["shift"] for line in found] == [str(-number) for number in range(92, 97)]


def test_the_csv_of_groups_has_mean_deviation_and_best(page: Page, rows: list[Row]) -> None:
    page.get_by_label("Group by").select_option(label="train.width")
    head, *lines = download(page)
    found = {line[0]: dict(zip(head, line, strict=True)) for line in lines}
    values = [row["metrics.val.accuracy"] for row in rows if row.get("params.train.width") == 3]

    assert float(found["train.width = 3"]["val.accuracy std"]) == pytest.approx(stdev(values))
    assert (found["train.width = 3"]["val.accuracy best"], found["train.width = 0"]["val.accuracy mean"]) == (
        str(max(values)),
        "",
    )


@pytest.fixture
def http(table: Path) -> Iterator[str]:
    """The site on loopback, under a sub-path."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(table.parents[2])))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{table.parents[1].name}/runs/index.html"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_the_address_holds_the_whole_state(scheme: str, browser: Browser, table: Path, http: str) -> None:
    address = table.as_uri() if scheme == "file" else http
    page = browser.new_page()
    page.goto(address)
    filter_by(page, "val.accuracy > 0.7")
    page.get_by_role("button", name="val.accuracy").click()
    page.get_by_role("button", name="completed").click()
    page.locator("summary", has_text="Columns").click()
    page.locator(".rt-others").get_by_label("val.nll").click()
    page.get_by_label("Group by").select_option(label="train.lr")
    page.get_by_role("button", name="train.lr = 0.01").first.click()
    page.locator(f"{ROWS} input").nth(2).check()
    page.wait_for_url(re.compile("run="))
    before = page.locator("#run-table").inner_text()
    again = browser.new_page()
    again.goto(page.url)

    assert again.locator("#run-table").inner_text() == before
    assert page.url.startswith(
        f"{address}#filter=val.accuracy+%3E+0.7&sort=-metrics.val.accuracy&group=params.train.lr"
    )
    again.goto(f"{address}#filter=tag == paper&sort=val.accuracy")
    expect(again.locator(LINKS)).to_have_count(1)
    again.goto(f"{address}#run=gone&column=gone&group=gone&sort=gone")
    expect(again.locator(".rt-compare")).to_be_hidden()
    expect(again.locator(".rt-said")).to_have_text("96 of 97 runs")
    page.close()
    again.close()


def test_the_rows_are_walked_by_keys_through_the_whole_table(page: Page, rows: list[Row]) -> None:
    page.locator(LINKS).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("href", f"{rows[2]['run_id']}.html")
    page.keyboard.press("End")
    expect(page.locator(":focus")).to_have_attribute("href", f"{rows[-1]['run_id']}.html")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator(".rt-picked")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_attribute("data-run", rows[1]["run_id"])


def test_in_print_all_rows_are_there(page: Page, rows: list[Row]) -> None:
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")

    assert shown(page) == ids(rows)
    assert page.locator(".rt-frame").evaluate("one => one.scrollHeight - one.clientHeight") == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")


def test_the_link_is_copied(browser: Browser, http: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(http)
    filter_by(page, "state == failed")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied")).to_be_visible()

    assert page.evaluate("navigator.clipboard.readText()") == f"{http}#filter=state+%3D%3D+failed"
    context.close()


def test_nothing_that_a_run_carries_runs_in_the_table(hostile_site: Path, browser: Browser) -> None:
    page = browser.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(("file:", "blob:")) else told.append(request.url))
    page.goto((hostile_site / "runs/index.html").as_uri())
    names = json.loads(page.evaluate("JSON.stringify(runhive.table('runs').names)"))
    page.evaluate(
        "names => { location.hash = new URLSearchParams(names.map(name => ['column', name])).toString(); }", names
    )
    expect(page.locator(".rt-table thead th").nth(40)).to_be_attached()
    assert page.evaluate("window.pwned ?? null") is None
    assert "<script>window.pwned=1</script>" in page.locator(".rt-table").inner_text()
    for payload in ("<script>window.pwned=1</script>", "__proto__", "'\" onload=x"):
        filter_by(page, f"name == {json.dumps(payload)} or {json.dumps(payload)} == 1")
        page.get_by_role("combobox", name="Filter").press("End")
    for option in page.get_by_label("Group by").locator("option").evaluate_all("all => all.map(one => one.value)")[:12]:
        page.get_by_label("Group by").select_option(value=option)
    page.locator("summary", has_text="Columns").click()

    assert page.evaluate("window.pwned ?? null") is None
    assert page.locator("#run-table").locator("script, img, iframe").count() == 0
    assert page.locator("#run-table *").evaluate_all(LISTENING) == []
    assert told == []
    page.close()
