"""Downloads, from a real server on this machine that misbehaves."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from misbehaving import (
    BODY,
    Answer,
    Handler,
    Server,
    body,
    broken_off,
    certify,
    dripping,
    redirect,
    says,
    serving,
    stalled,
)

from runhive.data.download import download
from runhive.data.part import Part
from runhive.data.rules import Rules
from runhive.data.web import Patience, answered, opened, parsed, reach_of
from runhive.errors import RunhiveError

HTTP = Rules(allow_http=True)
QUICK = Patience(connect=20, read=20, slow_seconds=20, pause=0.01)
PAGE = b"\n<!DOCTYPE html><html><style>p {}</style><title>Sign in</title><p>to  Example &amp; Co</p></html>"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def part(tmp_path: Path) -> Part:
    return Part(tmp_path / "part")


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a stalled answer waits for; set at the end."""
    event = threading.Event()
    yield event
    event.set()


def get(server: Server, part: Part, path: str = "/whole", rules: Rules = HTTP, patience: Patience = QUICK) -> bytes:
    """Download *path* and return what came."""
    return download(f"http://{server.address}{path}", part, rules, None, patience).read_bytes()


def mistake(server: Server, part: Part, path: str = "/whole", rules: Rules = HTTP, patience: Patience = QUICK) -> str:
    """Return the message of a download that has to fail."""
    with pytest.raises(RunhiveError) as caught:
        get(server, part, path, rules, patience)
    message = str(caught.value)
    assert message.isprintable()
    return message


def test_a_download_is_whole_and_tells_how_far_it_is(server: Server, part: Part) -> None:
    seen: list[tuple[int, int | None]] = []

    file = download(f"http://{server.address}/whole", part, HTTP, lambda *far: seen.append(far), QUICK)

    assert file.read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert len(seen) > 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_server_that_tells_no_length_is_read_to_its_end(server: Server, part: Part, chunked: bool) -> None:
    def answer(handler: Handler) -> None:
        if chunked:
            handler.protocol_version = "HTTP/1.1"
            handler.head(200, Transfer_Encoding="chunked", Connection="close")
            for start in range(0, len(BODY), 100_000):
                piece = BODY[start : start + 100_000]
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.head(200)
            handler.wfile.write(BODY)

    server.answers["*"] = [answer]
    seen: list[tuple[int, int | None]] = []

    file = download(f"http://{server.address}/", part, HTTP, lambda *far: seen.append(far), QUICK)

    assert file.read_bytes() == BODY
    assert seen[-1] == (len(BODY), None)


def test_an_address_with_spaces_and_letters_of_any_script_is_asked_for(server: Server, part: Part) -> None:
    assert get(server, part, "/my \u00fc file.zip?a=b c") == BODY
    assert server.asked[0][0] == "/my%20%C3%BC%20file.zip"


