"""Bring a folder of images here: a folder or an archive, from this machine, the web or a store."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from runhive.data.addresses import Places, is_store, is_web, local_path, printed
from runhive.data.archive import Damaged, Limits, Refused, extract
from runhive.data.download import Progress, download
from runhive.data.names import shown
from runhive.data.part import Part
from runhive.data.rules import Rules, check_file
from runhive.data.stores import fetch_file, fetch_folder
from runhive.errors import RunhiveError

DOWNLOADS = "downloads"  # in the workspace; what is in it outlives a fetch that fails


@dataclass(frozen=True)
class Bringer:
    """Brings what addresses name to *places*, under *rules*."""

    places: Places
    rules: Rules
    progress: Progress | None

    def folder(self, url: str) -> Path:
        """Return the folder at *url*: a local one itself, a store's as a copy."""
        if is_web(url):
            raise RunhiveError(f"{printed(url)}: the web has archives, no folders: set data.source to archive")
        if is_store(url):
            into = self.place_of(url)
            fetch_folder(url, into, self.rules.max_bytes, printed(url), self.progress)
            return into
        folder = local_path(url, self.places)
        if not folder.is_dir():
            raise RunhiveError(f"{shown(str(folder))} is not a folder: set data.url to the one that holds the images")
        return folder

    def archive(self, url: str) -> Path:
        """Return the folder that the archive at *url* unpacks to."""
        if is_web(url):
            return self.web_archive(url)
        into = self.place_of(url)
        if is_store(url):
            file = into.with_suffix(".archive")
            fetch_file(url, file, self.rules.max_bytes, printed(url), self.progress)
            return self.local_archive(file, into, printed(url))
        file = local_path(url, self.places)
        if not file.is_file():
            raise RunhiveError(
                f"{shown(str(file))} is not a file: set data.url to an archive here or to its https address"
            )
        return self.local_archive(file, into, shown(str(file)))

    def local_archive(self, file: Path, into: Path, named: str) -> Path:
        """Return *into*, to which the archive *file* was unpacked."""
        check_file(file, named, self.rules.sha256)
        self.unpack(file, into, named)
        return into

    def web_archive(self, url: str) -> Path:
        """Return the folder that the archive at *url* unpacks to; a damaged one is downloaded once more."""
        into, part = self.place_of(url), Part(self.places.workspace / DOWNLOADS / key_of(url))
        file = download(url, part, self.rules, self.progress)
        try:
            try:
                self.unpack(file, into, printed(url))
            except Damaged:
                if self.rules.sha256:
                    raise  # these very bytes were asked for
                part.forget()
                self.unpack(download(url, part, self.rules, self.progress), into, printed(url))
        except Damaged as error:
            size = part.size
            part.forget()
            raise RunhiveError(f"{error}; all {size:,} bytes that the server announced came") from None
        except Refused:
            part.forget()
            raise
        return into

    def unpack(self, file: Path, into: Path, named: str) -> None:
        extract(file, into, Limits(bytes=self.rules.max_bytes), named)

    def place_of(self, url: str) -> Path:
        return self.places.workspace / key_of(url)


def key_of(url: str) -> str:
    """Return a name for what is at *url*."""
    return sha256(url.encode(errors="surrogateescape")).hexdigest()[:16]
