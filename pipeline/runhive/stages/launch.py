"""Start the processes that train together, on this machine, and wait for their end. They are `worker`s."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic

import psutil

import runhive
from runhive.errors import RunhiveError
from runhive.params import Distributed
from runhive.preprocess import processors
from runhive.stages import tethered, worker
from runhive.stages.node import Meeting, free_port, meeting, node_rank
from runhive.stages.refusal import refusal, reserve
from runhive.tracking.life.broadcast import NUMBERS_FILE

POLL_SECONDS = 1.0
END_SECONDS = 8.0  # for a checkpoint; a GitHub runner kills a canceled job after ten
JOIN_SECONDS = 600  # machines get their jobs at different times
LAST_CALL_SECONDS = 10  # once the fewest are there, for the others
PASSED_ON = ("PATH", "PYTHONPATH", "OMP_NUM_THREADS", "GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
PASSED_ON_IF_SET = ("OMP_WAIT_POLICY", NUMBERS_FILE)


def launch(distributed: Distributed, root: Path, folder: Path) -> None:
    """Train from the newest checkpoint in *folder* to the end.

    Raises RunhiveError with the worker's own words where it refused, and with the exit code where processes were lost
    more often than `max_restarts` allows. A signal ends them, with time for a checkpoint.
    """
    place = meeting(distributed)
    environment = _environment(distributed, place)
    reserve(folder / worker.REFUSED)
    starts = 1 + distributed.max_restarts if distributed.launcher == "mpirun" else 1  # torchrun counts its own
    for start in range(starts):
        command = _mpirun(distributed, place) if distributed.launcher == "mpirun" else _torchrun(distributed, place)
        command += ["-m", worker.__name__, str(root), str(folder)]
        code = _run(command, environment, folder / worker.REFUSED, distributed.timeout_s)
        if code == 0:
            return
        if start + 1 < starts:
            print(f"a process was lost: start {start + 2} of {starts}, from the last checkpoint", file=sys.stderr)
    several = " on each machine, their clocks set by NTP," if distributed.node_counts[-1] > 1 else ""
    raise RunhiveError(
        f"{distributed.launcher} ended with exit code {code}, as the lines above say: its processes were lost, or did "
        f"not reach one another, more often than train.distributed.max_restarts {distributed.max_restarts} allows: "
        f"run `dvc repro`{several} to go on from the last checkpoint"
    )


def threads_of_each(distributed: Distributed) -> int:
    """Compute threads of one process: `OMP_NUM_THREADS`, else an even share of this machine's processors."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() else max(1, processors() // distributed.processes_per_node)


def _environment(distributed: Distributed, place: Meeting) -> dict[str, str]:
    code = str(Path(runhive.__file__).parents[1])
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")])),
        "OMP_NUM_THREADS": str(threads_of_each(distributed)),
        "GLOO_SOCKET_IFNAME": place.interface,
        "NCCL_SOCKET_IFNAME": place.interface,
        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # with a shared one a machine that comes back cannot join (tried)
    }


def _torchrun(distributed: Distributed, place: Meeting) -> list[str]:
    """torchrun with all that it would guess wrongly: who is the host, which address, how long to wait."""
    conf = {
        "is_host": int(node_rank(distributed) == 0),
        "join_timeout": JOIN_SECONDS,
        "last_call_timeout": LAST_CALL_SECONDS,
        "read_timeout": distributed.timeout_s,
    }
    options = {
        "nnodes": distributed.nodes,
        "nproc-per-node": distributed.processes_per_node,
        "max-restarts": distributed.max_restarts,
        "rdzv-backend": "c10d",
        "rdzv-endpoint": f"{place.host}:{place.port}",
        "rdzv-id": "runhive",
        "rdzv-conf": ",".join(f"{name}={value}" for name, value in conf.items()),
        "local-addr": place.address,
    }
    return [sys.executable, "-m", "torch.distributed.run", *(f"--{name}={value}" for name, value in options.items())]


def _mpirun(distributed: Distributed, place: Meeting) -> list[str]:
    """Open MPI's, which finds the machines in its allocation or its host file."""
    processes, nodes = distributed.processes_per_node, distributed.node_counts[-1]
    told = {"MASTER_ADDR": place.host, "MASTER_PORT": str(place.port or free_port())}
    passed_on = [*PASSED_ON, *(name for name in PASSED_ON_IF_SET if name in os.environ)]
    return [
        "mpirun", *(["--allow-run-as-root"] if os.geteuid() == 0 else []), "--bind-to", "none", "--oversubscribe",
        "--mca", "odls_base_sigkill_timeout", str(int(END_SECONDS) - 1), "-np", str(processes * nodes),
        *(["--map-by", f"ppr:{processes}:node"] if nodes > 1 else []),
        *(word for name in passed_on for word in ("-x", name)),
        *(word for name, value in told.items() for word in ("-x", f"{name}={value}")), sys.executable,
    ]  # fmt: skip


def _run(command: list[str], environment: Mapping[str, str], refused: Path, timeout: int) -> int:
    """Run *command*, which ends with this process, and return its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", tethered.__name__, *command], env=environment, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait(process, refused, timeout)
    finally:
        _end(process)
    if told := refusal(refused):
        raise RunhiveError(told)
    return process.returncode


def _wait(process: "subprocess.Popen[bytes]", refused: Path, timeout: int) -> None:
    """Wait until *process* ends or a worker refused.

    Machines wait long for one another at the start. Raises RunhiveError where, later, a machine is without workers for
    longer than *timeout*: those that it lost did not come back.
    """
    began, last_seen = False, monotonic()
    while process.poll() is None and not refusal(refused):
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
        if any(True for _ in _tree(process.pid)):
            began, last_seen = True, monotonic()
        elif began and process.poll() is None and monotonic() - last_seen > timeout:
            raise RunhiveError(
                f"the other machines did not come back within train.distributed.timeout_s, {timeout} s: mend them or "
                "the network, and run `dvc repro` on each to go on from the last checkpoint"
            )


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End *process* and all below it: gently, then not."""
    below = list(_tree(process.pid))
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    for one in below:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()


def _tree(pid: int) -> Iterator[psutil.Process]:
    """What lives below *pid*; torchrun leaves its dead unburied while it waits for a store that it cannot reach."""
    with suppress(psutil.NoSuchProcess):
        for one in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if one.status() != psutil.STATUS_ZOMBIE:
                    yield one