# What may pass is tried again.


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(
    server: Server, part: Part, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["*"] = [says(status), says(status), body()]

    assert get(server, part) == BODY
    assert len(server.asked) == 3
    assert f"{server.address}: answered {status}" in capsys.readouterr().err


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_what_will_not_pass_is_not_tried_again(server: Server, part: Part, status: int) -> None:
    server.answers["*"] = [says(status)]

    assert f"{server.address} answered {status}" in mistake(server, part)
    assert len(server.asked) == 1


def test_the_pause_that_a_server_asks_for_is_kept(
    server: Server, part: Part, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers["*"] = [says(429, Retry_After=1), body()]

    assert get(server, part) == BODY
    assert "answered 429 Too Many Requests: trying again in 1.0 s" in capsys.readouterr().err


def test_too_long_a_pause_ends_the_fetch_and_is_named(server: Server, part: Part) -> None:
    server.answers["*"] = [says(503, Retry_After=3600)]

    assert "asks to wait 3,600 seconds: run fetch again later" in mistake(server, part)


@pytest.mark.fault(
    "fetch",
    "the server does not answer or answers with an error, again and again",
    wanted="five tries with growing pauses, then an end; what came is kept",
    said="…, in … tries: run fetch again later, or …",
)
def test_the_tries_have_an_end(server: Server, part: Part) -> None:
    server.answers["*"] = [says(503)]

    assert "answered 503 Service Unavailable, in 5 tries: run fetch again later, or download" in mistake(server, part)
    assert len(server.asked) == 5


def test_a_server_that_is_not_there_says_what_to_do_instead(part: Part) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(RunhiveError, match=rf"^127.0.0.1:{port}: .*refused, in 5 tries: .*set data.url to the fi"):
            download(f"https://127.0.0.1:{port}/a.zip", part, Rules(), None, QUICK)


def test_a_host_that_nobody_knows_is_one_line(part: Part) -> None:
    with pytest.raises(RunhiveError, match=r"^nowhere.invalid: .*, in 5 tries"):
        download("https://nowhere.invalid/a.zip", part, Rules(), None, QUICK)


# A break is no new start.


@pytest.mark.fault(
    "fetch",
    "the connection breaks in the middle of a file",
    wanted="the rest is asked for, with `If-Range`",
)
@pytest.mark.parametrize("validator", ["etag", "date"])
def test_what_came_before_a_reset_is_not_asked_for_again(server: Server, part: Part, validator: str) -> None:
    if validator == "etag":
        server.answers["*"] = [broken_off(100_000), body()]
    else:
        date = "Wed, 01 Oct 2025 07:28:00 GMT"

        def rest(handler: Handler) -> None:
            assert handler.headers["If-Range"] == date
            place = f"bytes 1000-{len(BODY) - 1}/{len(BODY)}"
            handler.head(206, Content_Range=place, Content_Length=len(BODY) - 1000)
            handler.wfile.write(BODY[1000:])

        part.begin(date)
        part.body.write_bytes(BODY[:1000])
        server.answers["*"] = [rest]

    assert get(server, part) == BODY
    assert server.ranges()[-1] == ("bytes=100000-" if validator == "etag" else "bytes=1000-")


def test_a_download_of_many_breaks_ends_as_long_as_each_brings_something(server: Server, part: Part) -> None:
    big = BODY * 4
    step = 2**20 + 1

    def next_step(handler: Handler) -> None:
        start = int((handler.headers.get("Range") or "bytes=0-")[6:-1])
        place = {"Content_Range": f"bytes {start}-{len(big) - 1}/{len(big)}"} if start else {}
        handler.head(206 if start else 200, Content_Length=len(big) - start, ETag='"1"', **place)
        handler.wfile.write(big[start : start + step])

    server.answers["*"] = [next_step]

    assert get(server, part) == big
    assert len(server.asked) > QUICK.tries


@pytest.mark.fault(
    "fetch",
    "the file at the server changes between two tries",
    wanted="it is taken from its start; two versions are never joined",
)
def test_a_file_that_changed_meanwhile_is_taken_from_its_start(server: Server, part: Part) -> None:
    server.answers["*"] = [broken_off(100_000), body(BODY[::-1], etag='"2"')]

    assert get(server, part) == BODY[::-1]
    assert server.ranges() == [None, "bytes=100000-"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(server: Server, part: Part) -> None:
    server.answers["*"] = [broken_off(100_000), says(200, BODY)]

    assert get(server, part) == BODY


@pytest.mark.parametrize(
    "wrong",
    [
        says(206, BODY, Content_Range=f"bytes 0-{len(BODY) - 1}/{len(BODY)}", ETag='"1"'),
        says(206, BODY[100_000:], Content_Range=f"bytes 100000-{len(BODY) - 1}/{len(BODY)}", ETag='"2"'),
        says(206, BODY[100_000:]),
        says(416, Content_Range="bytes */5"),
        says(416),
    ],
)
def test_another_part_than_the_one_asked_for_is_not_joined(server: Server, part: Part, wrong: Answer) -> None:
    server.answers["*"] = [broken_off(100_000), wrong, body()]

    assert get(server, part) == BODY
    assert server.ranges() == [None, "bytes=100000-", None]


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
def test_without_a_strong_validator_nothing_is_joined(server: Server, part: Part, etag: str | None) -> None:
    server.answers["*"] = [broken_off(100_000, etag=etag), body(etag=etag)]

    assert get(server, part) == BODY
    assert server.ranges() == [None, None]


def test_a_file_that_is_here_and_has_not_changed_is_not_sent_again(server: Server, part: Part) -> None:
    get(server, part)

    assert get(server, part) == BODY
    assert server.ranges() == [None, f"bytes={len(BODY)}-"]


def test_the_part_of_a_download_that_failed_is_kept_for_the_next(server: Server, part: Part) -> None:
    server.answers["*"] = [broken_off(100_000), says(503)]

    assert "run fetch again to go on after 100,000 bytes" in mistake(server, part)
    server.answers["*"] = [body()]
    assert get(server, Part(part.folder)) == BODY
    assert server.ranges()[-1] == "bytes=100000-"


@pytest.mark.parametrize("content", [b"", b"{", b'["a"]', b"\xff"])
def test_a_damaged_note_beside_the_bytes_means_from_the_start(server: Server, part: Part, content: bytes) -> None:
    part.begin('"1"')
    part.body.write_bytes(b"wrong")
    (part.folder / "validator.json").write_bytes(content)

    assert get(server, part) == BODY
    assert server.ranges() == [None]


def test_a_body_that_ends_early_is_never_taken_for_the_whole(server: Server, part: Part) -> None:
    server.answers["*"] = [says(200, BODY, Content_Length=len(BODY) + 1)]

    assert mistake(server, part).startswith(f"{server.address}: closed after 2,304,000 of 2,304,001 bytes, in 5 tries")


# A server that is too slow is left.


@pytest.mark.fault(
    "fetch",
    "the server falls silent",
    wanted="after a time-out the rest is asked for",
)
def test_a_server_that_falls_silent_is_asked_for_the_rest(
    server: Server, part: Part, released: threading.Event
) -> None:
    server.answers["*"] = [stalled(50_000, released), body()]

    assert get(server, part, patience=Patience(read=0.5, pause=0.01)) == BODY
    assert server.ranges() == [None, "bytes=50000-"]


@pytest.mark.fault(
    "fetch",
    "the server sends a byte now and then",
    wanted="that counts as stalled, and the rest is asked for",
)
@pytest.mark.parametrize("prefix", [b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_server_that_sends_a_byte_now_and_then_has_stalled(
    server: Server, part: Part, released: threading.Event, prefix: bytes
) -> None:
    server.answers["*"] = [dripping(released, prefix), body()]

    assert get(server, part, patience=Patience(slow_seconds=0.5, pause=0.01)) == BODY


# What is not wanted is not kept.


@pytest.mark.fault(
    "fetch",
    "the server sends a page of HTML instead",
    wanted="nothing of it is kept",
    said="… got a page of HTML or XML, not an archive, that says …",
)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PAGE, "got a page of HTML or XML, not an archive, that says 'Sign in to Example &amp; Co'"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "that says 'AccessDenied'"),
        (b"<p>\x1b[31mred\n", r"\x1b[31mred"),
    ],
)
def test_a_page_instead_of_an_archive_is_shown_and_not_kept(
    server: Server, part: Part, content: bytes, words: str
) -> None:
    server.answers["*"] = [says(200, content, Content_Type="application/zip")]

    assert words in mistake(server, part)
    assert not part.folder.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Length": "9" * 5000},
        {"Content_Length": "-1"},
        {"ETag": '"a\r\n b"'},
        {"ETag": '"\xff"', "Last_Modified": "never"},
    ],
    ids=str,
)
def test_headers_of_any_kind_are_survived(server: Server, part: Part, headers: dict[str, str]) -> None:
    def answer(handler: Handler) -> None:
        handler.head(200, **headers)
        handler.wfile.write(BODY)

    server.answers["*"] = [answer]

    assert get(server, part) == get(server, part) == BODY


