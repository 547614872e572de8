"""The tables of docs/explanation/performance.md: each benchmark writes its own, between two markers."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

from harness import say

from runhive.files import write_atomic

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/performance.md"
PACKAGES = ("torch", "torchvision", "pillow", "timm", "lightning", "dvc")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; columns after the first are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def publish(name: str, text: str) -> None:
    """Print *text* and put it between the markers of *name*, with the machine that it was measured on."""
    content = f"{text}\n\n{machine()}"
    print(content)
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    page, found = re.subn(
        f"{begin}.*?{end}", lambda _: f"{begin}\n\n{content}\n\n{end}", PAGE.read_text(), flags=re.DOTALL
    )
    assert found == 1, f"{PAGE} has no place for {name}"
    write_atomic(PAGE, page.encode())
    say(f"{PAGE.relative_to(ROOT)} has the figures of {name}")


def machine() -> str:
    """Date, measured commit, processor, threads, load and versions in a line."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    return (
        f"*{datetime.now(UTC):%Y-%m-%d}, pipeline of commit {pipeline_commit()}, {processor()}, "
        f"{os.cpu_count()} cores, compute threads: {threads}, load: {os.getloadavg()[2]:.1f}. "
        f"Python {platform.python_version()}, {versions}.*"
    )


@cache
def pipeline_commit() -> str:
    """The commit that last changed the pipeline when this was first asked, which is before anything ran."""
    commit = _git("log", "-1", "--format=%h", "--", "pipeline")
    return f"{commit} with changes" if _git("status", "--porcelain", "--", "pipeline") else commit


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def processor() -> str:
    """The processor's name, family and model, as Linux tells them."""
    lines = (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    told = {name.strip(): value.strip() for name, _, value in lines}
    return f"{told['model name']} (family {told['cpu family']}, model {told['model']})"
