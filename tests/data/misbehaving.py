"""A real server on loopback that answers as it is told, well or badly, and notes what it was asked."""

import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

BODY = bytes(range(256)) * 9000
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((path, self.headers))
        answers = self.server.answers.get(path) or self.server.answers["*"]
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def head(self, status: int, **headers: str | int) -> None:
        """Send the status and headers, `_` for `-`."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


class Server(ThreadingHTTPServer):
    """`answers` has for each path what comes first, second and so on, the last for ever; `*` is any other path."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {"*": [body()]}
        self.asked: list[tuple[str, Message]] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def ranges(self) -> list[str | None]:
        """The range that each request asked for."""
        return [headers.get("Range") for _, headers in self.asked]


def body(content: bytes = BODY, etag: str | None = '"1"', status: int = 200, **headers: str | int) -> Answer:
    """All of *content*, or the rest of it where the request holds the right `If-Range`."""

    def answer(handler: Handler) -> None:
        tags = {"ETag": etag} if etag else {}
        wanted = handler.headers.get("Range")
        if wanted is None or handler.headers.get("If-Range") != etag:
            handler.head(status, Content_Length=len(content), **tags, **headers)
            handler.wfile.write(content)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(content):
            handler.head(416, Content_Range=f"bytes */{len(content)}", Content_Length=0)
            return
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.head(206, Content_Length=len(content) - start, Content_Range=place, **tags)
        handler.wfile.write(content[start:])

    return answer


def broken_off(after: int, content: bytes = BODY, etag: str | None = '"1"') -> Answer:
    """*after* bytes, then a reset."""

    def answer(handler: Handler) -> None:
        handler.head(200, Content_Length=len(content), **({"ETag": etag} if etag else {}))
        handler.wfile.write(content[:after])
        time.sleep(0.1)  # a reset throws away what the other side has not read
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    return answer


def stalled(after: int, until: threading.Event, etag: str = '"1"') -> Answer:
    """*after* bytes, then none."""

    def answer(handler: Handler) -> None:
        handler.head(200, Content_Length=len(BODY), ETag=etag)
        handler.wfile.write(BODY[:after])
        until.wait(60)

    return answer


def dripping(until: threading.Event, prefix: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n") -> Answer:
    """*prefix*, then a byte now and then."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(prefix)
        while not until.wait(0.02):
            handler.wfile.write(b"x")

    return answer


def redirect(to: str, status: int = 302) -> Answer:
    return lambda handler: handler.head(status, Location=to, Content_Length=0)


def says(status: int, content: bytes = b"", **headers: str | int) -> Answer:
    def answer(handler: Handler) -> None:
        handler.head(status, **{"Content_Length": len(content), **headers})
        handler.wfile.write(content)

    return answer


@contextmanager
def serving() -> Iterator[Server]:
    """Serve from another thread."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def certify(server: Server, folder: Path) -> Path:
    """Put *server* behind TLS and return the certificate, which is for localhost."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the certificate, is not here")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 1 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return certificate
