"""Did two runs have other code? Told by what their dvc.lock names, since a commit of results alone is a commit, too."""

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.report.summary import Summary
from runhive.tracking.ledger.ledger import Ledger

STAGES = ("fetch", "train", "evaluate")  # those whose code decides the numbers


def has_other_code(one: Summary, other: Summary, ledger: Ledger) -> bool:
    """By the digests of what their stages depend on; by the commits' trees where a run has none."""
    found = [_code(ledger.file(run.run_id, "dvc.lock")) for run in (one, other)]
    return found[0] != found[1] if all(found) else one.code.tree != other.code.tree


def _code(lock: bytes | None) -> dict[str, str]:
    """Path and hash of each dependency in a dvc.lock that no stage made; empty where it cannot be read."""
    try:
        stages: dict[str, Any] = YAML(typ="safe").load(lock or b"")["stages"]
        made = {out["path"] for stage in stages.values() for out in stage.get("outs", ())}
        deps = [dep for name in STAGES if name in stages for dep in stages[name].get("deps", ())]
        return {str(dep["path"]): str(dep["md5"]) for dep in deps if dep["path"] not in made and "md5" in dep}
    except (YAMLError, KeyError, TypeError, AttributeError, ValueError):
        return {}
