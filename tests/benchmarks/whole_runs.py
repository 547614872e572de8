"""10,000 runs like a real one, a `dvc repro` of 25 epochs: what reading them takes, and their room after gc.

`python tests/benchmarks/whole_runs.py --runs 10000` prints two Markdown tables. The real run is in whole_run/: digits,
with all that it left in the ledger but its predictions, which grow with the images, and the list of its images, which
many runs share. For each run, what differs from run to run is drawn anew: digests of what it made, times and numbers.
"""

import argparse
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from room import room
from ruamel.yaml import YAML

from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.pack import pack
from runhive.tracking.ledger.run import Event

MEMORY = Path("/dev/shm")
REAL = Path(__file__).parent / "whole_run"
SHARED = {"data/manifest.csv"}  # what the run filed and did not make
RATES = (0.1, 0.01, 0.001)
READ = "import runhive; print(len(runhive.history()))"
TIME = re.compile(r"20\d\d-\d\d-\d\dT[0-9:.]+\+00:00")
HEX = re.compile(r"\b[0-9a-f]{32,64}\b")
DECIMAL = re.compile(r"(?<![\d.])\d+\.\d*[1-9]\d+(?![\d.])")  # 0.002 is a setting, 0.0254 was measured
AMOUNT = re.compile(r"(?<![\d:+.-])\d+?(?=0*(?:,|$| images/s| s left))", re.MULTILINE)
MEASURED = {"history.csv": (DECIMAL,), "log.txt": (DECIMAL, AMOUNT), "system.csv": (AMOUNT,)}


class RealRun:
    """What whole_run/ holds."""

    def __init__(self) -> None:
        self.events = [json.loads(line) for line in (REAL / "events.jsonl").read_text().splitlines()]
        names = ("data_report.json", "dvc.lock", "history.csv", "log.txt", "packages.txt", "params.yaml", "system.csv")
        self.files = {name: (REAL / name).read_text() for name in names}
        self.run_id = next(iter(re.findall(r"^run (.*)$", self.files["log.txt"], re.MULTILINE)))
        self.began = datetime.fromisoformat(self.events[0]["time"])
        self.own = set(self._own())
        lock, text = YAML(typ="safe").load(self.files["dvc.lock"]), io.StringIO()
        YAML().dump({**lock, "stages": {"fetch": lock["stages"]["fetch"]}}, text)
        self.lock_of_data = text.getvalue()

    def _own(self) -> Iterator[str]:
        """The digests that no other run has."""
        for event in self.events:
            data = event["data"]
            for path, file in data.get("files", {}).items():
                yield from () if path in SHARED else (file["md5"], file.get("sha256", ""))
            yield from (data[name] for name in ("input_digest", "outcome_digest", "record_md5") if name in data)
            yield from (data.get("code", {}).get(name, "") for name in ("commit", "tree"))
            yield data.get("evaluation", {}).get("weights_sha256", "")
        lock = self.files["dvc.lock"]
        yield from re.findall(r"path: (?:models|results)/.*\n +hash: md5\n +md5: ([0-9a-f]{32})", lock)


