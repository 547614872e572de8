"""What one step of a workflow tells the next: lines NAME=VALUE in the file that GITHUB_OUTPUT names."""

from collections.abc import Mapping
from pathlib import Path

from runhive.errors import RunhiveError


def write_outputs(path: Path, outputs: Mapping[str, str | int]) -> None:
    """Append *outputs* to the file *path*. A line break in a value would be another output, so none may have one."""
    for name, value in outputs.items():
        assert not set("\r\n") & set(str(value)), name
    try:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in outputs.items())
    except OSError as error:
        raise RunhiveError(f"{path} cannot be written ({error.strerror}): give the file of GITHUB_OUTPUT") from error