@pytest.mark.parametrize("wish", ["9" * 5000, "soon", "-5", "Wed, 99 Oct 99999 07:28:00 GMT"])
def test_a_wish_to_wait_that_is_none_is_survived(server: Server, part: Part, wish: str) -> None:
    server.answers["*"] = [says(503, Retry_After=wish), body()]

    assert get(server, part) == BODY


def test_headers_that_are_cut_are_no_answer(server: Server, part: Part) -> None:
    """http.client takes them for whole ones, and what follows for an empty body."""
    server.answers["*"] = [lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le"), body()]

    assert get(server, part) == BODY


@pytest.mark.fault(
    "fetch",
    "the file has another SHA-256 than `data.sha256`",
    wanted="nothing of it is kept",
    said="… has the SHA-256 …, data.sha256 is …",
)
def test_the_sum_of_a_download_is_checked(server: Server, part: Part) -> None:
    right = hashlib.sha256(BODY).hexdigest()

    assert get(server, part, rules=Rules(sha256=right, allow_http=True)) == BODY
    message = mistake(server, part, rules=Rules(sha256="0" * 64, allow_http=True))
    assert right in message and "0" * 64 in message
    assert not part.folder.exists()


@pytest.mark.fault(
    "fetch",
    "the file is larger than `data.max_bytes`, announced or not",
    wanted="the download ends there, nothing is kept",
    said="… more than … bytes: raise data.max_bytes …",
)
@pytest.mark.parametrize("length", [{}, {"Content_Length": 10**12}])
def test_what_is_over_the_cap_is_not_downloaded(server: Server, part: Part, length: dict[str, int]) -> None:
    def answer(handler: Handler) -> None:
        handler.head(200, **length)
        handler.wfile.write(BODY)

    server.answers["*"] = [answer]

    message = mistake(server, part, rules=Rules(max_bytes=100_000, allow_http=True))
    assert "more than 100,000 bytes: raise data.max_bytes" in message
    assert not part.folder.exists()


def test_a_folder_that_cannot_be_written_is_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    assert "cannot be written (Not a directory)" in mistake(server, Part(tmp_path / "file" / "part"))


# Where it may come from.


@pytest.mark.parametrize("url", ["http://host/a.zip", "ftp://host/a.zip", "HTTP://host/a"])
def test_only_https_is_taken(part: Part, url: str) -> None:
    with pytest.raises(RunhiveError, match=r"^host: .* is refused, anybody on the way may alter"):
        download(url, part, Rules(), None, QUICK)


@pytest.mark.parametrize("url", ["https://[::1/a.zip", "https://", "https:///a.zip"])
def test_an_address_that_is_none_is_said_to_be_none(part: Part, url: str) -> None:
    with pytest.raises(RunhiveError, match="not an address"):
        download(url, part, Rules(), None, QUICK)


@pytest.fixture
def https_url(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server behind a certificate that this process trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certify(server, tmp_path)))
    return f"https://localhost:{server.server_port}"


