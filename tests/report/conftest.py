"""Built once for all tests here: the sample's site, a site of hostile runs, an empty one, and the browser."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pygit2
import pytest
from playwright.sync_api import Browser, Page

import runhive
from runhive.report.npm import bring, locked
from runhive.report.site import build
from runhive.tracking.ledger.ledger import Ledger, open_ledger

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # importlib mode does not: sample_ledger and others lie here
AXE = """async () => (await axe.run({
  preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
})).violations.flatMap(one => one.nodes.map(node => [one.id, node.html.slice(0, 200)]))"""
# What the theme itself writes: its search has no name as a dialog, its copy buttons are landmarks without one.
OF_THE_THEME = {"aria-dialog-name": '<div class="md-search"', "landmark-unique": '<nav class="md-code__nav"'}
OWN = ("file://", "blob:", "data:", "http://127.0.0.1:")


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shell as it is shipped, without the other pages of the docs."""
    folder = tmp_path_factory.mktemp("source")
    shell = re.sub(r"^  - [\w-]+:\n(?:      - .*\n)+", "", (ROOT / "mkdocs.yml").read_text(), flags=re.MULTILINE)
    (folder / "mkdocs.yml").write_text(shell)  # the navigation without the other pages
    for name in ("runs", "data", "compare", "trends", "models"):
        (folder / "docs" / name).mkdir(parents=True)
    for page in (
        "index.md", "runs/index.md", "runs/run.md", "data/index.md", "compare/index.md", "trends/index.md",
        "models/index.md", "models/version.md",
    ):  # fmt: skip
        shutil.copy(ROOT / "docs" / page, folder / "docs" / page)
    return folder


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    import sample_ledger

    return sample_ledger.make_ledger(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    folder = tmp_path_factory.mktemp("empty")
    pygit2.init_repository(str(folder))
    return open_ledger(folder)


@pytest.fixture(scope="session")
def site(ledger: Ledger, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _built(ledger, source, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def many_runs(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """More runs than can be compared."""
    import table_ledger

    return table_ledger.make_ledger(tmp_path_factory.mktemp("many"))


@pytest.fixture(scope="session")
def many_site(many_runs: Ledger, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _built(many_runs, source, tmp_path_factory.mktemp("many-site"))


@pytest.fixture(scope="session")
def empty_site(empty_ledger: Ledger, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _built(empty_ledger, source, tmp_path_factory.mktemp("empty-site"))


@pytest.fixture(scope="session")
def hostile_site(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import hostile_ledger

    ledger = hostile_ledger.make_ledger(tmp_path_factory.mktemp("hostile"))
    return _built(ledger, source, tmp_path_factory.mktemp("hostile-site"))


def _built(ledger: Ledger, source: Path, folder: Path) -> Path:
    build(ledger, source, folder / "site")
    return folder / "site"


@pytest.fixture
def told(browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what it told the console or asked of other hosts."""
    page, said = browser.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(OWN) else said.append(request.url))
    yield page, said
    page.close()


@pytest.fixture(scope="session")
def of_npm(source: Path) -> Callable[[str, str], str]:
    """Gives the text of a file of a package that tests/report/npm.toml pins."""

    def text(name: str, file: str) -> str:
        package = locked([name], Path(__file__).with_name("npm.toml"))
        bring(package, source / ".runhive/npm", source)
        return (source / ".runhive/npm" / package[name].files[file]).read_text(encoding="utf-8")

    return text


@pytest.fixture(scope="session")
def axe(of_npm: Callable[[str, str], str]) -> Callable[[Page], list[list[str]]]:
    """Gives what axe-core finds in a whole page, the theme's frame too, but for the faults of OF_THE_THEME."""
    code = of_npm("axe-core", "axe.min.js")

    def faults(page: Page) -> list[list[str]]:
        page.evaluate(code)
        found: list[list[str]] = page.evaluate(AXE)
        return [[fault, html] for fault, html in found if not html.startswith(OF_THE_THEME.get(fault, "\0"))]

    return faults


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
    """Gives the address of a page of a site that a server has under a sub-path."""
    servers: dict[Path, ThreadingHTTPServer] = {}

    def address(page: Path) -> str:
        root = next(folder for folder in page.parents if (folder / "stamp.json").exists()).parent
        if root not in servers:
            servers[root] = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
            Thread(target=servers[root].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[root].server_port}/{page.relative_to(root)}"

    yield address
    for server in servers.values():
        server.shutdown()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def child_environment() -> dict[str, str]:
    """The environment in which a child process finds the code under test."""
    return {**os.environ, "PYTHONPATH": str(Path(runhive.__file__).resolve().parents[1])}
