"""Processes: who owns a run, is the owner alive, and an end for those whose parent died."""

import ctypes
import os
import platform
import signal
import sys
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1  # linux/prctl.h
WATCH_SECONDS = 0.5  # a look costs 30 µs
FIRST_PID_NAMESPACE = "pid:[4026531836]"  # linux/proc_ns.h: outside any container


@dataclass(frozen=True)
class Owner:
    """One process for all time: its machine, the boot of it, its id, and its start, since ids are used again."""

    host: str
    boot_id: str
    pid: int
    started: float


def this_process() -> Owner:
    """Return the running process."""
    return _owner(os.getpid())


def launcher() -> Owner:
    """Return the process that a run lives and dies with: the nearest `dvc` above this one, else the parent."""
    above = dvc_above()
    return _owner(above.pid if above else os.getppid())


@dataclass(frozen=True)
class Dvc:
    """A process of `dvc`, and its words without options."""

    pid: int
    words: list[str]


def dvc_above() -> Dvc | None:
    """Return the nearest `dvc` above this process; None where there is none."""
    try:
        above = psutil.Process().parents()
    except psutil.Error:  # one of them ended while they were listed
        return None
    found = (Dvc(process.pid, words) for process in above if (words := _words_of_dvc(process)) is not None)
    return next(found, None)


def is_dvc(pid: int) -> bool:
    """Say whether a process of this id runs now and is a `dvc`."""
    try:
        return _words_of_dvc(psutil.Process(pid)) is not None
    except (psutil.Error, ValueError, OverflowError):  # there is none, or it cannot be one
        return False


def is_alive(owner: Owner) -> bool:
    """Say whether *owner* runs on this machine now; a zombie does not."""
    return owner.host == host() and owner.boot_id == _boot_id() and _start(owner.pid) == owner.started


def host() -> str:
    """Name the machine, and in a container also its process namespace: the ids of another one mean nothing here."""
    namespace = Path("/proc/self/ns/pid")
    inside = namespace.readlink().name if namespace.is_symlink() else FIRST_PID_NAMESPACE
    return platform.node() if inside == FIRST_PID_NAMESPACE else f"{platform.node()}/{inside}"


def end_with(owner: Owner) -> None:
    """From now on this process gets a SIGTERM within WATCH_SECONDS when *owner* has ended, be it parent or not.

    A killed `dvc` leaves its stage running otherwise, and between the two there is a shell where `sh` is dash.
    """

    def watch() -> None:
        while is_alive(owner):
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end-with", daemon=True).start()


def die_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the parent dies, also when it is killed.

    Linux only; elsewhere it does nothing. The kernel means the parent's thread that started this process.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl failed")
    if os.getppid() != parent:  # it died before the kernel was asked
        os.kill(os.getpid(), signal.SIGTERM)


def _owner(pid: int) -> Owner:
    started = _start(pid)
    return Owner(host(), _boot_id(), pid, -1.0 if started is None else started)


def _boot_id() -> str:
    kernel = Path("/proc/sys/kernel/random/boot_id")
    return kernel.read_text().strip() if kernel.exists() else str(psutil.boot_time())


def _start(pid: int) -> float | None:
    """Return when the process started; None when there is none, or a zombie.

    On Linux in clock ticks since the boot: psutil's time of day moves with every step of the clock.
    """
    if sys.platform == "linux":
        try:
            # proc(5): after the name in parentheses comes the state, and the start is the 20th field from there.
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else float(fields[19])
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def _words_of_dvc(process: psutil.Process) -> list[str] | None:
    try:
        words = process.cmdline()
    except psutil.Error:  # ended, or another user's
        return None
    if ("-m", "dvc") in pairwise(words):
        after = words[words.index("-m") + 2 :]
    else:
        programs = [Path(word).name for word in words if not word.startswith("-")]
        if "dvc" not in programs[:2]:  # `dvc`, or Python and a script
            return None
        after = words[[Path(word).name for word in words].index("dvc") + 1 :]
    return [word for word in after if not word.startswith("-")]
