"""Two machines of one: network namespaces joined by a veth pair. They need root and `ip`."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from photos import Photos

PORT = 29_400


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def why_not() -> str | None:
    """Why there can be no namespaces here, if so."""
    if not shutil.which("ip"):
        return "network namespaces need `ip`: apt install iproute2"
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = f"runhive-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", tried], capture_output=True).returncode:
        return "this container may make no network namespaces: it lacks CAP_SYS_ADMIN"
    _ip("netns", "del", tried)
    return None


@dataclass(frozen=True)
class Machine:
    """Number *rank* of two; its address is 10.77.0.1 or 10.77.0.2, and loopback reaches itself alone."""

    rank: int
    namespace: str

    def start(
        self, photos: Photos, threads: int = 1, environment: Mapping[str, str] | None = None, by: Sequence[object] = ()
    ) -> "subprocess.Popen[str]":
        """Start `python pipeline train` on it, or the command *by*."""
        place = {"RUNHIVE_NODE_RANK": str(self.rank), "RUNHIVE_RENDEZVOUS": f"10.77.0.1:{PORT}"}
        before = ["ip", "netns", "exec", self.namespace]
        return photos.start(environment=place | {**(environment or {})}, before=before, threads=threads, by=by)

    def link(self, state: str) -> None:
        """Set its only link `up` or `down`."""
        _ip("-n", self.namespace, "link", "set", "v0", state)

    def route(self, do: str, other: "Machine") -> None:
        """`add` or `del` the loss of all that it sends to the *other*, from which it still hears."""
        _ip("-n", self.namespace, "route", do, "blackhole", f"10.77.0.{other.rank + 1}/32")

    def slow_down(self, do: str) -> None:
        """`add` or `del` a limit of 8 Mbit/s to what it sends."""
        limit = ["tbf", "rate", "8mbit", "burst", "64kbit", "latency", "400ms"] if do == "add" else []
        subprocess.run(["tc", "-n", self.namespace, "qdisc", do, "dev", "v0", "root", *limit], check=True)


@contextmanager
def two_machines() -> Iterator[tuple[Machine, Machine]]:
    """Two joined machines, where `why_not` has nothing to say."""
    names = [f"runhive-{os.getpid()}-{rank}" for rank in (0, 1)]
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("link", "add", "v0", "netns", names[0], "type", "veth", "peer", "name", "v0", "netns", names[1])
        for rank, name in enumerate(names, start=1):
            _ip("-n", name, "addr", "add", f"10.77.0.{rank}/24", "dev", "v0")
            _ip("-n", name, "link", "set", "v0", "up")
        yield Machine(0, names[0]), Machine(1, names[1])
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
