"""What came of a download so far, kept so that the next try goes on with it."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.files import write_atomic


class Part:
    """The bytes that came, and the validator under which the server may send the rest, in a folder of their own.

    Only the server can say that they are the whole file, so nothing here says it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.body, self._about = folder, folder / "body", folder / "validator.json"

    @property
    def size(self) -> int:
        return self.body.stat().st_size if self.body.exists() else 0

    @property
    def validator(self) -> str | None:
        """The strong ETag or the date of change of the file that the bytes are of."""
        try:
            validator = json.loads(self._about.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return validator if isinstance(validator, str) else None

    def begin(self, validator: str | None) -> None:
        """Start from zero. The old bytes go before the new validator comes, so that it never stands beside them."""
        self.forget()
        try:
            self.folder.mkdir(parents=True)
        except OSError as error:
            raise self._unwritable(error) from error
        write_atomic(self._about, json.dumps(validator).encode())

    @contextmanager
    def appending(self) -> Iterator[Callable[[bytes], None]]:
        """Yield what adds bytes. It raises RunhiveError where the disk is full."""
        try:
            file = self.body.open("ab", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error

        def append(data: bytes) -> None:
            try:
                while data:
                    data = data[file.write(data) :]
            except OSError as error:
                raise self._unwritable(error) from error

        with file:
            yield append

    def forget(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _unwritable(self, error: OSError) -> RunhiveError:
        return RunhiveError(f"{self.body} cannot be written ({error.strerror}): free the disk or mend its permissions")
