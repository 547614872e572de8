"""Parameter files to start from."""

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import RoundTripRepresenter

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.params import known_keys, parse_params, parse_yaml

REPLACED = Path(".runhive/replaced")


def presets() -> dict[str, str]:
    """The presets that come with Runhive: name to YAML text."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.yaml"))}


def describe() -> str:
    """One line a preset: its name and what its second line says."""
    found = presets()
    width = max(map(len, found))
    return "\n".join(f"{name:{width}}  {text.splitlines()[1].removeprefix('# ')}" for name, text in found.items())


@dataclass(frozen=True)
class Used:
    """What `use` found: where it *kept* the file that it replaced, and the local path of images that is *missing*."""

    kept: Path | None
    missing: str | None


def use(name: str, changes: Sequence[str], path: Path) -> Used:
    """Write preset *name* to *path*, with `key=value` *changes*. A mistake is a RunhiveError and writes nothing."""
    found = presets()
    if name not in found:
        near = difflib.get_close_matches(name, found, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(found)}"
        raise RunhiveError(f"there is no preset {name!r}: {hint}")
    text = with_changes(found[name], changes)
    params = parse_params(text, str(path))
    kept = keep(path, [text, *found.values()])
    write_atomic(path, text.encode())
    url = params.data.url
    is_here = url is None or params.data.source == "dvc" or "://" in url or (path.parent / url).exists()
    return Used(kept, None if is_here else url)


def keep(path: Path, others: Sequence[str]) -> Path | None:
    """Copy *path*, where somebody wrote into it what none of *others* says, and return the copy."""
    if not path.exists() or (content := path.read_bytes()) in [other.encode() for other in others]:
        return None
    kept = path.parent / REPLACED / f"{path.stem}-{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
    write_atomic(kept, content)
    return kept


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
