"""Open an ONNX file that a stranger may have made: ours, whole and alone, or one line that says why not."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.mistakes import one_line
from runhive.scoring.wire import NotOnnx, outline

MOST_BYTES = 2**31 - 1  # protobuf's own limit
# First bytes of what people take for a model.
STRANGERS = {
    b"\x80": "a pickle, which can run any code when it is opened",
    b"PK\x03\x04": "a zip archive, as torch.save writes it, with a pickle in it",
    b"\x89HDF": "an HDF5 file",
    b"version https://git-lfs": "a pointer of Git LFS, not the file",
}


@dataclass(frozen=True)
class Package:
    """The bytes of an ONNX file of ours, their SHA-256, and what they say of themselves."""

    content: bytes
    sha256: str
    metadata: OnnxMetadata


def read_package(path: Path) -> Package:
    """Read *path*. Raises RunhiveError where it is missing, not of ours, damaged, or points at other files."""
    where = one_line(str(path))
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RunhiveError(f"{where} has more than {MOST_BYTES:,} bytes, which no ONNX file has")
        return parse_package(path.read_bytes(), where)
    except OSError as error:
        raise RunhiveError(f"{where} cannot be read ({error.strerror}): name an ONNX file that export wrote") from None


def parse_package(content: bytes, where: str) -> Package:
    """Check the bytes of a file; *where* names it in errors."""
    stranger = next((what for first, what in STRANGERS.items() if content.startswith(first)), None)
    if stranger or not content:
        raise RunhiveError(f"{where} is {stranger or 'empty'}: give the model.onnx that export wrote")
    try:
        found = outline(content)
    except NotOnnx as error:
        raise RunhiveError(f"{where} is refused: {error}: get it again, or export it again") from None
    if found.outside:
        raise RunhiveError(
            f"{where} is refused: it keeps weights outside of itself, in {one_line(found.outside[0][:100])}: "
            "give the model.onnx that export wrote, which is one file"
        )
    metadata = OnnxMetadata.from_entries(found.metadata, where)
    return Package(content, hashlib.sha256(content).hexdigest(), metadata)
