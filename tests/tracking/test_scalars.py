"""What a run's own code logs: a line is kept once the call returned, and one that is torn costs no other."""

import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.life.scalars import ScalarLog, read_scalars


def steps(path: Path) -> list[int]:
    return [line["step"] for line in read_scalars(path)]


def test_a_line_is_kept_when_the_call_returns_whatever_kills_the_process(tmp_path: Path) -> None:
    script = f"""
import os, pathlib
from runhive.tracking.life.scalars import ScalarLog
log = ScalarLog(pathlib.Path({str(tmp_path / "scalars.jsonl")!r}))
for step in range(100):
    log.write({{"loss": 0.5}}, step, 0.1)
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == -9

    assert steps(tmp_path / "scalars.jsonl") == [*range(100)]


@pytest.mark.parametrize("cut", range(1, 50, 7))
def test_a_torn_line_costs_itself_and_not_the_next(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "scalars.jsonl"
    for step in (1, 2):
        log = ScalarLog(path)
        log.write({"loss": 0.5}, step, 0.1)
        log.close()
    path.write_bytes(path.read_bytes()[:-cut])
    log = ScalarLog(path)
    for step in (3, 4):
        log.write({"loss": 0.5}, step, 0.1)
    log.close()

    assert steps(path) == ([1, 3, 4] if cut > 1 else [1, 2, 3, 4])


def test_threads_and_forked_processes_share_it(tmp_path: Path) -> None:
    path = tmp_path / "scalars.jsonl"
    log = ScalarLog(path)
    log.write({"loss": 0.5}, 0, 0.1)

    def many(first: int) -> None:
        for step in range(first, first + 200):
            log.write({f"name{step}": 0.5}, step, 0.1)

    forked = multiprocessing.get_context("fork")
    workers = [forked.Process(target=many, args=(1 + 200 * n,)) for n in range(2)]
    for process in workers:
        process.start()
    threads = [threading.Thread(target=many, args=(401 + 200 * n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for one in (*workers, *threads):
        one.join()
    log.close()

    assert sorted(steps(path)) == [*range(801)]


def test_a_name_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RunhiveError, match="are no names of numbers"):
        ScalarLog(tmp_path / "scalars.jsonl").write({"\ud800": 0.5}, 1, 0.1)


def test_after_what_was_there_is_taken_up_a_new_file_begins(tmp_path: Path) -> None:
    path = tmp_path / "scalars.jsonl"
    log = ScalarLog(path)
    log.write({"loss": 0.5}, 1, 0.1)
    path.unlink()
    log.write({"loss": 0.5}, 2, 0.1)
    log.close()

    assert steps(path) == [2]


def test_after_the_end_it_takes_no_more_and_holds_no_file(tmp_path: Path) -> None:
    log = ScalarLog(tmp_path / "20261123-142233-7f3a9c" / "scalars.jsonl")
    log._path.parent.mkdir()
    before = len([*Path("/proc/self/fd").iterdir()]) if Path("/proc/self/fd").exists() else 0
    log.write({"loss": 0.5}, 1, 0.1)
    log.close()

    with pytest.raises(RunhiveError, match="run 20261123-142233-7f3a9c has ended"):
        log.write({"loss": 0.5}, 2, 0.1)
    assert not before or len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT TRIED: no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    log = ScalarLog(Path("/dev/full"))

    with pytest.raises(RunhiveError, match=r"cannot be written .*: free the disk"):
        log.write({"loss": 0.5}, 1, 0.1)
    log.close()
