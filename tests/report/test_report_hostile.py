"""Nothing that a run carries becomes markup, a script, a command or an address."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hostile_ledger
import pytest
from html_reader import Page, parse, read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser
from sample_ledger import digits, params, started

from runhive.report.home import home
from runhive.report.record import Code
from runhive.report.reproduce import recipe
from runhive.report.run_page import run_page
from runhive.report.summary import Summary, summarize
from runhive.report.templates import render
from runhive.report.text import visible
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, fold

ID = "20261101-000100-abcdef"
TIME = datetime(2026, 11, 1, tzinfo=UTC).isoformat()


def summary_of(text: str) -> Summary:
    """A run whose every string is *text*, with as many parts as any other of its kind."""
    described = hostile_ledger.attacked(started(digits_task, params(digits_task)), text)
    events: list[Event] = [
        Event(
            "started",
            described | {"experiment": text, "code": {"commit": text, "dirty": True, "changed": [text]}},
            time=TIME,
        ),
        Event(
            "compared", {"baseline": text, "reason": text, "comparable": True, "won": 2, "lost": 1, "p": 1.0}, time=TIME
        ),
        Event("evaluated", {"metrics": {"val.accuracy": 0.5}, "evaluation": {}}, time=TIME, seconds=1.0),
        Event("finished", {"state": "failed", "cause": f"x{text}", "attempt": 1}, time=TIME),
    ]
    return summarize(fold(ID, events))


digits_task = digits()


def structure(page: Page) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attributes)) for tag, attributes in page.tags]


def drawn(text: str, ledger: Ledger, folder: Path) -> list[Page]:
    summary = summary_of(text)
    run = render(
        "run.html",
        page=run_page(summary, None, ledger, folder, None),
        newer=None,
        older=None,
        data_pages={},
        details={},
        versions=[],
    )
    place = {"total": 1, "first": 1, "last": 1, "names": ["index.html"], "index": 0}
    table = render(
        "runs.html", rows=render("runs_row.html", summary=summary), scripts=[], shards=[], has_charts=False, **place
    )
    return [parse(html) for html in (run, table, render("home.html", home=home([summary], ledger), models=[]))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.one_of(
        st.text(min_size=1), st.sampled_from(hostile_ledger.PAYLOADS), st.text("<>\"'&{}%`=/\\\n\t ", min_size=1)
    )
)
def test_no_text_changes_the_structure_of_a_page(text: str, empty_ledger: Ledger, tmp_path: Path) -> None:
    harmless = drawn("word", empty_ledger, tmp_path)
    attacked = drawn(text, empty_ledger, tmp_path)

    assert [structure(page) for page in attacked] == [structure(page) for page in harmless]


def test_no_attribute_of_any_page_runs_code(hostile_site: Path) -> None:
    for path in hostile_site.rglob("*.html"):
        page = read(path)
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on")], (path.name, tag)
            assert not attributes.get("href", "").lower().startswith(("javascript:", "data:")), path.name
        assert "pwned" not in page.scripts, path.name
    assert "{{ 7*7 }}{% for x in" in read(hostile_site / "runs/20261101-000106-abcdef.html").text


def test_no_hidden_character_reaches_a_page(hostile_site: Path) -> None:
    for path in hostile_site.rglob("*.html"):
        html = path.read_text(encoding="utf-8")

        assert not {"\u202e", "\u2066", "\u200b", "\x00", "\x1b", "\x85", "\u2028"} & set(html), path.name
    assert "⟨U+202E⟩gnp.exe" in (hostile_site / "runs/20261101-000108-abcdef.html").read_text(encoding="utf-8")


def test_a_hostile_commit_never_becomes_a_command() -> None:
    for payload in [*hostile_ledger.PAYLOADS, "abc1234; rm -rf ~", "--upload-pack=x", "abc1234\nrm -rf ~", "ABC1234"]:
        assert recipe(ID, Code(commit=payload), ["params.yaml"]).commands == ()
    assert recipe(ID, Code(commit="abc1234"), []).commands == ("git checkout abc1234", "dvc repro")
    assert recipe(ID, Code(commit="abc1234"), ["params.yaml"]).commands == (f"runhive runs reproduce {ID}",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain — ü 蜂 🐝", "plain — ü 蜂 🐝"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x00\x7f\u200d", "⟨U+0000⟩⟨U+007F⟩⟨U+200D⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("x" * 2001, "x" * 1999 + "…"),
    ],
)
def test_text_is_shown_as_it_is_but_for_what_would_not_show(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_visible_text_can_always_be_written_as_utf_8(text: str) -> None:
    assert len(visible(text, 50).encode()) < 50 * 12


def test_no_script_of_a_run_is_run_and_nothing_leaves_the_folder(hostile_site: Path, browser: Browser) -> None:
    page = browser.new_page()
    told: list[Any] = []
    page.on("console", lambda message: told.append(("console", message.text)))
    page.on("pageerror", lambda error: told.append(("error", str(error))))
    page.on("dialog", lambda dialog: told.append(("dialog", dialog.message)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(("file://", "blob:")) else told.append(("request", request.url)),
    )
    for path in sorted(hostile_site.rglob("*.html")):
        page.goto(path.as_uri())
        page.mouse.move(300, 300)
        page.keyboard.press("Tab")

        assert page.evaluate("window.pwned") is None, path.name
    page.close()

    assert told == []