class WholeRun:
    """The two appends of one run: when it starts, and when it is recorded."""

    def __init__(self, real: RealRun, number: int) -> None:
        self.real, self.chance = real, random.Random(number)
        self.late = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * number) - real.began
        self.run_id = f"{real.began + self.late:%Y%m%d-%H%M%S}-{number:06x}"
        self.drawn: dict[str, str] = {}
        self.rate = self.chance.choice(RATES)

    def opening(self) -> tuple[list[Event], dict[str, bytes]]:
        started = Event(**json.loads(self._anew(json.dumps(self.real.events[0]))))
        started.data["params"]["train"] |= {"lr": self.rate, "seed": self.chance.randrange(100)}
        packages, lock = self.real.files["packages.txt"].encode(), self.real.lock_of_data.encode()
        return [started], {"packages.txt": packages, "params.yaml": self._file("params.yaml"), "dvc.lock": lock}

    def ending(self) -> tuple[list[Event], dict[str, bytes]]:
        files = {name: self._file(name) for name in self.real.files if name != "packages.txt"}
        return [Event(**json.loads(self._anew(json.dumps(told), DECIMAL))) for told in self.real.events[1:]], files

    def _file(self, name: str) -> bytes:
        text = self._anew(self.real.files[name], *MEASURED.get(name, ()))
        return text.replace("  lr: 0.002\n", f"  lr: {self.rate}\n").encode()

    def _anew(self, text: str, *measured: re.Pattern[str]) -> str:
        text = TIME.sub(self._time, HEX.sub(self._digest, text.replace(self.real.run_id, self.run_id)))
        for pattern in measured:
            text = pattern.sub(self._number, text)
        return text

    def _digest(self, found: re.Match[str]) -> str:
        digits = len(found[0])
        own = found[0] in self.real.own
        return self.drawn.setdefault(found[0], f"{self.chance.getrandbits(4 * digits):0{digits}x}") if own else found[0]

    def _time(self, found: re.Match[str]) -> str:
        unit = "milliseconds" if "." in found[0] else "seconds"
        later = datetime.fromisoformat(found[0]) + self.late
        if unit == "milliseconds":
            later += timedelta(milliseconds=self.chance.randrange(1000))
        return self.drawn.setdefault(found[0], later.isoformat(timespec=unit))

    def _number(self, found: re.Match[str]) -> str:
        """The digits after the first anew, the same for the same number of the run; zeros after the point stay."""
        number = found[0]
        kept = re.match(r"0\.0*|\d+\.|\d", number)
        assert kept
        digits = number[len(kept[0]) :]
        fresh = "".join(self.chance.choice("123456789") for _ in digits)
        return self.drawn.setdefault(number, kept[0] + fresh)


def grow(folder: Path, runs: int) -> Ledger:
    """A repository with *runs* runs, written in memory, packed and brought to *folder*."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as memory:
        grown = Path(memory) / "grown"
        subprocess.run(["git", "init", "--quiet", grown], check=True)
        ledger, real = open_ledger(grown), RealRun()
        for number in range(runs):
            run = WholeRun(real, number)
            ledger.append(run.run_id, *run.opening())
            ledger.append(run.run_id, *run.ending())
            if number % 1000 == 999:
                print(f"{number + 1} runs", file=sys.stderr, flush=True)
        pack(ledger.repository)
        shutil.copytree(grown, folder)
    return open_ledger(folder)


def cost(act: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> tuple[str, str]:
    """The median seconds of the clock, and of the processor, that *act* and the processes that it starts take."""
    wall, cpu = [], []
    for _ in range(rounds):
        before()
        began, times = time.perf_counter(), sum(os.times()[:4])
        act()
        wall.append(time.perf_counter() - began)
        cpu.append(sum(os.times()[:4]) - times)
    return f"{median(wall):.2f} s", f"{median(cpu):.2f} s"


def report(folder: Path, runs: int, rounds: int) -> str:
    """The tables for *runs* runs."""
    ledger = grow(folder, runs)
    index = folder / ".git" / "runhive" / "index"

    def forget() -> None:
        shutil.rmtree(index, ignore_errors=True)

    def command(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    listed = command("-m", "runhive", "runs", "list")
    ledger.table()  # so that no first reading pays for the import of pandas
    rows = {
        "to a DataFrame, without the index": cost(ledger.table, rounds, forget),
        "to a DataFrame, with the index": cost(ledger.table, rounds),
        "`runhive runs list`, start of the process included": cost(listed, rounds),
        "the same without the index": cost(listed, rounds, forget),
        "`runhive.history()` in a new process": cost(command("-c", READ), rounds),
    }
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    lines = [f"| {runs:,} whole runs | clock | processor |", "|---|---|---|"]
    lines += [f"| {what} | {wall} | {cpu} |" for what, (wall, cpu) in rows.items()]
    return "\n".join([*lines, "", *room(ledger.repository, runs)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.disk) as folder:
        print(report(Path(folder) / "whole", options.runs, options.rounds))


if __name__ == "__main__":
    main()
