"""Parameter files to start from."""

import difflib
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.params import known_keys, parse_params, parse_yaml


def presets() -> dict[str, str]:
    """The presets that come with Runhive: name to YAML text."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.yaml"))}


def describe() -> str:
    """One line a preset: its name and what its second line says."""
    found = presets()
    width = max(map(len, found))
    return "\n".join(f"{name:{width}}  {text.splitlines()[1].removeprefix('# ')}" for name, text in found.items())


def use(name: str, changes: Sequence[str], path: Path) -> None:
    """Write preset *name* to *path*, with `key=value` *changes*. A mistake is a RunhiveError and writes nothing."""
    found = presets()
    if name not in found:
        near = difflib.get_close_matches(name, found, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(found)}"
        raise RunhiveError(f"there is no preset {name!r}: {hint}")
    text = with_changes(found[name], changes)
    parse_params(text, str(path))
    write_atomic(path, text.encode())


class _NullInWords(RoundTripRepresenter):
    """Writes None as `null`, as the presets do."""


_NullInWords.add_representer(
    type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
)


def with_changes(text: str, changes: Sequence[str]) -> str:
    """Set `key=value` pairs in the YAML *text*, whose comments stay. Values are YAML."""
    yaml = YAML()
    yaml.Representer = _NullInWords
    yaml.width = 120
    content = yaml.load(text)
    for change in changes:
        key, separator, value = change.partition("=")
        if not separator:
            raise RunhiveError(f"{change!r} sets nothing: write KEY=VALUE, such as train.lr=0.01")
        _set(content, key, parse_yaml(value, change))
    written = StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def _set(content: Any, key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for section in sections:
        content = content.get(section) if isinstance(content, dict) else None
    if not isinstance(content, dict):
        near = difflib.get_close_matches(key, list(known_keys()), 1, 0.4)
        raise RunhiveError(
            f"there is no key {key!r}" + (f": did you mean {near[0]}?" if near else ": see `runhive schema`")
        )
    content[last] = value
