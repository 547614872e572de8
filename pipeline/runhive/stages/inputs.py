"""What a stage's result is a function of: data, parameters, code, requirements."""

import hashlib
import importlib.util
import io
import json
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from runhive.errors import RunhiveError
from runhive.files import read_whole, sha256_of
from runhive.stages import paths
from runhive.tracking.secrets import masked_bytes, masked_tree


def code_of(stage: str) -> dict[str, str]:
    """SHA-256 of each code file that *stage* lists in the deps of dvc.yaml, folders walked."""
    found: dict[str, str] = {}
    for dependency in stage_deps(stage):
        files = sorted(dependency.rglob("*.py")) if dependency.is_dir() else [dependency]
        found |= {path.as_posix(): sha256_of(path) for path in files if path.suffix == ".py"}
    return found


def stage_deps(stage: str) -> list[Path]:
    """The deps of *stage* in dvc.yaml. Raises RunhiveError where they cannot be had."""
    try:
        stages = YAML(typ="safe").load(read_whole(paths.PIPELINE))["stages"]
        return [Path(dependency) for dependency in stages[stage]["deps"]]
    except FileNotFoundError:
        raise RunhiveError(f"{paths.PIPELINE} is missing: run this in the root of the repository") from None
    except KeyError:
        raise RunhiveError(f"{paths.PIPELINE}: stages.{stage}.deps is missing: list what the stage reads") from None


def locked_stages() -> dict[str, Any]:
    """What dvc.lock says of each stage; nothing where there is none."""
    return _lock().get("stages") or {}


def kept_inputs(but: Collection[str]) -> dict[str, bytes]:
    """What a run keeps, to be made again from: params.yaml and dvc.lock *but* for these stages, secrets masked."""
    locked = {name: stage for name, stage in locked_stages().items() if name not in but}
    text = io.StringIO()
    YAML().dump(masked_tree({**_lock(), "stages": locked}), text)  # a mask in its text might be read as an alias
    lock = {paths.LOCK.name: text.getvalue().encode()} if locked else {}
    return {paths.PARAMS.name: masked_bytes(read_whole(paths.PARAMS)), **lock}


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of *content* as sorted JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def requirements_digest() -> str | None:
    """SHA-256 of the locked requirements, where the repository has them."""
    return sha256_of(paths.REQUIREMENTS) if paths.REQUIREMENTS.exists() else None


def admit_own_code(stage: str, arch: str) -> None:
    """Let `model.arch: module:function` be imported from the repository's root.

    Raises RunhiveError unless dvc.yaml lists the module's file in *stage*'s deps: DVC does not follow imports,
    so a change of the model would not train it again.
    """
    module, separator, _ = arch.partition(":")
    if not separator:
        return
    sys.path.insert(0, os.curdir)
    top = importlib.util.find_spec(module.partition(".")[0])
    file = Path(*module.split(".")).with_suffix(".py")
    if top is None or not file.exists():
        raise RunhiveError(
            f"params.yaml: model.arch: {file} is not in the repository's root: write it, or name another"
        )
    if not any(dependency == file or dependency in file.parents for dependency in stage_deps(stage)):
        raise RunhiveError(f"{paths.PIPELINE}: add {file} to stages.{stage}.deps: without it DVC misses its changes")


def _lock() -> dict[str, Any]:
    return (YAML(typ="safe").load(read_whole(paths.LOCK)) if paths.LOCK.exists() else None) or {}
