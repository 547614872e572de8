"""The promises of the layout: who may import whom, what dvc.yaml lists, and what no light command loads."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from runhive.cli import EXTRAS

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "pipeline"
PACKAGE = SOURCE / "runhive"
LEAVES = {"errors", "files", "mistakes", "params", "formats", "metrics", "decode", "preprocess"}
MAY_IMPORT = {
    "errors": set(),
    "driver": {"errors"},
    "files": {"errors"},
    "mistakes": set(),
    "params": {"errors", "mistakes"},
    "formats": {"errors", "files", "metrics"},
    "metrics": set(),
    "decode": {"errors", "mistakes"},
    "preprocess": {"decode", "formats"},
    "presets": {"errors", "files", "params"},
    "data": LEAVES,
    "vision": LEAVES,
    "tracking": LEAVES,
    "report": LEAVES | {"scoring", "tracking"},
    "terminal": LEAVES | {"tracking", "report"},
    "scoring": LEAVES | {"data", "tracking"},
    "gate": LEAVES | {"scoring", "tracking"},
    "stages": LEAVES | {"data", "vision", "scoring", "tracking", "report"},
    "api": LEAVES | {"tracking"},
    "actions": LEAVES | {"gate", "presets", "report", "scoring", "terminal", "tracking"},
    "compute": LEAVES | {"actions", "presets", "report", "terminal", "tracking"},
    "commands": LEAVES
    | {"actions", "compute", "driver", "gate", "presets", "report", "scoring", "stages", "terminal", "tracking"},
    "cli": {"commands", "errors"},
}
# Imported by a stage but without a say in its outs, so that mending them retrains nothing.
EXEMPT = {
    "errors.py": "only messages",
    "mistakes.py": "only messages",
    "params": "DVC itself tracks the values",
    "files.py": "only how bytes reach the disk",
    "tracking": "the ledger is a side effect",
    "data/progress.py": "only what is printed",
    "stages/opened.py": "the run's life in the ledger",
    "stages/output.py": "only what is printed",
    "stages/progress.py": "only what is printed",
    "stages/phase.py": "only times, beside the outs",
    "stages/stopping.py": "only when it stops",
    "stages/alike.py": "only refuses",
    "stages/launch.py": "only how processes start",
    "stages/node.py": "only how processes meet",
    "stages/refusal.py": "only messages",
    "stages/tethered.py": "only how processes end",
}
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def module_file(name: str) -> Path | None:
    path = SOURCE.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


@cache
def imports(path: Path) -> frozenset[Path]:
    """Files of the package that *path* imports, also inside functions."""
    return frozenset(file for name in imported(path) if name.startswith("runhive.") and (file := module_file(name)))


def imported(path: Path) -> Iterator[str]:
    """Names of the modules that *path* imports, and of what it takes from them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def closure(path: Path) -> set[Path]:
    seen: set[Path] = set()
    todo = [path]
    while todo:
        if (current := todo.pop()) not in seen:
            seen.add(current)
            todo.extend(imports(current))
    return {file for file in seen if file.read_text().strip() and file.name != "__init__.py"}


def is_exempt(path: Path) -> bool:
    relative = path.relative_to(PACKAGE)
    return any(relative == Path(one) or Path(one) in relative.parents for one in EXEMPT)


def layer(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_layers(path: Path) -> None:
    if layer(path) in ("__init__", "__main__"):
        return
    used = {layer(file) for file in imports(path)} - {layer(path)}

    assert used <= MAY_IMPORT[layer(path)]


@pytest.mark.parametrize("stage", STAGES)
def test_the_deps_of_a_stage_are_its_modules_no_fewer_and_no_more(stage: str) -> None:
    """A module missing from deps means a stale result that DVC calls up to date; one too many, work for nothing."""
    needed = {file for file in closure(PACKAGE / "stages" / f"{stage}.py") if not is_exempt(file)}
    listed = [ROOT / dependency for dependency in STAGES[stage]["deps"] if dependency.startswith("pipeline")]
    covered = {file for one in listed for file in (one.rglob("*.py") if one.is_dir() else [one])}
    covered = {file for file in covered if file.name != "__init__.py" and not is_exempt(file)}

    assert sorted(str(file.relative_to(ROOT)) for file in needed - covered) == []
    assert sorted(str(file.relative_to(ROOT)) for file in covered - needed) == []


def test_every_exemption_exists() -> None:
    assert [one for one in EXEMPT if not (PACKAGE / one).exists()] == []


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["use"],
        ["schema"],
        ["runs", "list"],
        ["runs", "--help"],
        ["fetch", "--help"],
        ["compare"],
        ["data"],
        ["run", "--help"],
    ],
    ids=" ".join,
)
def test_no_light_command_imports_torch(command: list[str], tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    script = (
        "import sys; from runhive.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], cwd=tmp_path, env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stderr.splitlines()[-1] == "False"


def test_every_package_that_is_imported_comes_with_the_core_or_with_an_extra_that_the_message_can_name() -> None:
    core = re.findall(r'^  "([\w.-]+)', (ROOT / "pyproject.toml").read_text().partition("[project.optional")[0], re.M)
    owners = packages_distributions()
    named = {module for modules in EXTRAS.values() for module in modules.split()}
    ours = {"runhive", *sys.stdlib_module_names, *named}
    foreign = {name.partition(".")[0] for path in PACKAGE.rglob("*.py") for name in imported(path)} - ours

    assert len(core) > 10
    beside = {"pydantic_core": "pydantic", "dvc_objects": "dvc"}  # what these cannot be installed without
    strays = {name for name in foreign if not {*owners[name], beside.get(name)} & {*core, *named}}
    assert strays == set()


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        ("train", "torch", "train"),
        ("evaluate", "torch", "train"),
        ("export", "onnx", "train"),
        ("report", "jinja2", "report"),
        ("report", "markupsafe", "report"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(command: str, module: str, extra: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    script = f"import sys; sys.modules[{module!r}] = None; from runhive.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, command], cwd=tmp_path, env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin"},
        capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == f"runhive: {module} is not installed: run `pip install 'runhive[{extra}]'`\n"
