"""The summary of a job on GitHub, and addresses that a workflow gives."""

import os
import re
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.mistakes import one_line

SUMMARY = "GITHUB_STEP_SUMMARY"
MOST_BYTES = 1_000_000  # GitHub takes 1 MiB of a step
ADDRESS = re.compile(r"https://[A-Za-z0-9.:-]+(/[A-Za-z0-9._~/%#-]*)?")


def write_summary(text: str) -> None:
    """Add *text* to the job's summary, where a job runs."""
    if path := os.environ.get(SUMMARY):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text.encode()[:MOST_BYTES].decode(errors="ignore"))


def address(text: str | None, option: str) -> str | None:
    """Check an address; that of a site ends with a slash. An empty one is none."""
    if not text:
        return None
    if not ADDRESS.fullmatch(text):
        raise RunhiveError(
            f"{option}: {one_line(text)[:100]!r} is no https address: write one such as https://a.example/"
        )
    return text if option != "--site" or text.endswith("/") else f"{text}/"
