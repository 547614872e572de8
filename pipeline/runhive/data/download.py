"""Download a file over https, whole or not at all; what came before a break is not asked for twice."""

import random
import re
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path

from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from runhive.data.names import shown
from runhive.data.part import Part
from runhive.data.rules import INSTEAD, Rules, Unwanted, check_file, too_large
from runhive.data.web import Patience, host_of, opened
from runhive.errors import RunhiveError

CHUNK = 2**20
PASSING = (408, 425, 429, 500, 502, 503, 504)
PATIENCE = Patience()
DIGITS = r"\d{1,18}"

# Called with the bytes that are there and, where the server tells it, the bytes of the whole.
Progress = Callable[[int, int | None], None]


class Again(Exception):
    """Why a try failed, where another may do; `seconds` is the pause that the server asks for."""

    def __init__(self, reason: str, seconds: float = 0) -> None:
        super().__init__(reason)
        self.seconds = seconds


def download(url: str, part: Part, rules: Rules, progress: Progress | None, patience: Patience = PATIENCE) -> Path:
    """Return the file with what *url* gives, going on with *part* where the server's file is still the same.

    Raises Unwanted, and keeps nothing, for a page of HTML and what *rules* refuse. Raises RunhiveError, and keeps
    *part* for the next fetch, where the network or the disk fails for good.
    """
    failures = 0
    try:
        while True:
            before = part.size
            try:
                receive(url, part, rules, progress, patience)
                break
            except ssl.SSLCertVerificationError as error:
                raise RunhiveError(f"{host_of(url)}: certificate refused ({cause_of(error)}): {INSTEAD}") from None
            except (Again, HTTPError, HTTPException, OSError) as error:
                failures = 1 if part.size - before >= CHUNK else failures + 1
                wait(url, error, failures, part.size, patience)
        check_file(part.body, host_of(url), rules.sha256)
    except Unwanted:
        part.forget()
        raise
    return part.body


def wait(url: str, error: Exception, failures: int, size: int, patience: Patience) -> None:
    """Pause before the next try. Raises RunhiveError where there is none."""
    asked = error.seconds if isinstance(error, Again) else 0
    reason = f"{host_of(url)}: {cause_of(error)}"
    then = f"run fetch again to go on after {size:,} bytes" if size else "run fetch again later"
    if failures >= patience.tries:
        raise RunhiveError(f"{reason}, in {failures} tries: {then}, or {INSTEAD}") from None
    if asked > patience.longest_pause:
        raise RunhiveError(f"{reason}, asks to wait {asked:,.0f} seconds: {then}, or {INSTEAD}") from None
    pause = max(asked, min(patience.pause * 2 ** (failures - 1), patience.longest_pause) * random.uniform(0.5, 1))
    print(f"{reason}: trying again in {pause:.1f} s", file=sys.stderr, flush=True)
    time.sleep(pause)


def receive(url: str, part: Part, rules: Rules, progress: Progress | None, patience: Patience) -> None:
    """Ask once and add to *part* what comes. Raises Again, or what the network raises, where a new try may do."""
    with opened(url, range_of(part), patience, rules.allow_http) as response:
        if response.status == 416 and response.headers.get("Content-Range") == f"bytes */{part.size}":
            return  # all of it was here
        total = start(url, response, part)
        done = part.size
        if max(total or 0, done) > rules.max_bytes:
            raise too_large(host_of(url), rules.max_bytes)
        with part.appending() as append:
            for piece in pieces(response, patience):
                done += len(piece)
                if done > rules.max_bytes:
                    raise too_large(host_of(url), rules.max_bytes)
                append(piece)
                if progress:
                    progress(done, total)
    if total is not None and done != total:
        raise Again(f"closed after {done:,} of {total:,} bytes")
    if not done:
        raise Again("sent no bytes")


def range_of(part: Part) -> dict[str, str]:
    """Return the headers that ask for what is missing of *part*, or for the whole where the file has changed."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "runhive"}
    if part.size and part.validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    return headers


def start(url: str, response: BaseHTTPResponse, part: Part) -> int | None:
    """Make *part* ready for the body of *response* and return the bytes of the whole file, where they are told."""
    if response.status == 200:
        part.begin(validator_of(response))
        length = response.headers.get("Content-Length", "")
        return int(length) if re.fullmatch(DIGITS, length) else None
    if response.status in (206, 416):
        found = re.fullmatch(f"bytes ({DIGITS})-{DIGITS}/({DIGITS})", response.headers.get("Content-Range", ""))
        tag = response.headers.get("ETag")
        is_same = tag is None or tag == part.validator or tag.startswith("W/")
        if response.status == 206 and found and int(found[1]) == part.size and is_same:
            return int(found[2])
        part.forget()
        raise Again("sent another part of the file than the one asked for")
    reason = f"answered {response.status} {shown(response.reason or '')}".strip()
    if response.status in PASSING:
        raise Again(reason, retry_after(response))
    raise RunhiveError(f"{host_of(url)} {reason}: {INSTEAD}")


def validator_of(response: BaseHTTPResponse) -> str | None:
    """Return what stands for these very bytes; a weak ETag does not, nor what cannot be sent back."""
    tag = response.headers.get("ETag")
    validator = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
    return validator if validator and validator.isprintable() else None


def retry_after(response: BaseHTTPResponse) -> float:
    """Return the seconds that the server asks to wait."""
    try:
        return min(Retry().get_retry_after(response) or 0, 10**9)
    except (InvalidHeader, ValueError, OverflowError):
        return 0


def pieces(response: BaseHTTPResponse, patience: Patience) -> Iterator[bytes]:
    """Yield the body as it comes. Raises Again where too little comes for too long."""
    began, received = time.monotonic(), 0
    while piece := response.read1(CHUNK, decode_content=False):
        yield piece
        received += len(piece)
        if time.monotonic() - began >= patience.slow_seconds:
            if received < patience.least_bytes:
                raise Again(f"sent {received:,} bytes in {patience.slow_seconds:.0f} seconds")
            began, received = time.monotonic(), 0


def cause_of(error: Exception) -> str:
    """Return what went wrong on the network, on one line."""
    cause: BaseException = error
    while (inner := getattr(cause, "reason", None) or cause.__cause__) and isinstance(inner, Exception):
        cause = inner
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return shown(text)
