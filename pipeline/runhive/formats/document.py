"""A JSON file with a schema version, written atomically and read strictly."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from runhive.errors import RunhiveError
from runhive.files import read_whole, write_atomic


class Record(BaseModel):
    """A frozen part of a document; unknown keys, NaN and infinities are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Document(Record):
    """The root of a JSON file. A subclass names its `version`, and the `oldest` that it reads where that is another.

    Any other version in a file is refused.
    """

    version: ClassVar[int]
    oldest: ClassVar[int | None] = None
    schema_version: int = 0

    def write(self, path: Path) -> None:
        """Write the document as indented JSON, stamped with its schema version."""
        stamped = self.model_copy(update={"schema_version": self.version})
        write_atomic(path, (stamped.model_dump_json(indent=2) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read *path*. Raises RunhiveError when it is missing, damaged or of another version."""
        try:
            content = read_whole(path)
        except FileNotFoundError:
            raise RunhiveError(f"{path} is missing: run `dvc repro`") from None
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: bytes, where: str) -> Self:
        """Read the bytes of a file; *where* names it in errors, which are those of `read`."""
        try:
            document = cls.model_validate_json(content, strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            key = ascii(".".join(map(str, first["loc"])))[1:-1] or "the file"  # a key may hold line breaks
            raise RunhiveError(f"{where}: {key}: {first['msg']}; run `dvc repro` to write it again") from None
        if not (cls.oldest or cls.version) <= document.schema_version <= cls.version:
            raise RunhiveError(
                f"{where} has schema version {document.schema_version}, this Runhive reads {cls.version}: "
                "run `dvc repro` to write it again"
            )
        return document
