"""Ask for an https address, and follow where it leads no further than is safe."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urljoin
from urllib.request import getproxies, proxy_bypass

from urllib3 import ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url, make_headers, parse_url

from runhive.data.names import shown
from runhive.data.rules import INSTEAD
from runhive.errors import RunhiveError

MOST_REDIRECTS = 10
REDIRECTS = (301, 302, 303, 307, 308)
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds, and how often to try again.

    A server that sends fewer than `least_bytes` in `slow_seconds` has stalled. The pause before a new try doubles
    each time; a server may ask for a longer one, up to `longest_pause`.
    """

    connect: float = 15
    read: float = 30
    slow_seconds: float = 60
    least_bytes: int = 60_000
    tries: int = 5
    pause: float = 1
    longest_pause: float = 120


@contextmanager
def opened(url: str, headers: Mapping[str, str], patience: Patience, allow_http: bool) -> Iterator[BaseHTTPResponse]:
    """Yield the answer to *url*, after at most ten redirects.

    A redirect may not lead from https to http, nor to an address that is not public, unless the first host's is not
    public either. Raises RunhiveError for what is refused, and what urllib3, ssl and the sockets raise.
    """
    asked = parsed(url)
    check_scheme(asked, None, allow_http)
    first_reach = None
    for _ in range(MOST_REDIRECTS + 1):
        with answered(asked, headers, patience, first_reach) as (response, reach):
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or not location:
                yield response
                return
            first_reach = first_reach or reach
        before, asked = asked, parsed(urljoin(asked.url, location))
        check_scheme(asked, before, allow_http)
    raise RunhiveError(f"{host_of(url)}: more than {MOST_REDIRECTS} redirects: {INSTEAD}")


@contextmanager
def answered(
    url: Url, headers: Mapping[str, str], patience: Patience, first_reach: str | None
) -> Iterator[tuple[BaseHTTPResponse, str]]:
    """Yield the answer to *url* itself and how far the address that gave it can be reached from."""
    context = ssl.create_default_context()
    host = str(url.host).strip("[]")
    reach = checked_reach(url, host, first_reach)
    if proxy := proxy_for(url):  # it alone knows the address of a name
        auth = parse_url(proxy).auth
        proxy_headers = make_headers(proxy_basic_auth=auth) if auth else None
        with ProxyManager(proxy, proxy_headers=proxy_headers, ssl_context=context) as manager:
            timeout = Timeout(connect=patience.connect, read=patience.read)
            response = manager.urlopen(
                "GET", url.url, headers=headers, timeout=timeout, redirect=False, retries=False,
                preload_content=False, enforce_content_length=False,
            )  # fmt: skip
            with closing(response):
                yield response, reach
        return
    port = url.port or PORTS[str(url.scheme)]
    connection = (
        HTTPSConnection(host, port, timeout=patience.connect, ssl_context=context)
        if url.scheme == "https"
        else HTTPConnection(host, port, timeout=patience.connect)
    )
    with closing(connection):
        connection.connect()
        assert connection.sock
        reach = checked_reach(url, connection.sock.getpeername()[0], first_reach)
        connection.timeout = patience.read
        with ended_after(patience.slow_seconds, connection.sock):
            connection.request(
                "GET", url.request_uri, headers=headers, preload_content=False, enforce_content_length=False
            )
            response = connection.getresponse()
        with closing(response):
            yield response, reach


@contextmanager
def ended_after(seconds: float, connected: socket.socket) -> Iterator[None]:
    """Shut the socket and raise TimeoutError where the block takes longer.

    A read that gets a byte now and then never times out, and http.client takes cut headers for all of them.
    """
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        with suppress(OSError):  # the other side may have ended it before
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if is_late.is_set():
            raise TimeoutError(f"no answer in {seconds:.0f} seconds")


def parsed(url: str) -> Url:
    """Return the parts of *url*, quoted where they have to be. Raises RunhiveError where it is no address."""
    try:
        found = parse_url(url)
    except LocationParseError:
        found = Url()
    if not found.host or not found.scheme:
        raise RunhiveError(f"data.url is not an address ({shown(without_query(url))}): {INSTEAD}")
    return found._replace(auth=None, fragment=None)


def without_query(url: str) -> str:
    """Return *url* without what may be secret in it."""
    scheme, separator, rest = url.partition("?")[0].partition("#")[0].rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]


def check_scheme(url: Url, before: Url | None, allow_http: bool) -> None:
    """Raise RunhiveError unless *url*, to which *before* led, is https, or http where that is allowed."""
    if url.scheme == "https" or (url.scheme == "http" and allow_http and not (before and before.scheme == "https")):
        return
    where = f"{host_of(before.url)} leads to {host_of(url.url)}" if before else host_of(url.url)
    hint = "use https" if before or url.scheme != "http" else "use https, or set data.allow_http to true"
    raise RunhiveError(f"{where}: {url.scheme} is refused, anybody on the way may alter what it brings: {hint}")


def checked_reach(url: Url, address: str, first: str | None) -> str:
    """Return the reach of *address*, where *url* was found. Raises RunhiveError where the *first* one forbids it."""
    reach = reach_of(address)
    if first is None or reach in ("public", first) or (first, reach) == ("link-local", "private"):
        return reach
    raise RunhiveError(
        f"{host_of(url.url)}: a redirect to the {reach} address {shown(address)} is refused: "
        "set data.url to where the archive is"
    )


def reach_of(address: str) -> str:
    """Return "public", "private" or "link-local". A name, whose address a proxy looks up, is taken for public."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "public"
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_link_local:
        return "link-local"
    return "public" if found.is_global and not found.is_multicast else "private"


def proxy_for(url: Url) -> str | None:
    """Return the proxy that the environment names for *url*."""
    proxies = getproxies()
    proxy = proxies.get(str(url.scheme)) or proxies.get("all")
    return proxy if proxy and not proxy_bypass(str(url.host)) else None


def host_of(url: str) -> str:
    """Return the host of *url*, printable, without user and password."""
    try:
        return shown(parse_url(url)._replace(auth=None).netloc or "no host")
    except LocationParseError:
        return "no host"
