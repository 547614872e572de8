"""MLflow's table of as many runs in Chromium, beside the Runs page; `python tests/benchmarks/site_mlflow.py` alone.

Its server reads them from SQLite and sends the newest 100. The time is from the navigation to the first painted row,
once the server answers and has shown the page before.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from harness import run, script
from page import table
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
STARTS = 300.0  # seconds
DRAWN = """new Promise((done) => {
  const look = () => document.querySelector(".ag-row [role=gridcell]")
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now()))) : requestAnimationFrame(look);
  look();
})"""


def measure(scratch: Path, runs: int, rounds: int) -> str:
    """The figures as a Markdown table, or why there are none."""
    if find_spec("mlflow") is None:
        return "MLflow was not installed where this was measured; `make benchmark` installs it."
    run(script("peer_mlflow", scratch, runs), scratch)
    with _server(scratch) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        spent = [_drawn(browser, address) for _ in range(rounds + 1)][1:]
        browser.close()
    row = [f"MLflow's table of {runs:,} runs: its first rows", f"{median(spent):.0f}", f"{max(spent):.0f}"]
    return table(["milliseconds to the paint", "median", "worst"], [row])


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    with (folder / "server.txt").open("wb") as said, subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"], cwd=folder, stdout=said, stderr=said,
        start_new_session=True,
    ) as server:  # fmt: skip
        try:
            _wait(f"{address}/health")
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # it has started others


def _wait(address: str) -> None:
    began = time.monotonic()
    while time.monotonic() - began < STARTS:
        try:
            with urlopen(address):
                return
        except URLError:
            time.sleep(0.5)
    sys.exit(f"benchmarks: MLflow's server does not answer at {address}")


def _drawn(browser: Browser, address: str) -> float:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(STARTS * 1000)
    page.goto(f"{address}/#/experiments/1/runs")
    spent = float(page.evaluate(DRAWN))
    page.context.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="benchmark-site-mlflow-") as scratch:
        print(measure(Path(scratch), given.runs, given.rounds))


if __name__ == "__main__":
    main()
