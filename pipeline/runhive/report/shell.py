"""The site's shell: MkDocs renders the Markdown pages, Runhive fills the places they keep for runs."""

import logging
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

from runhive.errors import RunhiveError

LOG = logging.getLogger(__name__)
TITLE = "RUNHIVE-RUN"  # stands for the run's id in docs/runs/run.md


@dataclass(frozen=True)
class Shell:
    """A rendered page, cut at its empty place."""

    before: str
    after: str

    def fill(self, body: Markup, title: str = TITLE) -> bytes:
        """The whole page; *title* goes wherever the shell names the run."""
        name = escape(title)
        return f"{self.before.replace(TITLE, name)}{body}{self.after.replace(TITLE, name)}".encode()


def render_shell(source: Path, target: Path, timestamp: int) -> None:
    """Build the Markdown pages of *source* into *target*, dated *timestamp* so that equal input gives equal bytes.

    Raises RunhiveError with MkDocs' own words when it fails.
    """
    if not (source / "mkdocs.yml").exists():
        raise RunhiveError(f"{source / 'mkdocs.yml'} is missing: the report needs it and the pages in docs/")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": str(timestamp)}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", str(source / "mkdocs.yml")]
    done = subprocess.run([*command, "--site-dir", str(target)], env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RunhiveError(f"mkdocs cannot build the pages of {source}: {said[-1] if said else 'it gave no reason'}")
    for warning in done.stderr.splitlines():
        LOG.warning("mkdocs: %s", warning)


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
