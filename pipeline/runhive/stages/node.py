"""Which of several machines this is, and how the others reach it."""

import os
import socket
from dataclasses import dataclass

import psutil

from runhive.errors import RunhiveError
from runhive.params import Distributed

RANK = "RUNHIVE_NODE_RANK"  # 0 on the machine that keeps the run, 1 and so on on the others
RENDEZVOUS = "RUNHIVE_RENDEZVOUS"  # host:port, where params.yaml cannot know it
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Meeting:
    """Where the processes meet: `host` and `port` of the first machine, and this one's own address and interface."""

    host: str
    port: int
    address: str
    interface: str


def node_rank(distributed: Distributed) -> int:
    """This machine's number. Raises RunhiveError where it is none of those that `train.distributed` has."""
    given, most = os.environ.get(RANK, "0"), distributed.node_counts[-1]
    if not given.isdecimal() or int(given) >= most:
        raise RunhiveError(f"{RANK} is {given!r}: params.yaml: train.distributed.nodes allows 0 to {most - 1}")
    return int(given)


def meeting(distributed: Distributed) -> Meeting:
    """Work out where to meet. Raises RunhiveError where the rendezvous is missing, taken or cannot be reached."""
    if distributed.node_counts[-1] == 1:
        return Meeting(LOOPBACK, 0, LOOPBACK, _interface(LOOPBACK))
    given = os.environ.get(RENDEZVOUS) or distributed.rendezvous
    host, _, port = (given or "").rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise RunhiveError(
            "params.yaml: train.distributed.rendezvous: several nodes need host:port of the first: "
            f"set it, or {RENDEZVOUS}"
        )
    address = _own_address(host, int(port))
    if address.startswith("127.") or address == "::1":
        raise RunhiveError(
            f"params.yaml: train.distributed.rendezvous: {host} is this machine's loopback, which no other reaches: "
            "write its address in the network"
        )
    if node_rank(distributed) == 0:
        _admit_port(address, int(port))
    return Meeting(host, int(port), address, _interface(address))


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        port: int = one.getsockname()[1]
        return port


def _admit_port(address: str, port: int) -> None:
    """Raise RunhiveError where another program listens on *port* of this machine, the first."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that one that was just left counts as free
        try:
            one.bind((address, port))
        except OSError as error:
            raise RunhiveError(
                f"params.yaml: train.distributed.rendezvous: port {port} of {address} cannot be had "
                f"({error.strerror}): end what uses it, or write another"
            ) from error


def _own_address(host: str, port: int) -> str:
    """The address with which this machine speaks to *host*, which may be itself."""
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.connect(place)  # UDP: only the route is looked up
            return str(one.getsockname()[0])
    except OSError as error:
        raise RunhiveError(
            f"params.yaml: train.distributed.rendezvous: there is no way to {host} ({error.strerror}): mend its name "
            "or the network"
        ) from error


def _interface(address: str) -> str:
    """The network interface that has *address*."""
    found = (name for name, all_of in psutil.net_if_addrs().items() if address in {one.address for one in all_of})
    return next(found)
