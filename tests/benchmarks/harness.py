"""Processes run in turn, what each cost, and ratios of what ran side by side.

The machine may be busy: processor time of one thread is the figure, wall time stands beside it, and only costs that
were met in the same round are divided by one another.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TypeVar

TICKS = os.sysconf("SC_CLK_TCK")
SOURCE = Path(__file__).parents[2] / "pipeline"
HERE = Path(__file__).parent
T = TypeVar("T")


@dataclass(frozen=True)
class Mark:
    """A line of a process, and the seconds that it had cost by then; `cpu` has those of its ended children."""

    line: str
    cpu: float
    wall: float


@dataclass(frozen=True)
class Cost:
    """A whole process: seconds, peak resident bytes of it or its largest child, and what it printed."""

    cpu: float
    wall: float
    peak: int
    marks: list[Mark]

    def between(self, first: str, last: str) -> Mark:
        """The cost from the line that begins with *first* to the one that begins with *last*."""
        began, ended = (next(mark for mark in self.marks if mark.line.startswith(text)) for text in (first, last))
        return Mark(ended.line, ended.cpu - began.cpu, ended.wall - began.wall)


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    watch: Callable[[int, str], None] = lambda pid, line: None,
) -> Cost:
    """Run *command* in *folder* to its good end. A failure ends the benchmark with what the process said.

    *watch* is called with the process and each line as it comes.
    """
    began = monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=environment_for(environment or {}), text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    marks = []
    with process.stdout as lines:
        for line in lines:
            marks.append(Mark(line.rstrip(), _cpu(process.pid), monotonic() - began))
            watch(process.pid, line)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("\n".join([*(mark.line for mark in marks), f"benchmarks: {' '.join(command)} failed"]))
    cost = Cost(usage.ru_utime + usage.ru_stime, monotonic() - began, usage.ru_maxrss * 1024, marks)
    say(f"  {cost.cpu:.2f} CPU s, {cost.wall:.1f} s, {cost.peak / 2**30:.2f} GiB: {' '.join(map(str, command))[-100:]}")
    return cost


def environment_for(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment less what could steer a run, with the code of this repository, and *changes*."""
    strange = ("DVC", "GIT", "RUNHIVE", "OMP", "MKL", "MALLOC", "KMP", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    code = {"PATH": path, "PYTHONPATH": str(SOURCE), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}
    return kept | code | {"OMP_NUM_THREADS": threads, "DVC_NO_ANALYTICS": "1"} | dict(changes)


def script(name: str, *arguments: str | Path | int) -> list[str]:
    """The command of a script beside this module."""
    return [sys.executable, str(HERE / f"{name}.py"), *map(str, arguments)]


def in_turn(variants: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run A B C A B C: what is met in one round met the same machine."""
    found: dict[str, list[T]] = {name: [] for name in variants}
    for number in range(1, rounds + 1):
        for name, variant in variants.items():
            say(f"round {number}/{rounds}: {name}  (load {os.getloadavg()[0]:.1f})")
            found[name].append(variant())
    return found


def ratios(more: Sequence[float], less: Sequence[float]) -> str:
    """Median and range of the paired ratios *more* / *less*."""
    paired = sorted(a / b for a, b in zip(more, less, strict=True))
    return f"{median(paired):.2f}" if len(paired) == 1 else f"{median(paired):.2f} ({paired[0]:.2f}–{paired[-1]:.2f})"


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _cpu(pid: int) -> float:
    """Seconds that a living process and its ended children have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS
