"""`artifacts:` of dvc.yaml: which names a repository has for its models, and where each lies, as of a commit."""

import re
from dataclasses import dataclass
from typing import Any

import pygit2
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.registry.names import check_name

PIPELINE, PARAMS = "dvc.yaml", "params.yaml"
MODEL = "models/model.onnx"
MODEL_NAME = "model.name"
REFERENCE = re.compile(r"\$\{([\w.-]+)\}")


@dataclass(frozen=True)
class Artifact:
    """A name that dvc.yaml declares, and the path that it stands for.

    `model` is the `model.name` of params.yaml that the name takes in, empty where it takes in none.
    """

    name: str
    path: str
    model: str


def declared(repository: pygit2.Repository, commit: str) -> list[Artifact]:
    """The artifacts of dvc.yaml at *commit*; `${model.name}` in a name is filled in from its params.yaml, as DVC does.

    Raises RunhiveError where dvc.yaml is missing there or cannot be read.
    """
    pipeline = _yaml(repository, commit, PIPELINE)
    artifacts = pipeline.get("artifacts") or {}
    params = _yaml(repository, commit, PARAMS) if any("${" in str(name) for name in artifacts) else {}
    found = []
    for key, told in artifacts.items():
        path = told.get("path") if isinstance(told, dict) else None
        if isinstance(key, str) and isinstance(path, str):
            model = _value(params, MODEL_NAME) if MODEL_NAME in REFERENCE.findall(key) else ""
            found.append(Artifact(REFERENCE.sub(lambda match: _value(params, match[1]), key), path, model))
    return found


def choose(artifacts: list[Artifact], name: str | None) -> Artifact:
    """The artifact *name*, by default the one of the ONNX file. Raises RunhiveError where there is none."""
    models = [one for one in artifacts if one.path == MODEL]
    if name is None and len(models) == 1:
        check_name(models[0].name)
        return models[0]
    names = ", ".join(one_line(one.name) for one in models) or "none"
    if name is None:
        raise RunhiveError(
            f"dvc.yaml at HEAD declares {names} for {MODEL}: say which with --name"
            if models
            else f"dvc.yaml at HEAD declares no artifact for {MODEL}: add one under `artifacts:`, commit it"
        )
    check_name(name)
    for one in models:
        if one.name == name:
            return one
    raise RunhiveError(f"dvc.yaml at HEAD declares no artifact {name} for {MODEL} (there: {names}): add it, commit it")


def _yaml(repository: pygit2.Repository, commit: str, path: str) -> dict[str, Any]:
    try:
        entry = repository[commit].peel(pygit2.Tree)[path]
        content = YAML(typ="safe").load(entry.data) if isinstance(entry, pygit2.Blob) else None
    except KeyError:
        raise RunhiveError(f"{path} is not in commit {commit[:8]}: commit it") from None
    except (YAMLError, ValueError) as error:
        raise RunhiveError(f"{path} at {commit[:8]} cannot be read ({one_line(str(error))[:80]}): mend it") from None
    if not isinstance(content, dict):
        raise RunhiveError(f"{path} at {commit[:8]} holds no keys and values: mend it")
    return content


def _value(params: dict[str, Any], key: str) -> str:
    value: Any = params
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, str):
        raise RunhiveError(f"dvc.yaml names an artifact by ${{{one_line(key)}}}, which {PARAMS} does not have as text")
    return value
