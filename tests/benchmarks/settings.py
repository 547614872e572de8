"""Two settings whose worth nobody sees from the code: waiting threads sleep, and bytecode is compiled at install."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from harness import Cost, Mark, in_turn, ratios, run, script
from page import publish, table

IMPORT = [sys.executable, "-c", "import torch, torchvision; print('ends')"]

SPIN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"  # no longer than the benchmark lives


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """The first with one more busy process than there are cores; the second with bytecode and without."""
    with busy_cores():
        spun = in_turn(
            {"default": forward(scratch, {}), "passive": forward(scratch, {"OMP_WAIT_POLICY": "passive"})}, rounds
        )
    kept = {"PYTHONPYCACHEPREFIX": str(scratch / "bytecode")}
    none = {"PYTHONPYCACHEPREFIX": str(scratch / "none"), "PYTHONDONTWRITEBYTECODE": "1"}
    run(IMPORT, scratch, kept)
    imports = in_turn({"none": lambda: run(IMPORT, scratch, none), "kept": lambda: run(IMPORT, scratch, kept)}, rounds)
    rows = [
        *rows_of({"forward pass of 355 images, every core busy: threads spin (default)": steps(spun["default"]),
                  "the same: `OMP_WAIT_POLICY=passive`": steps(spun["passive"])}),
        *rows_of({"`import torch, torchvision`, no bytecode": whole(imports["none"]),
                  "the same, compiled bytecode": whole(imports["kept"])}),
    ]  # fmt: skip
    publish("settings", table(("", "CPU s", "wall s", "CPU ratio", "wall ratio"), rows))


def forward(scratch: Path, environment: dict[str, str]) -> Callable[[], Cost]:
    return lambda: run(script("forward"), scratch, {"OMP_NUM_THREADS": str(os.cpu_count()), **environment})


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy with another process."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def steps(costs: list[Cost]) -> list[Mark]:
    return [one.between("begins", "ends") for one in costs]


def whole(costs: list[Cost]) -> list[Mark]:
    return [Mark("", one.cpu, one.wall) for one in costs]


def rows_of(two: dict[str, list[Mark]]) -> list[list[str]]:
    """A row each; the second has the paired ratios of the first to it."""
    before, after = two.values()
    rows = [[name, f"{median(one.cpu for one in costs):.2f}", f"{median(one.wall for one in costs):.2f}", "", ""]
            for name, costs in two.items()]  # fmt: skip
    rows[1][3:] = [
        ratios([one.cpu for one in before], [one.cpu for one in after]),
        ratios([one.wall for one in before], [one.wall for one in after]),
    ]
    return rows
