"""What one sees of a download."""

import contextlib
import os
import sys

import pytest

from runhive.data import progress
from runhive.data.progress import download_progress


def test_a_log_is_not_flooded(capsys: pytest.CaptureFixture[str]) -> None:
    with download_progress() as report:
        for done in range(1000):
            report(done, 1000)

    assert capsys.readouterr().err.count("\n") <= 1


def test_a_log_gets_a_line_when_the_time_has_come(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)

    with download_progress() as report:
        report(1_500_000, 3_000_000)
        report(2_000_000, None)

    assert capsys.readouterr().err == "downloaded 1.5 of 3.0 MB\ndownloaded 2.0 MB\n"


def read_all(terminal: int) -> bytes:
    """Read what was written to a terminal so far."""
    seen = b""
    os.set_blocking(terminal, False)
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(terminal, 2**16):
            seen += piece
    return seen


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with download_progress() as report:
            report(1_500_000, 3_000_000)
        terminal.flush()

        assert b"1.5/3.0 MB" in read_all(ours)
    os.close(ours)
