"""The scripts of the pages, as ESLint reads them in Chromium: each name is known, and each import is used."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import runhive

ASSETS = Path(runhive.__file__).parent / "report/assets"
LINT = """code => {
  const known = ["runhive", "ort"]; // what the pages' own scripts set, and ONNX Runtime Web
  for (let one = globalThis; one; one = Object.getPrototypeOf(one)) known.push(...Object.getOwnPropertyNames(one));
  const globals = Object.fromEntries(known.map(name => [name, "readonly"]));
  return new eslint.Linter().verify(code, [{
    languageOptions: {ecmaVersion: "latest", sourceType: "script", globals},
    rules: {"no-undef": "error", "no-unused-vars": "error", "no-redeclare": ["error", {builtinGlobals: false}]},
  }]).map(one => `line ${one.line}: ${one.message}`);
}"""


@pytest.fixture(scope="module")
def lint(of_npm: Callable[[str, str], str], browser: Browser) -> Iterator[Callable[[str], list[str]]]:
    """Gives what ESLint says of a script."""
    page = browser.new_page()
    page.evaluate(of_npm("eslint-linter-browserify", "linter.min.js"))
    yield lambda code: page.evaluate(LINT, code)
    page.close()


def test_no_script_uses_a_name_that_it_does_not_have_or_has_one_that_it_does_not_use(
    lint: Callable[[str], list[str]],
) -> None:
    scripts = sorted(ASSETS.glob("*.js"))
    found = {script.name: said for script in scripts if (said := lint(script.read_text(encoding="utf-8")))}

    assert scripts
    assert found == {}


def test_a_forgotten_import_is_found(lint: Callable[[str], list[str]]) -> None:
    code = (ASSETS / "picker.js").read_text(encoding="utf-8")
    forgotten = code.replace("const { element, fill, quiet } =", "const { element, fill } =")

    assert forgotten != code
    assert any("'quiet' is not defined" in one for one in lint(forgotten))
