"""What a page is a function of, beside its run: the code and the templates that make it."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("jinja2", "markupsafe", "numpy", "pydantic")


@cache
def code_digest() -> str:
    """The digest of this package's modules and templates, and of the versions of what they are rendered with."""
    digest = hashlib.sha256(" ".join(version(name) for name in LIBRARIES).encode())
    for file in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html")]):
        digest.update(f"{file.relative_to(PACKAGE)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
