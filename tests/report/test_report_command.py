"""`runhive report` as it is typed: its options, its server, its bar."""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pygit2
import pytest
import sample_ledger

from runhive.tracking.ledger.ledger import open_ledger

Command = Callable[..., subprocess.CompletedProcess[str]]
REPORT = [sys.executable, "-m", "runhive", "report"]


@pytest.fixture(scope="module")
def repository(source: Path, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with two runs of different days, and the libraries that the sample's site was built with."""
    assert site.exists()
    root = tmp_path_factory.mktemp("command") / "root"
    shutil.copytree(source, root)
    pygit2.init_repository(str(root))
    for plan in sample_ledger.plans()[:2]:
        sample_ledger.record(open_ledger(root), plan, None)
    return root


@pytest.fixture
def report(repository: Path, child_environment: dict[str, str]) -> Command:
    def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        told = {**child_environment, **environment}
        return subprocess.run([*REPORT, *options], cwd=repository, env=told, capture_output=True, text=True)

    return run


def pages(site: Path) -> list[str]:
    return sorted(path.stem for path in (site / "runs").glob("2026*.html"))


def test_out_takes_the_site_elsewhere_and_only_the_chosen_runs_are_in_it(
    report: Command, repository: Path, tmp_path: Path
) -> None:
    first, last = sorted(run.run_id for run in open_ledger(repository).runs())
    day = f"{last[:4]}-{last[4:6]}-{last[6:8]}T{last[9:11]}:{last[11:13]}"
    since = report("--since", day, "--out", str(tmp_path / "since"))
    chosen = report("--runs", f'run_id == "{first}"', "--out", str(tmp_path / "chosen"))

    assert (since.returncode, chosen.returncode) == (0, 0), since.stderr + chosen.stderr
    assert pages(tmp_path / "since") == [last]
    assert pages(tmp_path / "chosen") == [first]
    assert since.stdout == f"1 run: open {tmp_path}/since/index.html\n"
    assert "\x1b" not in since.stderr  # no bar where there is no terminal
    assert not (repository / "site").exists()


@pytest.mark.parametrize(("option", "value"), [("--since", "yesterday"), ("--runs", "accuracy >")])
def test_a_mistake_is_one_line_and_builds_nothing(option: str, value: str, report: Command, tmp_path: Path) -> None:
    done = report(option, value, "--out", str(tmp_path / "site"))

    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "site").exists()


def test_without_npm_or_static_builds_a_static_site_and_says_what_is_lost(
    report: Command, repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    git = shutil.which("git")
    assert git
    (tmp_path / "bin/git").symlink_to(git)
    kept = repository / ".runhive/npm"
    kept.rename(tmp_path / "npm")
    try:
        refused = report("--out", str(tmp_path / "none"), PATH=str(tmp_path / "bin"))
        done = report("--or-static", "--out", str(tmp_path / "static"), PATH=str(tmp_path / "bin"))
    finally:
        (tmp_path / "npm").rename(kept)

    assert refused.returncode == 1 and "npm is not installed" in refused.stderr
    assert not (tmp_path / "none").exists()
    assert done.returncode == 0, done.stderr
    assert "npm is not installed" in done.stderr and "a static site is built instead" in done.stderr
    assert len(pages(tmp_path / "static")) == 2
    assert not (tmp_path / "static/assets/vendor").exists()


def test_on_a_terminal_a_bar_counts_the_pages(
    repository: Path, child_environment: dict[str, str], tmp_path: Path
) -> None:
    shutil.rmtree(repository / ".runhive/site")  # what is kept is not counted
    ours, theirs = pty.openpty()
    command = [*REPORT, "--static", "--out", str(tmp_path / "site")]
    with subprocess.Popen(command, cwd=repository, env=child_environment, stdout=subprocess.PIPE, stderr=theirs) as job:
        os.close(theirs)
        seen = b"".join(iter(lambda: read(ours), b""))
    os.close(ours)

    assert job.returncode == 0
    assert b"2/2" in seen


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that the other end is closed
        return b""


@pytest.fixture
def server(repository: Path, child_environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [*REPORT, "--static", "--serve", "--port", "0", "--out", str(tmp_path / "site")]
    with subprocess.Popen(command, cwd=repository, env=child_environment, stdout=subprocess.PIPE, text=True) as job:
        yield job
        job.kill()


def test_a_served_site_is_built_again_when_a_run_comes_and_ends_by_ctrl_c(
    server: subprocess.Popen[str], repository: Path
) -> None:
    assert server.stdout
    assert next(server.stdout) == "built 2 runs\n"
    found = re.fullmatch(r"serving (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)\n", next(server.stdout))
    assert found
    sample_ledger.record(open_ledger(repository), sample_ledger.plans()[2], None)

    assert next(server.stdout) == "built 3 runs\n"
    last = max(run.run_id for run in open_ledger(repository).runs())
    with urllib.request.urlopen(f"{found[1]}runs/{last}.html") as answer:
        assert last in answer.read().decode()
        assert answer.headers["Cache-Control"] == "no-store"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(found[1], headers={"Host": "evil.example"}))
    server.send_signal(signal.SIGINT)
    assert server.wait(60) == 0
