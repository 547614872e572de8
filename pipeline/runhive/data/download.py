"""Download an archive over https, whole or not at all."""

import base64
import os
import string
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from runhive.data.names import shown
from runhive.errors import RunhiveError
from runhive.files import sync_folder

CHUNK = 2**20
TIMEOUT_SECONDS = 30
INSTEAD = "download it elsewhere and set data.url to the file"

# Called with the bytes that are there and, where the server tells it, the bytes of the whole.
Progress = Callable[[int, int | None], None]


def download(url: str, into: Path, progress: Progress | None) -> None:
    """Write what https *url* gives to *into*: a temporary file beside it, fsync, rename.

    Raises RunhiveError for another scheme, for a page of HTML and for every failure of network or disk.
    """
    require_https(url)
    transfer(url, into, progress)


def require_https(url: str) -> None:
    """Raise RunhiveError where *url* is anything but https."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise RunhiveError(f"data.url is not an address ({error}): {INSTEAD}") from None
    if scheme != "https":
        raise RunhiveError(
            f"{host_of(url)}: {scheme} is refused, anybody on the way may alter what it brings: use https"
        )


def transfer(url: str, into: Path, progress: Progress | None) -> None:
    """Write what *url* gives to *into*, whatever its scheme."""
    temporary = into.with_name(f".{into.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            for piece in pieces(url, progress):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(into)
        sync_folder(into.parent)
    except OSError as error:
        raise RunhiveError(f"{into} cannot be written ({error.strerror}): free the disk") from error
    finally:
        temporary.unlink(missing_ok=True)


def pieces(url: str, progress: Progress | None) -> Iterator[bytes]:
    """Yield the body at *url*. Raises RunhiveError with the host, never with a secret that *url* carries."""
    host = host_of(url)
    done = 0
    try:
        with opened(url) as response:
            kind = response.headers.get_content_type()
            if kind in ("text/html", "application/xhtml+xml"):
                raise RunhiveError(f"{host}: got {kind}, not an archive: {INSTEAD}")
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            while piece := response.read(CHUNK):
                done += len(piece)
                yield piece
                if progress:
                    progress(done, total)
    except urllib.error.HTTPError as error:
        error.close()
        raise RunhiveError(f"{host} answered {error.code} {shown(error.reason)}: {INSTEAD}") from None
    except OSError as error:
        raise RunhiveError(f"{host} cannot be reached ({cause_of(error)}): {INSTEAD}") from None
    except HTTPException as error:
        raise RunhiveError(f"{host} does not speak HTTP properly ({type(error).__name__}): {INSTEAD}") from None
    if total is not None and done != total:
        raise RunhiveError(f"{host} closed after {done:,} of {total:,} bytes: {INSTEAD}")


def opened(url: str) -> HTTPResponse:
    """Ask for *url*; a user and password in it go into a header that no redirect carries on."""
    parts = urlsplit(url)
    credentials, _, netloc = parts.netloc.rpartition("@")
    address = urlunsplit(parts._replace(netloc=netloc, fragment=""))
    request = urllib.request.Request(quote(address, safe=string.punctuation))
    if credentials:
        encoded = base64.b64encode(unquote(credentials).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {encoded}")
    opener = urllib.request.build_opener(HttpsRedirects)
    response: HTTPResponse = opener.open(request, timeout=TIMEOUT_SECONDS)
    return response


class HttpsRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to https alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        try:
            require_https(newurl)
        except RunhiveError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def host_of(url: str) -> str:
    """Return the host of *url*, printable, without user and password."""
    return shown(urlsplit(url).netloc.rpartition("@")[2]) or "no host"


def cause_of(error: OSError) -> str:
    """Return what went wrong on the network, on one line."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    text = getattr(cause, "strerror", None) or str(cause)
    return shown(text)
