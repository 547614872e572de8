"""What a process and its children take from the machine while a run lives, sampled into a table, and in all."""

import csv
import io
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pynvml

from runhive.tracking.ledger.run import utc_now
from runhive.tracking.life.machine import visible_gpus

BEAT_SECONDS = 5.0
FIRST_SECONDS = 0.5  # to the first sample, so that a short run has one
DENSE = 720  # samples, an hour of them; then the time between two doubles, and again
COLUMNS = (
    "time", "phase", "cpu_percent", "memory_bytes", "machine_memory_percent", "disk_read_bytes", "disk_write_bytes",
    "disk_free_bytes", "gpu_percent", "gpu_memory_bytes",
)  # fmt: skip


class Meter:
    """Measures this process and its children. 100 % of `cpu_percent` is one core busy; disk bytes count from its start.

    GPU columns are of the GPUs that the process may use: mean use, memory in sum; None where there is none.
    With *of_children* this process itself, which only waits for them, is left out.
    """

    def __init__(self, of_children: bool = False) -> None:
        self._process, self._of_children = psutil.Process(), of_children
        self._gpus = visible_gpus()
        self._busy_gpus: set[int] = set()
        self._began = self._last = time.monotonic()
        self._cpu_then = self._tree_cpu(self._tree())
        self._io_then = (0, 0) if of_children else _disk_bytes(self._process)
        self._own_cpu_then = sum(os.times()[:4])
        self.peak_memory = self.peak_gpu_memory = 0

    def sample(self) -> dict[str, Any]:
        """Return one row of COLUMNS but for the phase."""
        tree = self._tree()
        cpu, now = self._tree_cpu(tree), time.monotonic()
        percent = 100 * max(0.0, cpu - self._cpu_then) / max(now - self._last, 1e-3)
        self._cpu_then, self._last = cpu, now
        memory = sum(map(_memory, tree))
        disk = [_disk_bytes(one) for one in tree]
        gpu_percent, gpu_memory = self._sample_gpus()
        self.peak_memory = max(self.peak_memory, int(memory))
        self.peak_gpu_memory = max(self.peak_gpu_memory, gpu_memory or 0)
        return {
            "time": utc_now(),
            "cpu_percent": round(percent, 1),
            "memory_bytes": int(memory),
            "machine_memory_percent": psutil.virtual_memory().percent,
            "disk_read_bytes": max(0, sum(read for read, _ in disk) - self._io_then[0]),
            "disk_write_bytes": max(0, sum(written for _, written in disk) - self._io_then[1]),
            "disk_free_bytes": psutil.disk_usage(os.curdir).free,
            "gpu_percent": gpu_percent,
            "gpu_memory_bytes": gpu_memory,
        }

    def used(self, phase: str, attempt: int) -> dict[str, Any]:
        """Return the data of the event `used`. A GPU counts from the start when it was ever seen busy."""
        cpu = max(sum(os.times()[:4]) - self._own_cpu_then, 0.0)
        unit = 1 if sys.platform == "darwin" else 1024
        highest = 0 if self._of_children else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        return {
            "phase": phase,
            "attempt": attempt,
            "cpu_seconds": round(cpu, 3),
            "gpu_hours": len(self._busy_gpus) * (time.monotonic() - self._began) / 3600,
            "peak_memory_bytes": max(self.peak_memory, highest),
            "peak_gpu_memory_bytes": self.peak_gpu_memory,
        }

    def _sample_gpus(self) -> tuple[float | None, int | None]:
        use, memory = [], []
        for index, handle in enumerate(self._gpus):
            with suppress(pynvml.NVMLError):  # some kinds and slices of GPUs tell only a part
                use.append(float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu))
                if use[-1] > 0:
                    self._busy_gpus.add(index)
            with suppress(pynvml.NVMLError):
                memory.append(int(pynvml.nvmlDeviceGetMemoryInfo(handle).used))
        return (sum(use) / len(use) if use else None), (sum(memory) if memory else None)

    def _tree(self) -> list[psutil.Process]:
        own = [] if self._of_children else [self._process]
        with suppress(psutil.Error):
            return own + self._process.children(recursive=True)
        return own

    @staticmethod
    def _tree_cpu(tree: list[psutil.Process]) -> float:
        return sum(map(_cpu_seconds, tree))


def _memory(process: psutil.Process) -> int:
    with suppress(psutil.Error):  # it ended in between
        return process.memory_info().rss
    return 0


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def _disk_bytes(process: psutil.Process) -> tuple[int, int]:
    """Bytes read and written; zero where the system does not tell."""
    try:
        counters = process.io_counters()
    except (AttributeError, NotImplementedError, OSError, psutil.Error):  # psutil, by system and by right
        return 0, 0
    return counters.read_bytes, counters.write_bytes


@contextmanager
def sampled(meter: Meter, table: Path, phase: str, beat: Callable[[], None]) -> Iterator[None]:
    """Sample into *table* and call *beat* every few seconds during the block, from a thread of its own."""
    over = threading.Event()

    def watch() -> None:
        taken, due = 0, time.monotonic() + FIRST_SECONDS
        while not over.wait(max(0.0, min(BEAT_SECONDS, due - time.monotonic()))):
            beat()
            if time.monotonic() >= due:
                take_sample(meter, table, phase)
                taken += 1
                due = time.monotonic() + BEAT_SECONDS * 2 ** (taken // DENSE)

    thread = threading.Thread(target=watch, name="runhive-usage", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        take_sample(meter, table, phase)


def take_sample(meter: Meter, table: Path, phase: str) -> None:
    """Append one row to *table*; a disk that is full, or gone, costs the row and not the run."""
    with suppress(OSError):
        write_row(table, {"phase": phase, **meter.sample()})


def write_row(table: Path, row: dict[str, Any]) -> None:
    """Append *row* to the CSV file *table*, in one write so that a kill leaves whole rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if not table.exists():
        writer.writeheader()
    writer.writerow(row)
    with table.open("ab", buffering=0) as file:
        file.write(text.getvalue().encode())