def test_https_is_downloaded(server: Server, part: Part, https_url: str) -> None:
    server.answers["*"] = [broken_off(70_000), body()]

    assert download(f"{https_url}/whole", part, Rules(), None, QUICK).read_bytes() == BODY
    assert server.ranges() == [None, "bytes=70000-"]


@pytest.mark.fault(
    "fetch",
    "a certificate that nobody vouches for",
    wanted="refused, with no second try",
    said="… certificate refused (…): …",
)
def test_an_unknown_certificate_is_refused_at_once(
    server: Server, part: Part, https_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(RunhiveError, match="certificate refused"):
        download(f"{https_url}/whole", part, Rules(), None, QUICK)
    assert "again" not in capsys.readouterr().err


@pytest.mark.fault(
    "fetch",
    "https is redirected to http",
    wanted="refused before anything is sent",
    said="… leads to …: http is refused …",
)
@pytest.mark.parametrize("rules", [Rules(), HTTP])
def test_https_never_leads_to_http(server: Server, part: Part, https_url: str, rules: Rules) -> None:
    server.answers["*"] = [redirect("http://localhost:1/whole")]

    with pytest.raises(RunhiveError, match=r"localhost:\d+ leads to localhost:1: http is refused"):
        download(f"{https_url}/away", part, rules, None, QUICK)
    assert not part.folder.exists()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(server: Server, part: Part, status: int) -> None:
    server.answers["/from"] = [redirect("whole?signed=yes#here", status)]

    assert get(server, part, "/from") == BODY
    assert [path for path, _ in server.asked] == ["/from", "/whole"]


@pytest.mark.fault(
    "fetch",
    "redirects without an end",
    wanted="ten are followed",
    said="… more than 10 redirects",
)
@pytest.mark.parametrize(("hops", "is_fine"), [(10, True), (11, False)])
def test_ten_redirects_are_followed_and_no_more(server: Server, part: Part, hops: int, is_fine: bool) -> None:
    for hop in range(hops):
        server.answers[f"/{hop}"] = [redirect(f"/{hop + 1}")]

    if is_fine:
        assert get(server, part, "/0") == BODY
    else:
        assert "more than 10 redirects" in mistake(server, part, "/0")
        assert len(server.asked) == 11


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_public_host_leads_to_no_private_address(address: str) -> None:
    assert reach_of(address) == "private"


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "::ffff:169.254.169.254"])
def test_addresses_of_the_link_are_told_apart(address: str) -> None:
    assert reach_of(address) == "link-local"


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "example.org"])
def test_others_are_public(address: str) -> None:
    assert reach_of(address) == "public"


