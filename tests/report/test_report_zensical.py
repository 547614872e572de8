"""Zensical, the theme's maintained successor, builds the same shell: what Runhive fills in finds its places."""

import shutil
import subprocess
import sys
from pathlib import Path

from runhive.report.search import INDEX
from runhive.report.shell import RUN_SHELL, finish_shell, read_shell

PLACES = {"index.html": "runhive-home", "runs/index.html": "runhive-runs", RUN_SHELL: "runhive-run"}


def test_zensical_renders_the_shell_with_the_places_of_the_runs(source: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(source, tmp_path / "source", ignore=shutil.ignore_patterns(".runhive")))
    command = [sys.executable, "-m", "zensical", "build", "--config-file", "mkdocs.yml"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    finish_shell(place / "site")
    for page, marker in {**PLACES, "data/index.html": "runhive-data"}.items():
        shell = read_shell(place / "site" / page, marker)

        assert "Content-Security-Policy" in shell.before and "</html>" in shell.after
    assert not (place / "site" / INDEX).exists()  # its search has an index of its own, of which Runhive knows nothing
