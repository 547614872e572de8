"""The generated pages of docs/reference, from the code that they describe.

`python tests/docs_reference.py` writes them.
"""

import fnmatch
import json
import sys
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import BaseModel

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs/reference"
sys.path.insert(0, str(ROOT / "pipeline"))

from docs_faults import render_faults  # noqa: E402
from docs_files import render_files  # noqa: E402  # Runhive itself need not be installed
from runhive import params, presets  # noqa: E402
from runhive.actions import bundle  # noqa: E402
from runhive.cli import commands  # noqa: E402
from runhive.mistakes import ANY  # noqa: E402
from runhive.tracking.ledger import schema  # noqa: E402

COMMAND = "python tests/docs_reference.py"
GENERATED = f"<!-- Written by `{COMMAND}`; do not edit. -->"

# What the models leave to their names. A description in the code may not be repeated here.


def render_params() -> str:
    """The page of params.yaml: every key, what it may hold, what it means, what the presets set."""
    lines = [
        "---",
        "title: params.yaml",
        "description: Every key of params.yaml, what it may hold and what the presets set.",
        "---",
        GENERATED,
        "",
        "# params.yaml",
        "",
        "`params.yaml` is the only source of what a person may tune. Every key must be there, none may be added, "
        "and nothing is converted: a number in quotes is an error. `runhive use` writes the file from a preset.",
        "",
        "DVC watches the sections `data`, `model`, `train`, `evaluate` and `export`. A new `experiment` takes effect "
        "with the next run that trains. `model.name` is written into the model's files. `gate` is what "
        "`runhive models` asks of a model, `compute` where `runhive submit` sends runs, `pages` who may read the site. "
        "`*` stands for a name of your choice.",
        "",
        "The [JSON schema](params.schema.json) is for editors.",
        "",
    ]
    rows = dict(_keys(params.Params.model_json_schema()))
    for section, model in _sections():
        about = [f"{model.__doc__}", ""] if section else []
        lines += [f"## {section or 'At the top'}", "", *about, *_key_table(rows, section), ""]
    return "\n".join([*lines, "## Presets", "", *_preset_table(list(rows)), ""])


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "", params.Params
    for name, field in params.Params.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation


def _key_table(rows: Mapping[str, tuple[str, str]], section: str) -> list[str]:
    lines = ["| Key | Value | Meaning |", "|---|---|---|"]
    for key, (allowed, meaning) in rows.items():
        if key.rpartition(".")[0].partition(".")[0] == section:
            lines.append(f"| `{key}` | {allowed} | {_plain(meaning)} |")
    return lines


def _preset_table(keys: list[str]) -> list[str]:
    texts = presets.presets()
    found = {name: _flat(yaml.safe_load(text)) for name, text in texts.items()}
    lines = [f"- `{name}`: {_plain(text.splitlines()[1].removeprefix('# '))}" for name, text in texts.items()]
    lines += ["", f"| Key | {' | '.join(f'`{name}`' for name in found)} |", f"|---|{'---|' * len(found)}"]
    for key in keys:
        cells = [
            ", ".join(_yaml_value(content[name]) for name in fnmatch.filter(content, key)) for content in found.values()
        ]
        lines.append(f"| `{key}` | {' | '.join(cells)} |")
    return lines


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, but for code."""
    return text.replace("<", "&lt;").replace("*", r"\*").replace("|", r"\|")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key: value}
    return flat


def _yaml_value(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _keys(schema: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every leaf of params.yaml with what it may hold and what it means."""
    found: dict[str, tuple[list[str], str]] = {}
    for key, leaf, choice in _leaves(schema, schema["$defs"], ""):
        allowed = _allowed(leaf) + (f", with `{choice}`" if choice and "const" not in leaf else "")
        described = leaf.get("description", "")
        before, meaning = found.get(key, ([], described))
        assert meaning, f"{key} has no description: give it one in runhive/params"
        found[key] = ([*before, allowed], meaning)
    for key, (allowed_by_choice, meaning) in found.items():
        same = len({one.partition(", with")[0] for one in allowed_by_choice}) == 1 and len(allowed_by_choice) > 1
        joined = allowed_by_choice[0].partition(", with")[0] if same else " or ".join(allowed_by_choice)
        yield key, (joined, meaning)


