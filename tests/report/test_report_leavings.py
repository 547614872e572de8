"""What a run left is on its page: samples of the machine, pictures, files, the end of the log."""

from collections.abc import Mapping
from pathlib import Path

import pygit2
import pytest
from html_reader import parse

from runhive.report.files import kept_files
from runhive.report.leavings import MOST_LINES, leavings
from runhive.report.run_page import run_page
from runhive.report.summary import summarize
from runhive.report.templates import render
from runhive.report.usage import usage_charts
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.storage.artifacts import describe

ID = "20261123-142233-7f3a9c"
PNG = b"\x89PNG\r\n\x1a\nrest"
HEADER = "time,phase,cpu_percent,memory_bytes,gpu_percent\n"


@pytest.fixture
def made(tmp_path: Path) -> Ledger:
    pygit2.init_repository(str(tmp_path / "repository"))
    return open_ledger(tmp_path / "repository")


def keep(ledger: Ledger, contents: Mapping[str, bytes], log: bytes = b"") -> None:
    """Record a run with these files, each in the ledger under a name of its own, and a log."""
    names = {name: f"{index:016x}" for index, name in enumerate(contents)}
    told = {name: describe(content, ledger=names[name]) for name, content in contents.items()}
    files = {names[name]: content for name, content in contents.items()} | ({"log.txt": log} if log else {})
    ledger.append(ID, [Event("started", {"experiment": "x"}), Event("filed", {"files": told})], files)


def page(ledger: Ledger, site: Path) -> str:
    gathered = run_page(summarize(ledger.run(ID)), None, ledger, site, None)
    return render("run.html", page=gathered, newer=None, older=None, data_pages={}, details={}, versions=[])


def test_a_picture_is_known_by_its_bytes_and_copied_and_what_only_says_so_is_not(made: Ledger, tmp_path: Path) -> None:
    keep(made, {"plot": PNG, "evil.png": b"<script>pwned</script>", "evil.svg": b"<svg onload='pwned'>"})
    left = leavings(made.run(ID), made, tmp_path / "site")

    assert [image.name for image in left.images] == ["plot"]
    assert (tmp_path / "site/runs" / left.images[0].address).resolve().read_bytes() == PNG
    assert [path.suffix for path in (tmp_path / "site").rglob("*") if path.is_file()] == [".png"]
    files = kept_files(made.run(ID), made.files(ID))
    assert [file.path for file in files.shown] == ["evil.png", "evil.svg", "plot"]


def test_a_page_shows_the_end_of_the_log_escaped_and_says_how_to_get_the_rest(made: Ledger, tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(MOST_LINES)]
    keep(made, {}, "\n".join(["first", *lines[2:], "<b onclick=x>\u202elast\x1b[0m"]).encode() + b"\n")
    assert "first" in page(made, tmp_path)

    keep(made, {}, "\n".join(["first", *lines, "<b onclick=x>\u202elast\x1b[0m"]).encode() + b"\n")
    html = page(made, tmp_path)
    assert "first" not in parse(html).text
    assert "&lt;b onclick=x&gt;⟨U+202E⟩last⟨U+001B⟩[0m" in html
    assert f"runhive runs log {ID}" in html


def test_what_the_machine_did_is_drawn_where_it_was_measured() -> None:
    rows = "".join(f"2026-11-23T14:22:{second:02d}+00:00,run,150,2000000000,\n" for second in (33, 38, 43))
    charts = usage_charts((HEADER + rows).encode())

    assert [chart.title for chart in charts] == ["Processors in use", "Memory, GB"]
    assert charts[0].description == "Processors in use: at most 1.5."
    assert [tick.label for tick in charts[0].x_ticks][-1] == "10"


@pytest.mark.parametrize(
    "content", ["", "\udcff", "a,b\n1,2\n", HEADER + "never,run,1,1,1\n", HEADER + "2026-11-23T14:22:33+00:00,r,x,1,\n"]
)
def test_another_table_draws_nothing(content: str) -> None:
    assert usage_charts(content.encode(errors="surrogateescape")) == []
