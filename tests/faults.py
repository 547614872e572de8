"""The n-th call that changes the disk fails or kills: for the sweeps, which run under LD_PRELOAD of faults.c."""

import mmap
import os
import struct
import traceback
from collections.abc import Callable
from pathlib import Path

import runhive
from runhive.errors import RunhiveError

OFF = -1
FAIL, KILL, READ = range(3)
LAYOUT = "qqqq"
BYTES = struct.calcsize(LAYOUT)


class Plan:
    """What faults.c shares with this process: how many calls there were, and which one fails or kills."""

    def __init__(self) -> None:
        with Path(os.environ["FAULT_FILE"]).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), BYTES)
        self._set(0, 0, OFF, FAIL)

    def _set(self, count: int, reads: int, at: int, kind: int) -> None:
        self._memory[:BYTES] = struct.pack(LAYOUT, count, reads, at, kind)

    @property
    def count(self) -> int:
        """The calls of the last attempt that change the disk."""
        return int(struct.unpack(LAYOUT, self._memory[:BYTES])[0])

    @property
    def reads(self) -> int:
        """The reads of the last attempt."""
        return int(struct.unpack(LAYOUT, self._memory[:BYTES])[1])

    def attempt(self, act: Callable[[], None], root: Path, at: int = 0, kill: bool = False, read: bool = False) -> int:
        """Do *act* in a child whose folder is *root* and return its exit status; a kill is -9.

        3 is a mistake that was told in a line, 4 one of more lines. *at* is the number of the call, 0 for none: of the
        changes, or of the reads where one of those is to fail.
        """
        child = os.fork()
        if child == 0:
            os.chdir(root)
            self._set(0, 0, at, READ if read else KILL if kill else FAIL)
            try:
                act()
                os._exit(0)
            except RunhiveError as error:
                os._exit(3 if "\n" not in str(error) else 4)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self._set(self.count, self.reads, OFF, FAIL)
        return status


def forget_locks(folder: Path) -> None:
    """Take Git's locks for old that a killed process left below *folder*."""
    for lock in folder.rglob("*.lock"):
        if "hub.git" in lock.parts:
            lock.unlink()  # the hub's own crash is for who runs the hub
        elif "refs" in lock.parts:
            os.utime(lock, (0, 0))  # as if it were older than a few seconds


def environment(shim: Path, plan: Path) -> dict[str, str]:
    """What a sweep runs in: the library *shim* and the code under test; *plan* is made."""
    plan.write_bytes(bytes(BYTES))
    modules = os.pathsep.join([str(Path(__file__).parent), str(Path(runhive.__file__).parents[1])])
    return os.environ | {"LD_PRELOAD": str(shim), "FAULT_FILE": str(plan), "PYTHONPATH": modules}