def _leaves(
    schema: dict[str, Any], definitions: dict[str, Any], prefix: str, choice: str = ""
) -> Iterator[tuple[str, dict[str, Any], str]]:
    for name, field in schema["properties"].items():
        key = f"{prefix}{name}"
        if "oneOf" in field:
            for reference in field["oneOf"]:
                chosen = definitions[reference["$ref"].rpartition("/")[2]]
                yield from _leaves(chosen, definitions, f"{key}.", chosen["properties"]["name"]["const"])
        elif any("$ref" in option for option in field.get("anyOf", [])):
            for option in sorted(field["anyOf"], key=lambda option: "$ref" in option):
                wrapped = {"properties": {name: {"description": field["description"], **option}}}
                yield from _leaves(wrapped, definitions, prefix)
        elif "$ref" in field:
            yield from _leaves(definitions[field["$ref"].rpartition("/")[2]], definitions, f"{key}.")
        elif reference := _reference_of_values(field):
            yield from _leaves(definitions[reference], definitions, f"{key}.{ANY}.")
        else:
            yield key, field, choice


def _reference_of_values(field: Mapping[str, Any]) -> str | None:
    """The section that each value of an open map is."""
    values = next(iter(field.get("patternProperties", {}).values()), {})
    return values["$ref"].rpartition("/")[2] if "$ref" in values else None


def _allowed(field: Mapping[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_allowed(one) for one in field["anyOf"])
    match field["type"]:
        case "null":
            return "`null`"
        case "boolean":
            return "`true` or `false`"
        case "array":
            return f"list of {_allowed(field['items'])}"
        case "object":
            (values,) = field["patternProperties"].values()
            return f"names, each with {_allowed(values)}"
        case "string":
            pattern = field.get("pattern", "|")
            return "text" if "|" in pattern else f"text like `{pattern.strip('^$')}`"
        case "integer":
            low = field.get("minimum", field.get("exclusiveMinimum", -1) + 1)
            high = field.get("maximum", field.get("exclusiveMaximum", 0) - 1)
            return f"integer, {low:,} to {high:,}" if high > low else f"integer, {low:,} or more"
    return f"number, {_bounds(field)}"


def _bounds(field: Mapping[str, Any]) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
    }
    return ", ".join(f"{word} {field[name]:g}" for name, word in words.items() if name in field)


def render_commands() -> str:
    """The page of the command line: each command's usage, help and options."""
    lines = [
        "---",
        "title: Commands",
        "description: Every runhive command with its arguments and options.",
        "---",
        GENERATED,
        "",
        "# Commands",
        "",
        "A mistake that you can mend is one line on stderr and exit code 1. "
        "`dvc repro` calls the commands of the stages as `python pipeline STAGE`; by hand they are for looking closer.",
        "",
    ]
    for context, command in _tree(click.Context(commands, info_name="runhive", **commands.context_settings)):
        lines += [f"## {context.command_path}", "", *_command(context, command)]
    return "\n".join(lines)


def _tree(context: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
    yield context, context.command
    if isinstance(context.command, click.Group):
        for name, command in context.command.commands.items():
            yield from _tree(click.Context(command, info_name=name, parent=context))


def _command(context: click.Context, command: click.Command) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ("```text", usage, "```", "", cleandoc(command.help or ""), "")
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    if isinstance(command, click.Group):
        yield from ("| Command | What it does |", "|---|---|")
        for name, inner in command.commands.items():
            yield f"| [`{name}`](#{f'{context.command_path} {name}'.replace(' ', '-')}) | {_first_line(inner)} |"
        yield ""
    yield from ("| Option | What it does |", "|---|---|")
    yield from (f"| `{names}` | {text} |" for names, text in records)
    yield ""


def _first_line(command: click.Command) -> str:
    return cleandoc(command.help or "").splitlines()[0]


def pages() -> dict[Path, str]:
    """Each generated file with its content."""
    return {
        FOLDER / "params.md": render_params(),
        FOLDER / "commands.md": render_commands(),
        FOLDER / "files.md": render_files(GENERATED),
        FOLDER / "faults.md": render_faults(GENERATED),
        FOLDER / "params.schema.json": params.json_schema(),
        FOLDER / "run.schema.json": schema.json_schema(),
        FOLDER / "bundle.schema.json": bundle.json_schema(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
