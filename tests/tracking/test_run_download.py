"""A run's files by hash, from the ledger, DVC's cache or a DVC remote: checked, whole, inside their folder."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.storage.download import Source, fetch

Git = Callable[..., str]
Made = Callable[..., Source]

ID = "20261123-142233-7f3a9c"
FOLDER = {"a.csv": b"1,2\n", "deep/b.csv": b"3,4\n"}


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def put(cache: Path, content: bytes, name: str = "") -> str:
    """Put *content* into a cache or remote under its hash, or under *name*; return that."""
    name = name or md5(content)
    target = cache / "files/md5" / name[:2] / name[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return name


def put_folder(cache: Path, files: Mapping[str, bytes]) -> str:
    listed = [{"md5": put(cache, content), "relpath": path} for path, content in files.items()]
    listing = json.dumps(listed, sort_keys=True).encode()
    return put(cache, listing, f"{md5(listing)}.dir")


@pytest.fixture(scope="module")
def initialized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `dvc init` makes, which takes a second."""
    root = tmp_path_factory.mktemp("initialized")
    for words in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        subprocess.run(words, cwd=root, check=True, env={**os.environ, "DVC_NO_ANALYTICS": "1"})
    return root / ".dvc"


@pytest.fixture
def cache(repository: Path, initialized: Path) -> Path:
    shutil.copytree(initialized, repository / ".dvc")
    return repository / ".dvc/cache"


@pytest.fixture
def made(ledger: Ledger, repository: Path, cache: Path) -> Made:
    """Record a run whose lock names outs by hash."""

    def make(outs: Mapping[str, str], data: Mapping[str, str] | None = None) -> Source:
        stages = {
            name: {
                "cmd": "x",
                "outs": [{"path": path, "hash": "md5", "md5": one, "size": 1} for path, one in of.items()],
            }
            for name, of in {"fetch": data or {}, "train": outs}.items()
        }
        lock = repository / "lock"
        YAML(typ="safe").dump({"schema": "2.0", "stages": stages}, lock)
        ledger.append(ID, [Event("started", {})], {"dvc.lock": lock.read_bytes(), "params.yaml": b"lr: 1\n"})
        return Source(ledger, ledger.run(ID), repository)

    return make


def found(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_everything_that_a_run_made_comes_without_its_data(made: Made, cache: Path, tmp_path: Path) -> None:
    source = made(
        {"models/model.bin": put(cache, b"weights"), "results/plots": put_folder(cache, FOLDER)},
        data={"data/images": put_folder(cache, {"0.png": b"image"})},
    )
    fetch(source, "", tmp_path / "to", False)

    lock = source.ledger.file(ID, "dvc.lock")
    assert found(tmp_path / "to") == {
        "dvc.lock": lock,
        "models/model.bin": b"weights",
        "params.yaml": b"lr: 1\n",
        "results/plots/a.csv": b"1,2\n",
        "results/plots/deep/b.csv": b"3,4\n",
    }


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("models/model.bin", ["models/model.bin"]),
        ("models/", ["models/model.bin"]),
        ("data/images", ["data/images/a.csv", "data/images/deep/b.csv"]),
        ("data/images/deep", ["data/images/deep/b.csv"]),
        ("data/images/deep/b.csv", ["data/images/deep/b.csv"]),
        ("params.yaml", ["params.yaml"]),
    ],
)
def test_a_path_may_name_a_file_a_folder_or_part_of_one(
    path: str, names: list[str], made: Made, cache: Path, tmp_path: Path
) -> None:
    source = made({"models/model.bin": put(cache, b"w")}, data={"data/images": put_folder(cache, FOLDER)})
    fetch(source, path, tmp_path / "to", False)

    assert list(found(tmp_path / "to")) == names


