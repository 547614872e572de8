"""Which images a run keeps a small picture of."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from runhive.formats.manifest import Image
from runhive.formats.predictions import Predictions
from runhive.metrics import softmax
from runhive.stages.pictures import HITS, HITS_OF_A_CLASS, doubtful_hits
from runhive.tracking.data_versions import SAMPLES, SAMPLES_OF_A_GROUP, sampled


@given(classes=st.integers(2, 30), images=st.integers(1, 200), seed=st.integers(0, 2**32 - 1))
def test_of_each_class_the_least_sure_right_answers_are_kept_and_never_too_many(
    classes: int, images: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, 2, (images, classes)), rng.integers(0, classes, images)
    names = [f"{index}" for index in range(classes)]
    predictions = Predictions(
        names, [f"{i}.jpg" for i in range(images)], [f"{i:064x}" for i in range(images)], labels, logits
    )
    confidence, right = softmax(logits).max(axis=1), logits.argmax(axis=1) == labels
    rows = doubtful_hits(predictions)

    assert len(rows) == len(set(rows)) <= HITS and all(right[rows])
    assert rows or not right.any()
    for label in range(classes):
        kept = [row for row in rows if labels[row] == label]
        others = [row for row in np.flatnonzero(right & (labels == label)) if row not in kept]
        assert len(kept) <= HITS_OF_A_CLASS
        assert not kept or not others or max(confidence[kept]) <= min(confidence[others])


@given(st.dictionaries(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["train", "val"])), st.integers(1, 30)))
def test_a_look_at_the_data_has_every_class_of_every_split_and_is_short(sizes: dict[tuple[str, str], int]) -> None:
    images = [
        Image(f"{split}/{label}/{index:03}.jpg", split, label, f"{index:064x}", 9, 9)
        for (label, split), size in sizes.items()
        for index in range(size)
    ]
    chosen = sampled(images)

    assert len(chosen) == len(set(chosen)) <= SAMPLES
    assert {(image.label, image.split) for image in chosen} == set(sizes)
    assert all(sum((i.label, i.split) == group for i in chosen) <= SAMPLES_OF_A_GROUP for group in sizes)
