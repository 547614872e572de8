"""Downloads, from a real server on this machine."""

import base64
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runhive.data.download import download, require_https, transfer
from runhive.errors import RunhiveError

BODY = bytes(range(256)) * 9000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/page":
            return self.answer(200, b"<html>sign in</html>", {"Content-Type": "text/html; charset=utf-8"})
        if path == "/missing":
            return self.answer(404, b"no")
        if path == "/short":
            return self.answer(200, BODY, {"Content-Length": str(len(BODY) + 1)})
        if path == "/away":
            host = self.headers["Host"]
            return self.answer(302, b"", {"Location": f"http://{host}/whole"})
        if path == "/who":
            return self.answer(200, self.headers.get("Authorization", "nobody").encode())
        if path == "/endless":
            return self.answer(200, BODY, {"Content-Length": ""})
        return self.answer(200, BODY)

    def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def address(server: ThreadingHTTPServer) -> str:
    return f"127.0.0.1:{server.server_port}"


@pytest.fixture
def https_address(server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server behind a certificate that this process trusts."""
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the certificate, is not here")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 1 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return f"localhost:{server.server_port}"


def test_a_download_is_whole_and_leaves_no_temporary_file(tmp_path: Path, address: str) -> None:
    seen: list[tuple[int, int | None]] = []

    transfer(f"http://{address}/whole", tmp_path / "file", lambda done, total: seen.append((done, total)))

    assert (tmp_path / "file").read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert seen[-1] == (len(BODY), len(BODY))
    assert len(seen) > 1


def test_a_server_that_tells_no_length_is_read_to_its_end(tmp_path: Path, address: str) -> None:
    seen: list[tuple[int, int | None]] = []

    transfer(f"http://{address}/endless", tmp_path / "file", lambda done, total: seen.append((done, total)))

    assert (tmp_path / "file").read_bytes() == BODY
    assert seen[-1] == (len(BODY), None)


def test_https_is_downloaded(tmp_path: Path, https_address: str) -> None:
    download(f"https://{https_address}/whole", tmp_path / "file", None)

    assert (tmp_path / "file").read_bytes() == BODY


def test_a_redirect_from_https_to_http_is_refused(tmp_path: Path, https_address: str) -> None:
    with pytest.raises(RunhiveError, match="http is refused"):
        download(f"https://{https_address}/away", tmp_path / "file", None)

    assert not (tmp_path / "file").exists()


def test_an_unknown_certificate_is_refused(tmp_path: Path, https_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(RunhiveError, match="certificate"):
        download(f"https://{https_address}/whole", tmp_path / "file", None)


@pytest.mark.parametrize("url", ["http://host/a.zip", "ftp://host/a.zip", "s3://bucket/a.zip", "HTTP://host/a"])
def test_only_https_is_accepted(url: str) -> None:
    with pytest.raises(RunhiveError, match="use https"):
        require_https(url)


def test_an_address_that_is_none_is_said_to_be_none() -> None:
    with pytest.raises(RunhiveError, match="not an address"):
        require_https("https://[::1/a.zip")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("page", "got text/html, not an archive"),
        ("missing", "answered 404"),
        ("short", "closed after 2,304,000 of 2,304,001 bytes"),
        ("away", "http is refused"),
    ],
)
def test_a_failure_is_one_line_with_the_host_and_leaves_nothing(
    tmp_path: Path, address: str, path: str, words: str
) -> None:
    with pytest.raises(RunhiveError) as caught:
        transfer(f"http://user:hunter2@{address}/{path}?signature=hunter3", tmp_path / "file", None)

    assert words in str(caught.value)
    assert address in str(caught.value)
    assert "hunter" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_user_and_password_are_sent_as_a_header(tmp_path: Path, address: str) -> None:
    transfer(f"http://us%40er:pass@{address}/who", tmp_path / "file", None)

    assert (tmp_path / "file").read_text() == "Basic " + base64.b64encode(b"us@er:pass").decode()


def test_a_server_that_is_not_there_says_what_to_do_instead(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(RunhiveError, match=f"127.0.0.1:{port} cannot be reached .*set data.url to the file"):
            download(f"https://127.0.0.1:{port}/a.zip", tmp_path / "file", None)


def test_an_address_with_spaces_and_letters_of_any_script_is_asked_for(tmp_path: Path, address: str) -> None:
    transfer(f"http://{address}/my \u00fc file.zip", tmp_path / "file", None)

    assert (tmp_path / "file").read_bytes() == BODY


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, address: str) -> None:
    with pytest.raises(RunhiveError, match="cannot be written"):
        transfer(f"http://{address}/whole", tmp_path / "none" / "file", None)
