"""Front-end libraries from a real npm, whose registry is a server on this machine."""

import base64
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from runhive.errors import RunhiveError
from runhive.report.npm import LOCK, Package, Unreachable, bring, locked, place
from runhive.report.site import LIBRARIES, Plan, build
from runhive.tracking.ledger.ledger import Ledger

CODE, LICENCE = b"window.tiny = 1;\n", b"MIT\n"

pytestmark = pytest.mark.skipif(
    not shutil.which("npm") and "CI" not in os.environ, reason="npm is not installed: `apt-get install npm` runs these"
)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def tarball(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


PACKED = tarball({"package.json": b'{"name": "tiny", "version": "1.2.3"}', "dist/tiny.js": CODE, "LICENSE": LICENCE})
PINNED = Package(
    version="1.2.3",
    integrity=f"sha512-{base64.b64encode(hashlib.sha512(PACKED).digest()).decode()}",
    files={"dist/tiny.js": sha256(CODE), "LICENSE": sha256(LICENCE)},
)


class Registry(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a registry that npm is told of by a .npmrc of the project, with the package in it."""
    folder, project = tmp_path / "registry", tmp_path / "project"
    folder.mkdir()
    project.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Registry, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    dist = {"tarball": f"{address}/tiny.tgz", "integrity": PINNED.integrity}
    versions = {"1.2.3": {"name": "tiny", "version": "1.2.3", "dist": dist}}
    (folder / "tiny").write_text(json.dumps({"name": "tiny", "dist-tags": {"latest": "1.2.3"}, "versions": versions}))
    (folder / "tiny.tgz").write_bytes(PACKED)
    (project / ".npmrc").write_text(f"registry={address}/\ncache={tmp_path / 'npm-cache'}\n")
    (project / "package.json").write_text("{}")
    monkeypatch.delenv("npm_config_registry", raising=False)
    yield folder
    server.shutdown()
    server.server_close()


def test_the_pinned_files_and_their_licence_are_brought_once(registry: Path, tmp_path: Path) -> None:
    bring({"tiny": PINNED}, tmp_path / "kept", tmp_path / "project")
    shutil.rmtree(registry)
    bring({"tiny": PINNED}, tmp_path / "kept", tmp_path / "project")
    place({"tiny": PINNED}, tmp_path / "kept", tmp_path / "vendor")

    assert {path.name: path.read_bytes() for path in (tmp_path / "vendor/tiny").iterdir()} == {
        "tiny.js": CODE,
        "LICENSE": LICENCE,
    }
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == sorted(PINNED.files.values())


def test_a_damaged_file_is_brought_again(registry: Path, tmp_path: Path) -> None:
    bring({"tiny": PINNED}, tmp_path / "kept", tmp_path / "project")
    (tmp_path / "kept" / sha256(CODE)).write_bytes(CODE[:-3])
    bring({"tiny": PINNED}, tmp_path / "kept", tmp_path / "project")

    assert (tmp_path / "kept" / sha256(CODE)).read_bytes() == CODE


def test_other_bytes_than_the_pinned_ones_are_refused_and_nothing_is_kept(registry: Path, tmp_path: Path) -> None:
    """npm itself is content: the registry that serves them also says that they are right."""
    packed = tarball(
        {"package.json": b'{"name": "tiny", "version": "1.2.3"}', "dist/tiny.js": b"steal()", "LICENSE": b""}
    )
    told = json.loads((registry / "tiny").read_text())
    told["versions"]["1.2.3"]["dist"]["integrity"] = (
        f"sha512-{base64.b64encode(hashlib.sha512(packed).digest()).decode()}"
    )
    (registry / "tiny").write_text(json.dumps(told))
    (registry / "tiny.tgz").write_bytes(packed)

    with pytest.raises(RunhiveError, match="is not the pinned one") as raised:
        bring({"tiny": PINNED}, tmp_path / "kept", tmp_path / "project")
    assert not isinstance(raised.value, Unreachable)
    assert not (tmp_path / "kept").exists()


def test_a_registry_that_cannot_be_reached_is_one_line(registry: Path, tmp_path: Path) -> None:
    (tmp_path / "project/.npmrc").write_text(f"registry=http://127.0.0.1:9/\ncache={tmp_path / 'npm-cache'}\n")

    with pytest.raises(Unreachable, match=r"npm cannot bring tiny@1\.2\.3 \(.*ECONNREFUSED") as raised:
        bring({"tiny": PINNED}, tmp_path / "kept", tmp_path / "project")
    assert "\n" not in str(raised.value)


@pytest.fixture
def no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without npm: the programs of PATH are Git alone."""
    (tmp_path / "bin").mkdir()
    git = shutil.which("git")
    assert git
    (tmp_path / "bin/git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.mark.usefixtures("no_npm")
def test_without_npm_the_site_says_what_is_lost_and_is_built_static(
    empty_ledger: Ledger, source: Path, tmp_path: Path
) -> None:
    fresh = Path(shutil.copytree(source, tmp_path / "source", ignore=shutil.ignore_patterns(".runhive")))

    with pytest.raises(Unreachable, match=r"^npm is not installed .*charts to zoom.*`runhive report --static`$"):
        build(empty_ledger, fresh, tmp_path / "site")
    assert not (tmp_path / "site").exists()
    build(empty_ledger, fresh, tmp_path / "site", Plan(static=True))
    assert not (tmp_path / "site/assets/vendor").exists()


def test_the_lock_names_no_host_and_pins_a_licence_of_each_library() -> None:
    assert "://" not in LOCK.read_text()
    for name, package in locked(LIBRARIES).items():
        assert any(Path(path).name in ("LICENSE", "package.json") for path in package.files), name
