"""The site's shell: MkDocs renders the Markdown pages, Runhive fills the places they keep for runs."""

import hashlib
import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from runhive.errors import RunhiveError
from runhive.report.policy import with_policy, with_wasm

LOG = logging.getLogger(__name__)
TITLE = "RUNHIVE-RUN"  # stands for the run's id in docs/runs/run.md
RUN_SHELL = "runs/run.html"
# 404.html links from the root of the host: dead from file:// and in project pages. The sitemap knows no address.
UNUSED = ("404.html", "sitemap.xml", "sitemap.xml.gz")
SEARCH_WHEN_ASKED = "assets/search-when-asked.js"
THEME_SCRIPT = re.compile(r'<script src="[^"]*assets/javascripts/bundle\..*', re.DOTALL)
BLANKS = re.compile(r"(<(pre|textarea|script)\b.*?</\2>)|\s*\n\s*", re.DOTALL)


@dataclass(frozen=True)
class Shell:
    """A rendered page, cut at its empty place."""

    before: str
    after: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.before}\0{self.after}".encode()).hexdigest()

    def fill(self, body: Markup, title: str = TITLE, wasm: bool = False) -> bytes:
        """The whole page; *title* goes wherever the shell names the run. With *wasm* it may compile WebAssembly."""
        name = escape(title)
        before = with_wasm(self.before) if wasm else self.before
        return f"{before.replace(TITLE, name)}{body}{self.after.replace(TITLE, name)}".encode()


def render_shell(source: Path, target: Path) -> None:
    """Build the Markdown pages of *source* into *target*; equal input gives equal bytes.

    Raises RunhiveError with MkDocs' own words when it fails.
    """
    if not (source / "mkdocs.yml").exists():
        raise RunhiveError(f"{source / 'mkdocs.yml'} is missing: the report needs it and the pages in docs/")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "0"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", str(source / "mkdocs.yml")]
    done = subprocess.run([*command, "--site-dir", str(target)], env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RunhiveError(f"mkdocs cannot build the pages of {source}: {said[-1] if said else 'it gave no reason'}")
    for warning in done.stderr.splitlines():
        LOG.warning("mkdocs: %s", warning)
    finish_shell(target)


def finish_shell(target: Path) -> None:
    """Make what a builder rendered into *target* fit: a policy on every page, no blanks, no page that leads nowhere.

    The theme's own script, and what comes after it, waits for what the page shows.
    """
    for name in UNUSED:
        (target / name).unlink(missing_ok=True)
    for page in target.rglob("*.html"):
        to_root = "../" * (len(page.relative_to(target).parts) - 1)
        content = with_policy(BLANKS.sub(lambda found: found[1] or "\n", page.read_text(encoding="utf-8")))
        content = THEME_SCRIPT.sub(lambda found: found[0].replace("<script src=", "<script defer src="), content)
        script = f'<script src="{to_root}{SEARCH_WHEN_ASKED}"></script></head>'
        page.write_text(content.replace("</head>", script, 1), encoding="utf-8")


def read_shell(page: Path, place: str) -> Shell:
    """Read a rendered page and cut it at its empty `<div id="…">`."""
    marker = f'<div id="{place}"></div>'
    try:
        before, found, after = page.read_text(encoding="utf-8").partition(marker)
    except FileNotFoundError:
        raise RunhiveError(f"docs/ gives no {page.name} for {place}: restore the Markdown page") from None
    if not found:
        raise RunhiveError(f"the Markdown page of {page.name} lacks {marker}: put it where the runs go")
    return Shell(before, after)