@pytest.mark.fault(
    "fetch",
    "a redirect to the address of a cloud's metadata service",
    wanted="refused before anything is sent",
    said="a redirect to the link-local address … is refused …",
)
def test_a_redirect_from_here_to_the_metadata_service_is_refused_before_it_is_asked(server: Server, part: Part) -> None:
    server.answers["*"] = [redirect("http://169.254.169.254/latest/meta-data")]

    assert "a redirect to the link-local address 169.254.169.254 is refused" in mistake(server, part)


def test_a_name_that_leads_to_a_private_address_gets_no_request(server: Server) -> None:
    """The address that was connected to decides, whatever a name was said to stand for before."""
    url = parsed(f"http://localhost:{server.server_port}/whole")

    with (
        pytest.raises(RunhiveError, match=r"private address (127\.0\.0\.1|::1) is refused"),
        answered(url, {}, QUICK, "public"),
    ):
        pass
    assert server.asked == []


def test_a_proxy_is_used_and_may_not_lead_inside_either(
    server: Server, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:secret@{server.address}")
    monkeypatch.delenv("no_proxy", raising=False)
    server.answers["http://data.example/away"] = [redirect(f"http://{server.address}/inside")]

    with opened("http://data.example/whole", {}, QUICK, allow_http=True) as response:
        assert response.read() == BODY
    with pytest.raises(RunhiveError, match="private address"), opened("http://data.example/away", {}, QUICK, True):
        pass
    assert [path for path, _ in server.asked] == ["http://data.example/whole", "http://data.example/away"]
    assert server.asked[0][1]["Proxy-Authorization"].startswith("Basic ")


def test_what_is_secret_in_an_address_is_in_no_message(server: Server, part: Part) -> None:
    server.answers["*"] = [says(404)]

    message = mistake(server, part, "/a?signature=hunter3#hunter4")

    assert "hunter" not in message
