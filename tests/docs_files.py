"""The page docs/reference/files.md, from dvc.yaml and the classes that own the files; see docs_reference.py."""

import dataclasses
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any, get_type_hints

import yaml
from pydantic import BaseModel

from runhive.formats import (
    data_report,
    evaluation,
    history,
    manifest,
    model_card,
    onnx_metadata,
    parity,
    predictions,
    train_record,
)
from runhive.formats.document import Document
from runhive.metrics import CalibrationBin
from runhive.report import stamp

ROOT = Path(__file__).parent.parent

PLOTS = {
    "results/plots/roc.csv": ("class", "false_positive_rate", "true_positive_rate"),
    "results/plots/pr.csv": ("class", "recall", "precision"),
    "results/plots/calibration.csv": tuple(field.name for field in dataclasses.fields(CalibrationBin)),
    "results/plots/confusion.csv": ("actual", "predicted"),
}
TABLES: dict[str, type] = {"data/manifest.csv": manifest.Image, "models/history.csv": history.Epoch}
DOCUMENTS: dict[str, type[Document]] = {
    "data/report.json": data_report.DataReport,
    "models/model.json": model_card.ModelCard,
    "models/train.json": train_record.TrainRecord,
    "results/evaluation.json": evaluation.Evaluation,
    "results/parity.json": parity.Parity,
    "site/stamp.json": stamp.Stamp,
}
# Files whose form is not a class of runhive.formats, in words.
OTHERS = {
    "data/images": "The images that were kept, as `<split>/<class>/<file>`, with the bytes that they came with.",
    "models/model.safetensors": "The weights, by their names in the torch module. No pickle.",
    "results/plots": "The points of the curves, for `dvc plots` and for the site.",
    "models/model.onnx": (
        "One file. Input `images`: uint8, RGB, (batch, 3, size, size); normalisation is inside the graph. Outputs "
        "`logits` and `probabilities`: float32, (batch, classes). Its metadata, owned by "
        f"`{onnx_metadata.__name__}`, holds {', '.join(f'`{key}`' for key in onnx_metadata.KEYS)}."
    ),
    "models/variants": (
        "The same model in the other number formats of `export.variants`, as `fp16.onnx` and `int8.onnx`, with the "
        "same inputs, outputs and metadata. One that changes too many answers is not here; `results/parity.json` says "
        "why."
    ),
    "results/metrics.json": (
        "The final numbers, grouped as `<split>.<name>` and `export.<name>`. No ids and no times. Git tracks it."
    ),
}


def render_files(generated: str) -> str:
    """The page of the files: each out of dvc.yaml, the module that owns it, its version and its fields.

    *generated* is the remark that says who wrote the page.
    """
    lines = [
        "---",
        "title: Files",
        "description: Every file that a stage writes, who owns it and what it holds.",
        "---",
        generated,
        "",
        "# Files",
        "",
        "Each file has one module that writes and reads it. A JSON file carries `schema_version`; a file of another "
        "version is refused. A CSV file is checked by its columns. Files are written beside their place and renamed, "
        "so a reader sees the old one or the new one.",
        "",
        "Git tracks `params.yaml`, `dvc.lock` and `results/metrics.json`. `site/` is built anew from the ledger and "
        "belongs to nobody's history. Everything else below is in DVC's cache.",
        "",
    ]
    for stage, outs in stage_outs().items():
        lines += [f"## {stage}", ""]
        for out in outs:
            lines += [f"### {out}", "", *_file(out)]
    lines += [
        "## Beside the stages",
        "",
        "These lie in `.runhive/`, which Git ignores.",
        "",
        "| Path | What it is |",
        "|---|---|",
        "| `.runhive/checkpoints/<input digest>/` | `run.json`, the open run of these inputs, and the newest two "
        "`epoch-<epoch>-<step>.safetensors`, each with a `.sha256` beside it. `record` removes the folder; "
        "that of a reproduction has the first run's id behind the digest. |",
        "| `.runhive/live/<run id>.json` | the process that a run lives and dies with; the file's time is the run's "
        "heartbeat |",
        "| `.runhive/replaced/params-<digest>.yaml` | what `runhive use` replaced, where somebody had written it |",
        "| `.runhive/runs/<run id>/` | what a run left and the ledger has not taken up yet: log, samples, numbers |",
        "| `.runhive/logs/fetch.txt` | what fetch printed, for the log of the next training |",
        "| `.runhive/models/<sha256>.onnx` | models that `runhive predict` brought from the DVC remote |",
        "| `.runhive/cache/` | in a repository without DVC, what DVC's cache would hold |",
        "| `.runhive/npm/` | the site's libraries from npm's registry, by SHA-256; may be deleted |",
        "| `.runhive/site/` | the pages of unchanged runs, by SHA-256, for the next build; may be deleted |",
        "| `.runhive/phases/<stage>.json` | how long the stage took in this workspace |",
        "| `.runhive/try-it/` | models and samples as run pages load them, kept between builds; may be deleted |",
        "",
    ]
    return "\n".join(lines)


def stage_outs() -> dict[str, list[str]]:
    """Paths that each stage of dvc.yaml writes."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    return {name: [*map(_path, stage.get("outs", []) + stage.get("metrics", []))] for name, stage in stages.items()}


def _path(out: str | dict[str, Any]) -> str:
    return out if isinstance(out, str) else next(iter(out))


def _file(path: str) -> Iterator[str]:
    if path in DOCUMENTS:
        document = DOCUMENTS[path]
        yield from (f"Owner `{document.__module__}`, schema version {document.version}. {_prose(document)}", "")
        yield from _fields(document)
    elif path in TABLES:
        yield from (f"Owner `{TABLES[path].__module__}`. {_prose(TABLES[path])}", "")
        yield from _fields(TABLES[path])
    elif path == "results/predictions.csv":
        columns = ", ".join(f"`{column}`" for column in predictions.COLUMNS)
        yield f"Owner `{predictions.__name__}`. One row per image of the evaluation set, in the manifest's order."
        yield from ("", f"Columns: {columns}, then `{predictions.LOGIT}<class>` for each class.", "")
    else:
        yield from (OTHERS[path], "")
    if path == "results/plots":
        yield from ("| File | Columns |", "|---|---|")
        yield from (f"| `{file}` | {', '.join(f'`{one}`' for one in columns)} |" for file, columns in PLOTS.items())
        yield ""


def _prose(owner: type) -> str:
    return " ".join(cleandoc(owner.__doc__ or "").split())


def _fields(owner: type) -> Iterator[str]:
    yield from ("| Field | Type |", "|---|---|")
    parts: list[type] = []
    for name, annotation in get_type_hints(owner).items():
        if name in ("version", "oldest", "model_config") or name.startswith("_"):
            continue
        yield f"| `{name}` | {_type(annotation)} |"
        parts += [part for part in [annotation, *getattr(annotation, "__args__", ())] if _is_record(part)]
    yield ""
    for part in parts:
        yield from (f"`{part.__name__}`: {_prose(part)}", "", *_fields(part))


def _is_record(annotation: object) -> bool:
    return isinstance(annotation, type) and (issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation))


def _type(annotation: Any) -> str:
    text = annotation.__name__ if type(annotation) is type or _is_record(annotation) else str(annotation)
    for word in (
        "typing.",
        *(f"{part.__module__}." for part in getattr(annotation, "__args__", ()) if _is_record(part)),
    ):
        text = text.replace(word, "")
    return f"`{text}`".replace(" | ", "` or `")
