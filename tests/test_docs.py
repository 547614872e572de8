"""What README.md and docs/ say exists: commands, files, keys, links; and the generated pages are fresh."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import yaml

import docs_faults
import docs_files
import docs_gate
import docs_reference
from runhive import presets
from runhive.cli import commands
from runhive.formats.predictions import Predictions
from runhive.params import known_keys, parse_params
from runhive.tracking.comparison import Comparison
from runhive.tracking.ledger import event_types, run
from runhive.tracking.ledger.states import STATES

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
FILE_PATH = re.compile(r"(?:data|models|results|site|docs)/[\w./]*\w")
KEY = re.compile(r"(?:data|model|train|evaluate|export|gate)(?:\.[a-z_]+)+")
FILE_ENDINGS = (".json", ".csv", ".md", ".onnx", ".safetensors", ".yaml", ".yml", ".py")
PLAIN_COMMANDS = {"git", ".", "pytest", "cd", "rm", "export"}
MAKEFILE = (ROOT / "Makefile").read_text()


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    return [body for found, body in FENCE.findall(path.read_text()) if found == language]


def shell_commands() -> list[tuple[str, str]]:
    """Each command of the sh blocks with its page, and those in running text that begin with a known program."""
    found = []
    for page in PAGES:
        lines = [line for block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
        prose = FENCE.sub("", page.read_text())
        lines += [code for code in CODE.findall(prose) if re.match(r"(runhive|make|dvc) [a-z]", code)]
        found += [(name(page), line) for line in dict.fromkeys(lines) if line.partition("#")[0].strip()]
    return found


@cache
def dvc_parser() -> Any:
    from dvc.cli.parser import get_main_parser

    return get_main_parser()


def fault(command: str) -> str | None:
    """Say what in *command* does not exist, or None."""
    program, *arguments = shlex.split(command, comments=True)
    match program:
        case "runhive":
            return runhive_fault(arguments)
        case "make":
            return make_fault(arguments)
        case "dvc":
            return dvc_fault(arguments)
    return None if program in PLAIN_COMMANDS else f"{program} is no program that the docs may name"


def runhive_fault(arguments: list[str]) -> str | None:
    command: click.Command = commands
    while isinstance(command, click.Group) and arguments:
        inner = command.commands.get(arguments[0])
        if inner is None:
            return f"runhive has no {arguments[0]}"
        command, arguments = inner, arguments[1:]
    if isinstance(command, click.Group):
        return None  # the group itself is named
    try:
        if arguments:  # a mere name stands for the command, whatever it needs
            command.make_context(command.name, list(arguments))
    except click.UsageError as error:
        return error.format_message()
    return use_fault(arguments) if command.name == "use" else None


def use_fault(arguments: list[str]) -> str | None:
    if not arguments or arguments[0].isupper():
        return None
    preset, *changes = arguments
    parse_params(presets.with_changes(presets.presets()[preset], changes))
    return None


def make_fault(arguments: list[str]) -> str | None:
    targets = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    for argument in arguments:
        variable, separator, _ = argument.partition("=")
        if separator and not re.search(rf"^{variable} \?=", MAKEFILE, re.MULTILINE):
            return f"the Makefile has no variable {variable}"
        if not separator and argument not in " ".join(targets).split():
            return f"the Makefile has no target {argument}"
    return None


def dvc_fault(arguments: list[str]) -> str | None:
    from dvc.cli import DvcParserError

    if arguments == ["plots"]:
        return None
    try:
        parsed = dvc_parser().parse_args(arguments)
    except (DvcParserError, SystemExit):
        return "dvc refuses this"
    changes = getattr(parsed, "set_param", None) or []
    unknown = [change for change in changes if change.partition("=")[0] not in known_keys()]
    return f"params.yaml has no {unknown[0]}" if unknown else None


@pytest.mark.parametrize("path", docs_reference.pages(), ids=name)
def test_a_generated_page_is_fresh(path: Path) -> None:
    message = f"{name(path)} is stale: run `{docs_reference.COMMAND}`"

    assert path.read_text() == docs_reference.pages()[path], message


@pytest.mark.parametrize(("page", "command"), shell_commands())
def test_every_command_exists(page: str, command: str) -> None:
    assert fault(command) is None


@pytest.mark.parametrize(
    "command",
    [
        "runhive register",
        "runhive compare --last 3",
        "runhive runs shove",
        "make deploy",
        "make demo GPU=1",
        "dvc reproduce",
        "dvc exp run --tmp",
        "dvc exp run -S train.rate=1",
        "docker run it",
    ],
)
def test_a_command_that_does_not_exist_is_found(command: str) -> None:
    assert fault(command) is not None


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_resolves(page: Path) -> None:
    links = [link for link, _ in LINK.findall(FENCE.sub("", page.read_text())) if link and "://" not in link]

    assert [link for link in links if not (page.parent / link).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_key_of_params_exists(page: Path) -> None:
    named = [code.split(":")[0].split("=")[0] for code in CODE.findall(FENCE.sub("", page.read_text()))]
    keys = [code for code in named if KEY.fullmatch(code) and not code.endswith(FILE_ENDINGS)]

    assert [key for key in keys if key not in set(known_keys())] == []


def test_every_path_in_the_readme_s_picture_is_written_by_a_stage_or_there() -> None:
    (picture,) = blocks(ROOT / "README.md", "text")
    outs = {out for stage in docs_files.stage_outs().values() for out in stage}
    site = {Path("site", page.relative_to(ROOT / "docs")).with_suffix(".html").as_posix() for page in PAGES[1:]}
    named = FILE_PATH.findall(picture)

    assert len(named) >= len(outs)
    assert [path for path in named if path not in outs | site and not (ROOT / path).exists()] == []
    assert sorted(outs - set(named)) == ["site/stamp.json"]


def test_the_readme_s_picture_has_the_stages_of_dvc_yaml() -> None:
    (picture,) = blocks(ROOT / "README.md", "text")

    assert re.findall(r"▶ (\w+)", picture) == list(docs_files.stage_outs())


def test_every_page_is_in_the_navigation_or_said_not_to_be() -> None:
    configuration = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    listed = [*leaves(configuration["nav"]), *configuration.get("not_in_nav", "").split()]
    there = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES[1:]]

    assert sorted(set(there) - {page.lstrip("/") for page in listed}) == []


def test_the_tutorial_names_the_change_that_make_demo_makes() -> None:
    (changes,) = re.findall(r"^demo:.*?--set-param (\S+)$", MAKEFILE, re.MULTILINE | re.DOTALL)[:1]

    assert f"`{changes}`" in (ROOT / "docs/tutorial/first-run.md").read_text()


def leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    else:
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(branch)


def event_rows() -> dict[str, str]:
    """Rows of the table of events, by type."""
    page = (ROOT / "docs/reference/ledger.md").read_text()
    return dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE))


def test_the_ledger_s_page_lists_the_events_that_a_record_folds() -> None:
    assert set(event_rows()) == {*event_types.DATA, *run.PHASES, "compared"}


def test_the_ledger_s_page_lists_the_fields_of_each_event() -> None:
    rows = event_rows()
    named = {type: set(shape.model_fields) - set(CODE.findall(rows[type])) for type, shape in event_types.DATA.items()}

    assert {type: missing for type, missing in named.items() if missing} == {}


def test_the_ledger_s_page_lists_the_fields_of_a_comparison_and_of_what_started() -> None:
    rows = event_rows()

    assert CODE.findall(rows["compared"]) == [field.name for field in fields(Comparison)]
    assert set(run.DESCRIPTION) <= set(CODE.findall(rows["started"]))


def test_the_page_of_resume_lists_the_states() -> None:
    page = (ROOT / "docs/how-to/resume.md").read_text()

    assert tuple(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == STATES


def test_the_columns_of_the_plots_are_those_that_evaluate_writes(tmp_path: Path) -> None:
    from runhive.stages.evaluate import write_plots

    labels, logits = np.array([0, 1, 1]), np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    write_plots(tmp_path, Predictions(["a", "b"], ["1", "2", "3"], ["1", "2", "3"], labels, logits))
    written = {f"results/plots/{path.name}": path.read_text().splitlines()[0] for path in tmp_path.iterdir()}

    assert written == {path: ",".join(columns) for path, columns in docs_files.PLOTS.items()}


def test_the_power_of_the_gate_is_as_computed() -> None:
    page = docs_gate.PAGE.read_text().splitlines()

    assert [row for row in docs_gate.rows() if row not in page] == []


@cache
def texts(folder: Path) -> set[str]:
    """What the code in *folder* says, but for the marks of faults."""
    found = set()
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text())
        marks = {inner for node in ast.walk(tree) if docs_faults.is_mark(node) for inner in ast.walk(node)}
        found |= {
            node.value.replace("\\", "").strip()
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in marks
        }
    return found


@pytest.mark.parametrize("one", [one for one in docs_faults.faults() if one.said], ids=lambda one: one.test[5:60])
def test_the_message_of_a_fault_is_said_by_the_code_and_asked_for_by_its_test(one: docs_faults.Fault) -> None:
    clauses, asked = docs_faults.clauses(one.said), texts(ROOT / one.file.parent)
    known = "\n".join(texts(ROOT / "pipeline") | asked)

    assert [clause for clause in clauses if clause not in known] == []
    telling = [clause for clause in clauses if len(clause) > 8]
    assert any(text in one.said or any(clause in text for clause in telling) for text in asked if len(text) > 8)