def test_a_remote_has_what_the_cache_has_not(made: Made, cache: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    subprocess.run(["dvc", "remote", "add", "--quiet", "-d", "box", remote], cwd=cache.parents[1], check=True)
    source = made({"models/model.bin": put(remote, b"weights"), "results/plots": put_folder(remote, FOLDER)})
    fetch(source, "", tmp_path / "to", False)

    assert found(tmp_path / "to")["models/model.bin"] == b"weights"
    assert found(tmp_path / "to")["results/plots/deep/b.csv"] == b"3,4\n"


@pytest.mark.fault(
    "ledger",
    "a file in DVC's cache is damaged",
    wanted="the remote's is taken",
)
def test_a_damaged_object_in_the_cache_is_passed_over_for_the_remote(made: Made, cache: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    subprocess.run(["dvc", "remote", "add", "--quiet", "-d", "box", remote], cwd=cache.parents[1], check=True)
    put(cache, b"damaged", put(remote, b"weights"))
    fetch(made({"model.bin": md5(b"weights")}), "model.bin", tmp_path / "to", False)

    assert found(tmp_path / "to") == {"model.bin": b"weights"}


@pytest.mark.fault(
    "ledger",
    "a file is whole neither in the cache nor at a remote",
    wanted="nothing is half written",
    said="… neither the DVC cache nor a remote, and damaged in the DVC cache …",
)
def test_what_is_nowhere_whole_is_one_line_and_leaves_nothing_half_written(
    made: Made, cache: Path, tmp_path: Path
) -> None:
    put(cache, b"damaged", md5(b"weights"))
    with pytest.raises(RunhiveError, match="neither the DVC cache nor a remote, and damaged in the DVC cache"):
        fetch(made({"model.bin": md5(b"weights")}), "model.bin", tmp_path / "to", False)

    assert not (tmp_path / "to").exists()


def test_a_damaged_list_of_files_is_refused(made: Made, cache: Path, tmp_path: Path) -> None:
    name = put_folder(cache, FOLDER)
    put(cache, json.dumps([{"md5": md5(b"1,2\n"), "relpath": "other.csv"}]).encode(), name)
    with pytest.raises(RunhiveError, match="damaged in the DVC cache"):
        fetch(made({"plots": name}), "plots", tmp_path / "to", False)


def test_it_goes_on_after_what_is_there(made: Made, cache: Path, tmp_path: Path) -> None:
    source = made({"plots": put_folder(cache, FOLDER)})
    fetch(source, "plots/a.csv", tmp_path / "to", False)
    before = (tmp_path / "to/plots/a.csv").stat()
    leftover = tmp_path / "to/.download-999999999"
    leftover.mkdir()
    (leftover / "file").write_bytes(b"half")
    done = fetch(source, "plots", tmp_path / "to", False)

    assert (done.written, done.there) == (["plots/deep/b.csv"], ["plots/a.csv"])
    assert (tmp_path / "to/plots/a.csv").stat() == before
    assert list(found(tmp_path / "to")) == ["plots/a.csv", "plots/deep/b.csv"], "what a killed process left is removed"


def test_other_content_is_replaced_only_by_force(made: Made, cache: Path, tmp_path: Path) -> None:
    source = made({"model.bin": put(cache, b"weights")})
    (tmp_path / "to").mkdir()
    (tmp_path / "to/model.bin").write_bytes(b"mine")
    with pytest.raises(
        RunhiveError, match="is there with other content: name another folder with --to, or use --force"
    ):
        fetch(source, "model.bin", tmp_path / "to", False)
    assert found(tmp_path / "to") == {"model.bin": b"mine"}

    fetch(source, "model.bin", tmp_path / "to", True)
    assert found(tmp_path / "to") == {"model.bin": b"weights"}


@pytest.mark.parametrize(
    "path", ["../out", "/tmp/out", "a/../../out", ".git/hooks/post-checkout", "a\\b", "a\nb", ".DVC/config"]
)
def test_no_path_of_a_run_leads_out_of_the_folder(path: str, made: Made, cache: Path, tmp_path: Path) -> None:
    hostile = put(cache, b"owned")
    listing = put_folder(cache, {path: b"owned"})
    with pytest.raises(RunhiveError, match="which is not written: it may leave its folder") as caught:
        fetch(made({path: hostile, "plots": listing}), "plots", tmp_path / "to", False)

    assert str(caught.value).isprintable()
    assert not (tmp_path / "to").exists()
    assert b"owned" not in [file.read_bytes() for file in tmp_path.rglob("out") if file.is_file()]


def test_a_link_in_the_folder_is_not_followed_out_of_it(made: Made, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to/plots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunhiveError, match="by a link: remove the link"):
        fetch(made({"plots": put_folder(cache, FOLDER)}), "plots", tmp_path / "to", False)

    assert found(tmp_path / "elsewhere") == {}


def test_an_unknown_path_is_one_line_that_says_where_to_look(made: Made, tmp_path: Path) -> None:
    with pytest.raises(RunhiveError, match=f"run {ID} left no file 'modelz': see `runhive runs files {ID}`"):
        fetch(made({}), "modelz", tmp_path / "to", False)


def test_without_dvc_what_the_ledger_holds_comes_still(made: Made, repository: Path, tmp_path: Path) -> None:
    source = made({"model.bin": "0" * 32})
    shutil.rmtree(repository / ".dvc")
    fetch(source, "params.yaml", tmp_path / "to", False)
    with pytest.raises(RunhiveError, match="run `dvc init`"):
        fetch(source, "model.bin", tmp_path / "to", False)

    assert found(tmp_path / "to") == {"params.yaml": b"lr: 1\n"}


@pytest.mark.parametrize(
    "lock", [b"\xff", b"[]", b"stages: 3", b"stages: {train: {outs: [1, {path: 3}]}}", b"a: [", b""]
)
def test_a_damaged_lock_names_no_files(lock: bytes, made: Made, tmp_path: Path) -> None:
    source = made({})
    source.ledger.append(ID, [], {"dvc.lock": lock})
    done = fetch(source, "params.yaml", tmp_path / "to", False)

    assert done.written == ["params.yaml"]
