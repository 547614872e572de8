"""From text to parameters, with one line for each mistake."""

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.mistakes import explain, one_line
from runhive.params.contradictions import contradictions
from runhive.params.keys import known_keys
from runhive.params.sections import Params


def load_params(path: Path) -> Params:
    """Read and validate *path*. Raises RunhiveError with one line for each mistake."""
    try:
        return parse_params(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise RunhiveError(f"{path} is missing: write one with `runhive use digits`") from None
    except UnicodeDecodeError:
        raise RunhiveError(f"{path} is not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def parse_params(text: str, where: str = "params.yaml") -> Params:
    """Validate the YAML *text*; *where* names it in errors."""
    content = parse_yaml(text, where)
    if not isinstance(content, dict):
        raise RunhiveError(f"{where}: must hold keys and values: write it anew with `runhive use digits`")
    try:
        params = Params.model_validate(content)
    except ValidationError as error:
        raise RunhiveError("\n".join(f"{where}: {line}" for line in explain(error, list(known_keys())))) from None
    if lines := [f"{where}: {line}" for line in contradictions(params)]:
        raise RunhiveError("\n".join(lines))
    return params


def parse_yaml(text: str, where: str) -> Any:
    """Parse as DVC does (YAML 1.2), so that both read the same values."""
    try:
        return YAML(typ="safe").load(text)
    except DuplicateKeyError as error:
        key = re.search(r'duplicate key "(.*?)"', str(error.problem))
        raise RunhiveError(
            f"{where}: line {error.problem_mark.line + 1}: the key {one_line(key[1]) if key else '?'} is there twice: "
            "delete one"
        ) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        problem = one_line(getattr(error, "problem", None) or "not YAML")
        raise RunhiveError(f"{where}: {line}{problem}: mend the syntax") from None
    except (ValueError, KeyError, RecursionError) as error:  # ruamel's, for `2026-13-45`, `!!bool x` and `[[[[…`
        problem = "nested too deep" if isinstance(error, RecursionError) else f"a value is not what it says ({error})"
        raise RunhiveError(f"{where}: {one_line(problem)}: mend the syntax") from None
