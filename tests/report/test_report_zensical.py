"""Zensical, the theme's maintained successor, builds the same shell: what Runhive fills in finds its places."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from runhive.report import site
from runhive.report.search import INDEX
from runhive.report.shell import RUN_SHELL, finish_shell, read_shell
from runhive.tracking.ledger.ledger import Ledger

ZENSICAL = [sys.executable, "-m", "zensical", "build", "--config-file", "mkdocs.yml"]

PLACES = {"index.html": "runhive-home", "runs/index.html": "runhive-runs", RUN_SHELL: "runhive-run"}


def test_zensical_renders_the_shell_with_the_places_of_the_runs(source: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(source, tmp_path / "source", ignore=shutil.ignore_patterns(".runhive")))
    done = subprocess.run(ZENSICAL, cwd=place, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    finish_shell(place / "site")
    for page, marker in {**PLACES, "data/index.html": "runhive-data"}.items():
        shell = read_shell(place / "site" / page, marker)

        assert "Content-Security-Policy" in shell.before and "</html>" in shell.after
    assert not (place / "site" / INDEX).exists()  # its search has an index of its own, of which Runhive knows nothing


def test_the_site_on_a_shell_of_zensical_opens_with_its_runs(
    source: Path, ledger: Ledger, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rendered(source: Path, target: Path) -> None:
        subprocess.run(ZENSICAL, cwd=source, check=True, capture_output=True, timeout=120)
        shutil.copytree(source / "site", target, dirs_exist_ok=True)
        finish_shell(target)

    place = Path(shutil.copytree(source, tmp_path / "source", ignore=shutil.ignore_patterns("site")))
    monkeypatch.setattr(site, "render_shell", rendered)
    site.build(ledger, place, tmp_path / "built")
    runs = ledger.runs()
    page = browser.new_page()
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto((tmp_path / "built/runs/index.html").as_uri())
    expect(page.get_by_role("link", name=runs[-1].run_id)).to_be_visible()
    page.get_by_role("link", name=runs[-1].run_id).click()

    expect(page.locator("h1")).to_contain_text(runs[-1].run_id)
    assert len(list((tmp_path / "built/runs").glob("2026*.html"))) == len(runs)
    assert told == []
    page.close()
