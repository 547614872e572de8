"""What the model sees of an image file."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

from runhive.formats.preprocess import Preprocess
from runhive.preprocess import input_batches, to_input


def preprocess(image_size: int, resize_size: int) -> Preprocess:
    return Preprocess(image_size=image_size, resize_size=resize_size, mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0))


def noise(width: int, height: int, seed: int = 0) -> PIL.Image.Image:
    pixels = np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)
    return PIL.Image.fromarray(pixels)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 130), st.integers(1, 130), st.integers(16, 48), st.integers(0, 30))
def test_the_pixels_are_those_of_torchvision(width: int, height: int, image_size: int, more: int) -> None:
    image = noise(width, height)
    theirs = Compose([Resize(image_size + more, InterpolationMode.BILINEAR), CenterCrop(image_size)])
    expected = np.asarray(theirs(image)).transpose(2, 0, 1)

    assert np.array_equal(to_input(image, preprocess(image_size, image_size + more)), expected)


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (224, 224), (1024, 77), (256, 256)])
def test_the_pixels_are_those_of_torchvision_at_the_size_of_imagenet(size: tuple[int, int]) -> None:
    image = noise(*size)
    expected = np.asarray(CenterCrop(224)(Resize(256)(image))).transpose(2, 0, 1)

    assert np.array_equal(to_input(image, preprocess(224, 256)), expected)


def test_an_image_of_the_right_size_stays_as_it_is() -> None:
    image = noise(32, 32)

    assert np.array_equal(to_input(image, preprocess(32, 32)), np.asarray(image).transpose(2, 0, 1))


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_batches_keep_the_order_of_the_files_and_leave_none_out(batch_size: int, tmp_path: Path) -> None:
    images = [noise(20 + 3 * seed, 40 - seed, seed) for seed in range(7)]
    paths = [tmp_path / f"{9 - seed}.png" for seed in range(7)]
    for image, path in zip(images, paths, strict=True):
        image.save(path)
    batches = list(input_batches(paths, preprocess(16, 20), batch_size))

    assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert np.array_equal(np.concatenate(batches), [to_input(image, preprocess(16, 20)) for image in images])
    assert batches[0].dtype == np.uint8
