"""results/evaluation.json: how good the model is on one named evaluation set."""

from typing import ClassVar

from runhive.formats.document import Document, Record


class EvaluationSet(Record):
    """The images that were scored: the split's name and the content digest of its images."""

    name: str
    digest: str
    images: int


class ClassScore(Record):
    """One class against the rest. `roc_auc` and `average_precision` are None where a class is absent."""

    label: str
    images: int
    precision: float
    recall: float
    f1: float
    roc_auc: float | None
    average_precision: float | None


class Evaluation(Document):
    """Accuracy is top-1 in [0, 1] with its Wilson 95 % interval; `confusion` has actual classes as rows."""

    version: ClassVar[int] = 1

    metrics_version: int
    evaluation_set: EvaluationSet
    selected_on_these_images: bool
    weights_sha256: str
    classes: list[str]
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    macro_f1: float
    nll: float
    brier: float
    ece: float
    per_class: list[ClassScore]
    confusion: list[list[int]]
