"""Images decoded once: the pixels are those of the files, whatever is killed and however many write at once."""

import multiprocessing
import os
import shutil
import signal
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from torchvision import transforms

from runhive.errors import RunhiveError
from runhive.files import sha256_of
from runhive.formats.manifest import Image
from runhive.formats.preprocess import Preprocess
from runhive.preprocess import input_batches, load_pixels
from runhive.stages import paths, pixel_cache
from runhive.stages.pixel_cache import pixel_loader

ROOT = Path()
CACHE = paths.STATE / "cache"
ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "hymenoptera_data.zip"


def files() -> list[Path]:
    return sorted(CACHE.glob("*.rgb"))


def file_of(image: Image) -> Path:
    return paths.IMAGES / image.path


def assert_cached(images: list[Image]) -> None:
    with pixel_loader(ROOT, images, "full", 32) as load:
        for image in images:
            assert np.array_equal(load(file_of(image)), load_pixels(file_of(image)))


def fill(images: list[Image]) -> None:
    with pixel_loader(ROOT, images, "full", 32):
        pass


def test_the_cache_gives_the_pixels_of_the_files_bit_for_bit(images: list[Image]) -> None:
    assert_cached(images)
    assert sum(file.stat().st_size for file in files()) == sum(3 * image.width * image.height for image in images)


def test_what_is_cached_is_not_decoded_again(images: list[Image], capsys: pytest.CaptureFixture[str]) -> None:
    fill(images)
    before = [file.stat().st_ino for file in files()]
    first = capsys.readouterr().err
    shutil.rmtree(paths.IMAGES)
    with pixel_loader(ROOT, images, "full", 32) as load:
        assert load(file_of(images[0])).shape == (37, 50, 3)
    assert [file.stat().st_ino for file in files()] == before
    assert first.count("decoding 4 images into .runhive/cache: 18 kB") == 2
    assert capsys.readouterr().err == ""


def test_evaluation_shares_the_file_of_its_split_with_training(images: list[Image]) -> None:
    fill(images)
    before = files()
    fill([image for image in images if image.split == "val"])

    assert files() == before


def test_off_decodes_the_files_and_writes_nothing(images: list[Image]) -> None:
    with pixel_loader(ROOT, images, "off", 32) as load:
        assert load is load_pixels
    assert not CACHE.exists()


def test_reduced_shrinks_to_the_shorter_side_and_evaluates_on_the_same_pixels(images: list[Image]) -> None:
    preprocess = Preprocess(image_size=24, resize_size=32, mean=(0.5,) * 3, std=(1.0,) * 3)
    names = [file_of(image) for image in images]
    with pixel_loader(ROOT, images, "reduced", 32) as load:
        sides = [min(load(name).shape[:2]) for name in names[:4]]
        found = np.concatenate(list(input_batches(names, preprocess, 3, load)))

    assert sides == [32, 32, 20, 32]
    assert np.array_equal(found, np.concatenate(list(input_batches(names, preprocess, 3))))


@pytest.mark.fault(
    "train",
    "the disk has no room for the decoded images",
    wanted="refused before anything is written",
    said="… needs … for the decoded images and has … free: free the disk, or set train.cache to reduced or off",
)
def test_a_disk_without_room_is_told_in_one_line_before_anything_is_written(
    images: list[Image],
) -> None:
    huge = [Image(**{**vars(image), "width": 10**9, "height": 10**6}) for image in images]
    with pytest.raises(RunhiveError) as raised:
        fill(huge)

    assert str(raised.value).startswith(".runhive/cache needs 12,000,000,000 MB for the decoded images and has ")
    assert str(raised.value).endswith("free the disk, or set train.cache to reduced or off")
    assert [path.name for path in CACHE.iterdir()] == ["lock"]


