"""The site as files: what is on it, where its links lead, and what a kill leaves behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pygit2
import pytest
import sample_ledger
from html_reader import read, rows

from runhive.errors import RunhiveError
from runhive.report import table_site
from runhive.report.site import build
from runhive.report.stamp import Stamp
from runhive.report.swap import swap, sweep
from runhive.stages.report import report
from runhive.tracking.ledger.ledger import Ledger, open_ledger

BUILD = """
from pathlib import Path
from runhive.report.site import build
from runhive.tracking.ledger.ledger import open_ledger
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def start_build(ledger: Ledger, source: Path, site: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    call = f"build(open_ledger(Path({ledger.repository.workdir!r})), Path({str(source)!r}), Path({str(site)!r}))"
    return subprocess.Popen([sys.executable, "-c", BUILD + call], env=environment)


def test_every_run_has_a_page_and_nothing_is_left_of_the_shell(site: Path, ledger: Ledger) -> None:
    names = {path.name for path in (site / "runs").iterdir()}

    assert names == {f"{run.run_id}.html" for run in ledger.runs()} | {"index.html"}
    assert not [path for path in pages(site) if "RUNHIVE-RUN" in path.read_text() or "runhive-run" in path.read_text()]


def test_each_page_has_one_h1_and_a_run_s_page_is_named_after_it(site: Path, ledger: Ledger) -> None:
    assert [len(read(path).all("h1")) for path in pages(site)] == [1] * len(pages(site))
    for run in ledger.runs():
        html = (site / "runs" / f"{run.run_id}.html").read_text()

        assert re.search(r"<title>(.*?)</title>", html, re.S)[1] == f"{run.run_id} - Runhive"  # type: ignore[index]
        assert re.search(r"<h1.*?>(.*?)<a", html, re.S)[1] == run.run_id  # type: ignore[index]


@pytest.mark.parametrize("which", ["site", "hostile_site", "empty_site"])
def test_every_link_and_picture_of_the_site_leads_to_a_file_and_every_anchor_to_an_id(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(which)
    read_pages = {path.resolve(): read(path) for path in pages(folder)}
    broken = []
    for path, page in read_pages.items():
        assert len(page.ids()) == len(set(page.ids())), path
        for address in page.addresses():
            if address.startswith("https://squidfunk.github.io/"):  # the theme's credit
                continue
            name, _, anchor = address.partition("#")
            target = (path.parent / name).resolve() if name else path
            target = target / "index.html" if target.is_dir() else target
            known = read_pages[target].ids() if target in read_pages else []
            is_state = "=" in anchor  # of a page that a script draws
            if not target.is_file() or (anchor and not is_state and anchor not in [*known, "__skip"]):
                broken.append((path.name, address))

    assert broken == []


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    for path in pages(site):
        for tag, attributes in read(path).tags:
            loaded = attributes.get("src") or (attributes.get("href", "") if tag == "link" else "")

            assert "//" not in loaded, path
    for sheet in (site / "assets").rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", sheet.read_text()), sheet


def test_no_page_shows_what_is_no_value(site: Path) -> None:
    for path in pages(site):
        assert not re.search(r"\b(nan|inf|None|Undefined|Markup)\b", read(path).text), path


def test_two_builds_of_one_ledger_give_the_same_bytes(site: Path, ledger: Ledger, source: Path, tmp_path: Path) -> None:
    build(ledger, source, tmp_path / "again")

    assert contents(tmp_path / "again") == contents(site)


def test_the_stamp_and_home_name_the_ledger_s_tip_and_the_version(site: Path, ledger: Ledger) -> None:
    stamp = Stamp.read(site / "stamp.json")
    made_from = re.sub(r"<[^>]+>", "", (site / "index.html").read_text())

    assert (stamp.ledger, stamp.runs, stamp.runhive) == (ledger.tip(), 12, version("runhive"))
    assert f"Made by Runhive {stamp.runhive} from the ledger at commit {str(stamp.ledger)[:12]}, 12 runs." in made_from


def test_an_empty_ledger_says_what_to_type(empty_site: Path) -> None:
    for page in ("index.html", "runs/index.html", "compare/index.html", "trends/index.html", "data/index.html"):
        assert "No runs yet" in read(empty_site / page).text
        assert "<code>dvc repro</code>" in (empty_site / page).read_text()


def test_many_runs_are_split_over_pages_that_name_each_other(
    ledger: Ledger, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_site, "RUNS_A_PAGE", 5)
    build(ledger, source, tmp_path / "site")
    tables = [tmp_path / "site/runs" / name for name in ("index.html", "page-2.html", "page-3.html")]

    assert [len(rows(path.read_text())) - 1 for path in tables] == [5, 5, 2]
    assert {"index.html", "page-3.html"} <= set(read(tables[1]).addresses())


def test_a_killed_build_leaves_the_old_site_and_the_next_one_cleans_up(
    site: Path, ledger: Ledger, source: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    shutil.copytree(site, tmp_path / "site")
    before = contents(tmp_path / "site")
    child = start_build(ledger, source, tmp_path / "site", child_environment)
    while child.poll() is None and len(list(tmp_path.glob(".site.building-*/runs/*.html"))) < 4:
        time.sleep(0.001)
    os.kill(child.pid, signal.SIGKILL)

    assert child.wait() == -signal.SIGKILL
    assert list(tmp_path.glob(".site.building-*"))
    assert contents(tmp_path / "site") == before
    build(ledger, source, tmp_path / "site")
    assert contents(tmp_path / "site") == before
    assert {path.name for path in tmp_path.iterdir()} == {"site", ".site.lock"}


def test_of_two_builds_at_once_the_second_waits(
    empty_site: Path, empty_ledger: Ledger, source: Path, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(2) as pool:
        stamps = list(pool.map(lambda _: build(empty_ledger, source, tmp_path / "site"), range(2)))

    assert [stamp.runs for stamp in stamps] == [0, 0]
    assert contents(tmp_path / "site") == contents(empty_site)


def test_a_site_that_was_only_moved_away_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".site.old-1").mkdir()
    (tmp_path / ".site.old-1/index.html").write_text("kept")
    (tmp_path / ".site.building-1").mkdir()
    sweep(tmp_path / "site")

    assert contents(tmp_path) == {"site/index.html": b"kept"}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_swap_leaves_only_the_new_folder(platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("new", "site"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page").write_text(name)
    swap(tmp_path / "new", tmp_path / "site")

    assert contents(tmp_path) == {"site/page": b"new"}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("mkdocs.yml", None, "mkdocs.yml is missing"),
        ("mkdocs.yml", "site_name: [", "mkdocs cannot build the pages"),
        ("docs/runs/run.md", None, "docs/ gives no run.html"),
        ("docs/index.md", "# Ours", 'lacks <div id="runhive-home"></div>'),
    ],
)
def test_a_broken_shell_is_refused_in_one_line_and_the_old_site_stays(
    file: str, text: str | None, said: str, empty_ledger: Ledger, source: Path, tmp_path: Path
) -> None:
    shutil.copytree(source, tmp_path / "source")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("old")
    if text is None:
        (tmp_path / "source" / file).unlink()
    else:
        (tmp_path / "source" / file).write_text(text)

    with pytest.raises(RunhiveError, match=re.escape(said)) as raised:
        build(empty_ledger, tmp_path / "source", tmp_path / "site")
    assert "\n" not in str(raised.value)
    assert contents(tmp_path / "site") == {"index.html": b"old"}
    assert not list(tmp_path.glob(".site.building-*"))


def test_in_a_temporary_workspace_the_real_site_is_built_and_the_stamp_stays_with_the_workspace(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, workspace = tmp_path / "root", tmp_path / "workspace"
    shutil.copytree(source, root)
    for folder in (root, workspace):
        pygit2.init_repository(str(folder))
    sample_ledger.record(open_ledger(root), sample_ledger.plans()[0], None)
    monkeypatch.setenv("DVC_ROOT", str(root))
    monkeypatch.chdir(workspace)
    report()

    assert contents(workspace / "site") == {"stamp.json": (root / "site/stamp.json").read_bytes()}
    assert len(list((root / "site/runs").glob("2026*.html"))) == 1
    assert capsys.readouterr().out == f"1 run: open {root}/site/index.html\n"
