"""Which runs are alive, with real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.life.liveness import (
    Owner,
    beat,
    close_lost,
    forget,
    is_alive,
    launcher,
    live_runs,
    this_process,
    watch,
)

RUN = "20261123-142233-7f3a9c"
STARTED = Event("started", {})
SLEEPER = """
import json, time
from dataclasses import asdict
from runhive.tracking.life.process import this_process
print(json.dumps(asdict(this_process())), flush=True)
time.sleep(600)
"""
LAUNCHED = "import json; from dataclasses import asdict; from runhive.tracking.life.process import launcher; " \
    "print(json.dumps(asdict(launcher())))"  # fmt: skip


def sleeper() -> "tuple[subprocess.Popen[str], Owner]":
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Owner(**json.loads(process.stdout.readline()))


def dead() -> Owner:
    process, owner = sleeper()
    with process:
        process.kill()
    return owner


def test_a_process_is_alive_until_it_is_killed_and_a_zombie_is_not() -> None:
    process, owner = sleeper()
    with process:
        assert is_alive(owner)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        assert not is_alive(owner)  # not yet waited for

    assert not is_alive(owner)


def test_only_the_very_same_process_counts() -> None:
    me = this_process()
    others = [
        replace(me, boot_id="another"),
        replace(me, started=1.0),
        replace(me, host="elsewhere"),
        replace(me, pid=2**30),
    ]

    assert is_alive(me)
    assert not any(is_alive(other) for other in others)


@pytest.mark.fault(
    "ledger",
    "the process of a run dies without a word (`kill -9`, out of memory, a power cut)",
    wanted="the next command here calls the run lost; `dvc repro` goes on with it",
    said="its process died without a word, last heartbeat …: kill -9, full memory or a power cut",
)
def test_a_dead_owner_loses_its_running_run_once(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [STARTED])
    watch(repository, RUN, dead())

    assert close_lost(ledger, repository) == [RUN]
    assert close_lost(ledger, repository) == []
    run = ledger.run(RUN)
    assert run.state == "lost"
    assert run.cause is not None and run.cause.startswith("its process died without a word, last heartbeat 20")
    assert run.events[-1].data["attempt"] == 1


def test_a_living_owner_keeps_its_run(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [STARTED])
    watch(repository, RUN, this_process(), phase="evaluate")

    assert close_lost(ledger, repository) == []
    assert [(live.run_id, live.owner, live.phase) for live in live_runs(repository)] == [
        (RUN, this_process(), "evaluate")
    ]
    assert ledger.run(RUN).state == "running"


def test_a_run_of_another_machine_is_not_touched(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [STARTED])
    watch(repository, RUN, replace(dead(), host="elsewhere"))

    assert close_lost(ledger, repository) == []
    assert ledger.run(RUN).state == "running"
    assert len(live_runs(repository)) == 1


def test_a_reboot_ends_every_owner(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [STARTED])
    watch(repository, RUN, replace(this_process(), boot_id="the boot before"))

    assert close_lost(ledger, repository) == [RUN]


@pytest.mark.parametrize("events", [[], [STARTED, Event("finished", {"state": "completed", "attempt": 1})]])
def test_a_run_that_ended_or_never_began_is_only_forgotten(
    ledger: Ledger, repository: Path, events: list[Event]
) -> None:
    ledger.append(RUN, events)
    tip = ledger.tip()
    watch(repository, RUN, dead())

    assert close_lost(ledger, repository) == []
    assert ledger.tip() == tip
    assert live_runs(repository) == []


def test_a_beat_renews_the_heartbeat_of_a_watched_run_only(repository: Path) -> None:
    watch(repository, RUN, this_process())
    os.utime(repository / ".runhive" / "live" / f"{RUN}.json", (0, 0))
    assert live_runs(repository)[0].heartbeat == "1970-01-01T00:00:00+00:00"

    beat(repository, RUN)
    assert live_runs(repository)[0].heartbeat > "2020"

    forget(repository, RUN)
    forget(repository, RUN)
    beat(repository, RUN)
    assert live_runs(repository) == []


def test_nothing_is_written_where_nothing_is_watched(ledger: Ledger, repository: Path) -> None:
    close_lost(ledger, repository)

    assert not (repository / ".runhive").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"owner": {"pid": 1}, "phase": "train"}'])
def test_a_damaged_file_is_left_out_by_name(ledger: Ledger, repository: Path, content: str) -> None:
    watch(repository, RUN, this_process())
    (repository / ".runhive" / "live" / f"{RUN}.json").write_text(content)

    with pytest.warns(UserWarning, match=f"{RUN}.json is damaged"):
        assert close_lost(ledger, repository) == []


def test_what_is_no_run_id_is_not_watched(repository: Path) -> None:
    with pytest.raises(RunhiveError, match="is not a run id"):
        watch(repository, "../../x", this_process())


def test_the_launcher_is_the_parent_without_dvc() -> None:
    done = subprocess.run([sys.executable, "-c", LAUNCHED], stdout=subprocess.PIPE, check=True)

    assert Owner(**json.loads(done.stdout)) == this_process()
    assert launcher().pid == os.getppid()


@pytest.mark.parametrize("words", [["dvc"], ["-u", "dvc"], ["-m", "dvc"]])
def test_the_launcher_is_the_nearest_dvc(tmp_path: Path, words: list[str]) -> None:
    shell = ["sh", "-c", '"$0" "$@"; true', sys.executable, "-c", LAUNCHED]
    script = f"import os, subprocess\nprint(os.getpid(), flush=True)\nsubprocess.run({shell!r})\n"
    if "-m" in words:
        (tmp_path / "dvc.py").write_text(script)
    else:
        (tmp_path / "dvc").write_text(script)
    done = subprocess.run([sys.executable, *words, "repro"], cwd=tmp_path, stdout=subprocess.PIPE, check=True)
    pid, owner = done.stdout.splitlines()

    assert json.loads(owner)["pid"] == int(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone tells")
def test_a_child_ends_with_its_killed_parent() -> None:
    child = SLEEPER.replace(
        "import json", "from runhive.tracking.life.process import die_with_parent; die_with_parent()\nimport json"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        owner = Owner(**json.loads(process.stdout.readline()))
        assert is_alive(owner)
        process.kill()
    deadline = time.monotonic() + 30
    while is_alive(owner) and time.monotonic() < deadline:
        time.sleep(0.01)

    assert not is_alive(owner)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone tells")
def test_a_child_whose_parent_was_quicker_to_die_ends_at_once() -> None:
    late = (
        "import os; from runhive.tracking.life.process import die_with_parent\n"
        "os.getppid = iter([os.getppid(), 1]).__next__\n"
        "die_with_parent()\nprint('still here')"
    )
    done = subprocess.run([sys.executable, "-c", late], stdout=subprocess.PIPE)

    assert (done.returncode, done.stdout) == (-signal.SIGTERM, b"")