@pytest.mark.fault(
    "train",
    "an image was changed after fetch",
    wanted="refused; nothing of it is cached",
    said="… is not the file that … lists: run `dvc repro -f -s fetch`",
)
@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_file_that_is_not_the_manifests_is_refused_and_leaves_no_cache(images: list[Image], damage: str) -> None:
    if damage == "changed":
        PIL.Image.new("RGB", (50, 37)).save(file_of(images[0]))
    else:
        file_of(images[0]).unlink()
    with pytest.raises(RunhiveError, match=r"0.jpg is not the file that data/manifest.csv lists: run `dvc repro"):
        fill(images)

    assert files() == []


def test_an_image_that_lies_there_twice_is_kept_once(images: list[Image]) -> None:
    twin = Image("train/bees/twin.jpg", "train", "bees", images[0].sha256, images[0].width, images[0].height)
    shutil.copy(file_of(images[0]), file_of(twin))
    fill(images)
    before = files()

    assert_cached([*images, twin])
    assert files() == before


def test_other_code_for_decoding_makes_another_file(images: list[Image], monkeypatch: pytest.MonkeyPatch) -> None:
    fill(images)
    monkeypatch.setattr(PIL, "__version__", "0.1")
    fill(images)

    assert len(files()) == 4


def test_only_the_files_that_were_used_last_are_kept(images: list[Image]) -> None:
    train = [image for image in images if image.split == "train"]
    fill(train)
    (first,) = files()
    for number in range(10, 20):
        with pixel_loader(ROOT, train, "reduced", number):
            pass
        os.utime(max(files(), key=lambda file: file.stat().st_mtime_ns), (number, number))
        fill(train)

    assert len(files()) == pixel_cache.KEPT
    assert first.exists()


def killed_while_writing(images: list[Image]) -> None:
    """Decode two images, then die as by kill -9."""
    decode, seen = pixel_cache._decode, []

    def decode_or_die(picture: pixel_cache.Picture) -> pixel_cache.Pixels:
        seen.append(picture)
        if len(seen) > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return decode(picture)

    pixel_cache._decode = decode_or_die
    fill(images)


@pytest.mark.fault(
    "train",
    "the process is killed while it decodes images",
    wanted="the next start decodes them anew",
)
def test_a_writer_that_is_killed_leaves_nothing_that_is_taken_for_a_cache(images: list[Image]) -> None:
    process = multiprocessing.get_context("fork").Process(target=killed_while_writing, args=(images,))
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert files() == []
    assert_cached(images)
    assert [path.name for path in CACHE.iterdir() if path.suffix == ".tmp"] == []


def test_several_processes_that_start_at_once_share_what_one_of_them_wrote(images: list[Image]) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=assert_cached, args=(images,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 4
    assert len(files()) == 2


@pytest.mark.skipif(not ARCHIVE.exists(), reason=f"{ARCHIVE} is not here")
def test_real_photos_without_a_colour_profile_are_within_one_grey_level_of_the_tutorials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    listed = []
    with zipfile.ZipFile(ARCHIVE) as archive:
        names = [name for name in archive.namelist() if "/val/" in name and name.endswith(".jpg")]
        for name in names[::5]:
            path = paths.IMAGES / name.removeprefix("hymenoptera_data/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
            with PIL.Image.open(path) as photo:
                if "icc_profile" in photo.info:  # the tutorial passes over it
                    continue
                listed.append(Image(name.removeprefix("hymenoptera_data/"), "val", "x", sha256_of(path), *photo.size))
    tutorial = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()])
    preprocess = Preprocess(image_size=224, resize_size=256, mean=(0.5,) * 3, std=(1.0,) * 3)
    with pixel_loader(tmp_path, listed, "full", 256) as load:
        found = np.concatenate(list(input_batches([file_of(one) for one in listed], preprocess, 4, load)))
    expected = np.stack([tutorial(PIL.Image.open(file_of(one)).convert("RGB")).numpy() * 255 for one in listed])

    assert len(found) > 10
    assert np.abs(found - expected).max() <= 1
