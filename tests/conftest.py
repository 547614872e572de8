"""What holds for all tests, and what several suites start from."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

import runhive

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

# A job in a shell's background ignores SIGINT, and so would the processes that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("busy machine", deadline=None)  # a slow example is no failure
settings.load_profile("busy machine")


@pytest.fixture
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the caller's Git and DVC settings out, and let child processes find the code under test."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "DVC_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(runhive.__file__).resolve().parent.parent))


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """faults.c as a library, for LD_PRELOAD."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("NO FAULT SWEEP: it needs Linux and a C compiler")
    made = tmp_path_factory.mktemp("shim") / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
    return made


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; its tests are skipped where it is not installed, but never in CI."""
    if not CHROMIUM.exists():
        message = f"{CHROMIUM} is not installed: `apt-get install chromium` runs the tests in a browser"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", *QUIET]
        )
        yield launched
        launched.close()
