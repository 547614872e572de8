"""Weights to numbers: the model's logits on one evaluation set, and all that follows from them."""

from pathlib import Path

import numpy as np
import pandas as pd

from runhive import metrics
from runhive.files import write_atomic
from runhive.formats.evaluation import ClassScore, Evaluation, EvaluationSet
from runhive.formats.manifest import content_digest
from runhive.formats.model_card import ModelCard
from runhive.formats.predictions import Predictions, write_predictions
from runhive.params import Params
from runhive.stages import inputs, paths
from runhive.stages.evaluation_set import evaluation_images
from runhive.stages.pixel_cache import pixel_loader
from runhive.tracking.repository import main_root
from runhive.vision.allocator import keep_freed_memory
from runhive.vision.device import choose_device
from runhive.vision.predict import load_classifier, predict_logits


def evaluate(params: Params) -> None:
    """Write the evaluation, the predictions and the data of the plots."""
    keep_freed_memory()
    inputs.admit_own_code("evaluate", params.model.arch)
    card = ModelCard.read(paths.MODEL_CARD)
    images = evaluation_images(params.evaluate.split)
    files = [paths.IMAGES / image.path for image in images]
    classifier = load_classifier(card, paths.WEIGHTS)
    device = choose_device(params.train.device)
    with pixel_loader(main_root(), images, params.train.cache, card.preprocess.resize_size) as load:
        logits = predict_logits(classifier, files, card, device, load).astype(np.float64)
    predictions = Predictions(
        classes=card.classes,
        paths=[image.path for image in images],
        sha256=[image.sha256 for image in images],
        labels=np.array([card.classes.index(image.label) for image in images]),
        logits=logits,
    )
    write_predictions(paths.PREDICTIONS, predictions)
    write_plots(paths.PLOTS, predictions)
    found = score(
        predictions, card, EvaluationSet(name=params.evaluate.split, digest=content_digest(images), images=len(images))
    )
    found.write(paths.EVALUATION)
    selected = " (selected on these images)" if found.selected_on_these_images else ""
    print(
        f"{params.evaluate.split} accuracy {found.accuracy:.4f}{selected}, "
        f"95 % interval {found.accuracy_low:.4f} to {found.accuracy_high:.4f}, {len(images)} images"
    )


def score(predictions: Predictions, card: ModelCard, evaluation_set: EvaluationSet) -> Evaluation:
    """All numbers of one evaluation."""
    labels, probabilities = predictions.labels, metrics.softmax(predictions.logits)
    predicted = predictions.logits.argmax(axis=1)
    confusion = metrics.confusion_matrix(labels, predicted, len(card.classes))
    hits = int((predicted == labels).sum())
    low, high = metrics.wilson_interval(hits, len(labels))
    per_class = [
        class_score(index, card.classes, confusion, probabilities, labels) for index in range(len(card.classes))
    ]
    present = confusion.sum(axis=0) + confusion.sum(axis=1) > 0  # the set may lack a class of train
    return Evaluation(
        metrics_version=metrics.VERSION,
        evaluation_set=evaluation_set,
        selected_on_these_images=card.selection.digest == evaluation_set.digest,
        weights_sha256=card.weights_sha256,
        classes=card.classes,
        accuracy=hits / len(labels),
        accuracy_low=low,
        accuracy_high=high,
        macro_f1=float(np.mean([one.f1 for one in per_class], where=present)),
        nll=metrics.negative_log_likelihood(probabilities, labels),
        brier=metrics.brier_score(probabilities, labels),
        ece=metrics.calibration(probabilities, labels)[0],
        per_class=per_class,
        confusion=confusion.tolist(),
    )


def class_score(
    index: int, classes: list[str], confusion: metrics.Integers, probabilities: metrics.Floats, labels: metrics.Integers
) -> ClassScore:
    """One class against the rest."""
    precision, recall, f1 = (float(values[index]) for values in metrics.precision_recall_f1(confusion))
    roc = metrics.roc_curve(probabilities[:, index], labels == index)
    pr = metrics.precision_recall_curve(probabilities[:, index], labels == index)
    return ClassScore(
        label=classes[index],
        images=int(confusion[index].sum()),
        precision=precision,
        recall=recall,
        f1=f1,
        roc_auc=roc.area if roc else None,
        average_precision=pr.area if pr else None,
    )


def write_plots(folder: Path, predictions: Predictions) -> None:
    """Write the points of the curves as CSV, for `dvc plots` and for the site."""
    probabilities, labels = metrics.softmax(predictions.logits), predictions.labels
    roc, pr = [], []
    for index, label in enumerate(predictions.classes):
        scores, positive = probabilities[:, index], labels == index
        if (curve := metrics.roc_curve(scores, positive)) is not None:
            roc.append(pd.DataFrame({"class": label, "false_positive_rate": curve.x, "true_positive_rate": curve.y}))
        if (curve := metrics.precision_recall_curve(scores, positive)) is not None:
            pr.append(pd.DataFrame({"class": label, "recall": curve.x, "precision": curve.y}))
    classes = np.array(predictions.classes, dtype=object)
    pairs = {"actual": classes[labels], "predicted": classes[predictions.logits.argmax(axis=1)]}
    tables = {
        "roc": pd.concat(roc) if roc else pd.DataFrame(columns=["class", "false_positive_rate", "true_positive_rate"]),
        "pr": pd.concat(pr),
        "calibration": pd.DataFrame(metrics.calibration(probabilities, labels)[1]),
        "confusion": pd.DataFrame(pairs),
    }
    for name, table in tables.items():
        write_atomic(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6g").encode())
