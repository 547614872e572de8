"""The site on this machine's loopback, built again whenever what it is made from changes."""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from runhive.errors import RunhiveError

HOST = "127.0.0.1"
SECONDS = 0.5  # between two looks

State = tuple[object, ...]


def serve(site: Path, port: int, build: Callable[[], None], state: Callable[[], State]) -> None:
    """Serve *site* until interrupted, and call *build* at first and whenever *state* changes.

    A build that fails is told and leaves the site as it was. Raises RunhiveError where the port is taken.
    """
    seen = state()
    build()
    with _server(site, port) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        print(f"serving http://{HOST}:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        try:
            for _ in _changes(seen, state):
                _try(build)
        except KeyboardInterrupt:
            server.shutdown()


def _changes(seen: State, state: Callable[[], State]) -> Iterator[State]:
    while True:
        time.sleep(SECONDS)
        if (now := state()) != seen:
            seen = now
            yield seen


def _try(build: Callable[[], None]) -> None:
    try:
        build()
    except RunhiveError as error:
        print(f"runhive: {error}", file=sys.stderr, flush=True)


def files_state(*roots: Path) -> State:
    """What changes when a file below *roots* does: paths, sizes and times."""
    files = sorted(file for root in roots for file in (root.rglob("*") if root.is_dir() else [root]) if file.is_file())
    return tuple((str(file), found.st_size, found.st_mtime_ns) for file in files if (found := file.stat()))


def _server(site: Path, port: int) -> ThreadingHTTPServer:
    try:
        return ThreadingHTTPServer((HOST, port), partial(Handler, directory=str(site)))
    except OSError as error:
        raise RunhiveError(f"port {port} cannot be served ({error.strerror}): give another one with --port") from error


class Handler(SimpleHTTPRequestHandler):
    """Files of the site, for this machine's own browser alone, never from its cache."""

    def send_head(self) -> object:  # type: ignore[override]
        host = self.headers.get("Host", "").rpartition(":")[0]
        if host not in (HOST, "localhost"):  # another site's name that was pointed at this machine
            self.send_error(HTTPStatus.FORBIDDEN)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of single requests."""
