"""Random crops: each image's is a function of (seed, epoch, image) and lies within it."""

import os
from math import sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from runhive.params import Augment
from runhive.vision.augment import (
    Labelled,
    augment_image,
    augmented_batches,
    epoch_order,
    random_box,
    split_into_batches,
)
from runhive.vision.policy import POLICIES, apply_policy

AUGMENT = Augment(min_scale=0.3, flip=True, policy="none", mixup=0.0)


def epoch_of(
    drawn: Labelled, batch_size: int, seed: int = 0, epoch: int = 1, order: list[int] | None = None
) -> dict[int, bytes]:
    """The pixels that each image gives."""
    indices = np.array(order or range(len(drawn.paths)))
    batches = augmented_batches(drawn, split_into_batches(indices, batch_size), 16, AUGMENT, seed, epoch)
    return dict(zip(indices.tolist(), (image.numpy().tobytes() for batch in batches for image in batch), strict=True))


@pytest.mark.parametrize("batch_size", [1, 3, 10, 64])
def test_the_augmentation_does_not_depend_on_the_size_of_the_batch(drawn: Labelled, batch_size: int) -> None:
    assert epoch_of(drawn, batch_size) == epoch_of(drawn, 4)


def test_the_augmentation_does_not_depend_on_the_order(drawn: Labelled) -> None:
    assert epoch_of(drawn, 4, order=[7, 2, 9, 0, 1, 3, 8, 4, 6, 5]) == epoch_of(drawn, 4)


@pytest.mark.parametrize(("seed", "epoch"), [(1, 1), (0, 2), (0, 0)])
def test_another_seed_or_epoch_gives_other_pixels(drawn: Labelled, seed: int, epoch: int) -> None:
    here, there = epoch_of(drawn, 4), epoch_of(drawn, 4, seed, epoch)

    assert all(here[index] != there[index] for index in here)


def test_the_last_batch_holds_what_is_left(drawn: Labelled) -> None:
    batches = list(augmented_batches(drawn, split_into_batches(np.arange(10), 4), 16, AUGMENT, 0, 1))

    assert [batch.shape for batch in batches] == [(4, 3, 16, 16), (4, 3, 16, 16), (2, 3, 16, 16)]


def test_an_epoch_sees_each_image_once_in_an_order_of_its_own() -> None:
    first, again, second, other = (epoch_order(*key, 50).tolist() for key in [(0, 1), (0, 1), (0, 2), (1, 1)])

    assert sorted(first) == list(range(50))
    assert first == again
    assert first not in (second, other)


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(1e-6, 1), st.integers(0, 2**32 - 1))
def test_a_box_lies_within_the_image_and_is_not_empty(width: int, height: int, min_scale: float, seed: int) -> None:
    left, top, right, bottom = random_box(np.random.default_rng(seed), width, height, min_scale)

    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_boxes_keep_the_smallest_share_and_the_ratio() -> None:
    rng = np.random.default_rng(0)
    sides = [(r - x, b - y) for x, y, r, b in (random_box(rng, 400, 300, 0.25) for _ in range(500))]

    assert min(w * h for w, h in sides) > 0.24 * 400 * 300
    assert all(0.74 < w / h < 1.35 for w, h in sides)
    assert np.std([sqrt(w * h) for w, h in sides]) > 30


@pytest.mark.parametrize(("size", "box"), [((100, 10), (43, 0, 56, 10)), ((10, 100), (0, 43, 10, 56))])
def test_where_no_box_fits_the_centre_is_taken(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    assert random_box(np.random.default_rng(0), *size, min_scale=1.0) == box


@pytest.mark.parametrize("policy", ["none", "randaugment"])
def test_the_number_of_processors_changes_nothing(drawn: Labelled, policy: str) -> None:
    augment = Augment(min_scale=0.3, flip=True, policy=policy, mixup=0.0)

    def pixels() -> list[bytes]:
        batches = split_into_batches(np.arange(10), 4)
        return [batch.numpy().tobytes() for batch in augmented_batches(drawn, batches, 16, augment, 0, 1)]

    everywhere = pixels()
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        alone = pixels()
    finally:
        os.sched_setaffinity(0, allowed)

    assert alone == everywhere


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_does_what_torchvisions_does_with_the_same_draws(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision's own draws are replaced by ours, one for one."""
    images = torch.from_numpy(np.random.default_rng(0).integers(256, size=(1, 3, 24, 24), dtype=np.uint8))
    for seed in range(40):
        rng = np.random.default_rng(seed)
        with monkeypatch.context() as patch:
            patch.setattr(torch, "randint", lambda high, size, rng=rng: torch.tensor(rng.integers(high)))
            patch.setattr(torch, "rand", lambda size, rng=rng: torch.tensor(rng.random()))
            expected = POLICIES[name]()(images)

        assert torch.equal(apply_policy(name, images, np.random.default_rng(seed)), expected)


def flipping(flip: bool) -> Augment:
    return Augment(min_scale=1.0, flip=flip, policy="none", mixup=0.0)


def test_the_whole_of_a_square_may_be_kept() -> None:
    pixels = np.random.default_rng(0).integers(256, size=(16, 16, 3), dtype=np.uint8)
    found = [augment_image(pixels, np.random.default_rng(seed), 16, flipping(False))[0] for seed in range(5)]

    assert all(np.array_equal(one.permute(1, 2, 0), pixels) for one in found)


def test_half_of_the_images_are_mirrored() -> None:
    pixels = np.random.default_rng(0).integers(256, size=(16, 16, 3), dtype=np.uint8)
    flipped = [
        np.array_equal(
            augment_image(pixels, np.random.default_rng(seed), 16, flipping(True))[0].permute(1, 2, 0), pixels[:, ::-1]
        )
        for seed in range(200)
    ]

    assert 70 < sum(flipped) < 130


@given(st.integers(1, 60), st.integers(2, 20))
def test_no_batch_holds_a_single_image_and_none_is_left_out(n: int, size: int) -> None:
    batches = split_into_batches(np.arange(n), size)

    assert np.concatenate(batches).tolist() == list(range(n))
    assert n == 1 or min(map(len, batches)) > 1
    assert max(map(len, batches)) <= size + 1
