"""What holds for all tests, and what several suites start from."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import runhive

# A job in a shell's background ignores SIGINT, and so would the processes that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
