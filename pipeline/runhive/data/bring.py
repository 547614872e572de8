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
    """Brings what an address names, *into* a new folder where it has to be made, under *rules*."""

    places: Places
    into: Path
    rules: Rules
    progress: Progress | None

    def folder(self, url: str) -> Path:
        """Return the folder at *url*: a local one itself, a store's as a copy."""
        if is_web(url):
            raise RunhiveError(f"{printed(url)}: the web has archives, no folders: set data.source to archive")
        if is_store(url):
            fetch_folder(url, self.into, self.rules.max_bytes, printed(url), self.progress)
            return self.into
        folder = local_path(url, self.places)
        if not folder.is_dir():
            raise RunhiveError(f"{shown(str(folder))} is not a folder: set data.url to the one that holds the images")
        return folder

    def archive(self, url: str) -> Path:
        """Return the folder that the archive at *url* unpacks to."""
        if is_web(url):
            return self.web_archive(url)
        if is_store(url):
            file = self.into.with_suffix(".archive")
            fetch_file(url, file, self.rules.max_bytes, printed(url), self.progress)
            return self.local_archive(file, printed(url))
        file = local_path(url, self.places)
        if not file.is_file():
            raise RunhiveError(
                f"{shown(str(file))} is not a file: set data.url to an archive here or to its https address"
            )
        return self.local_archive(file, shown(str(file)))

    def local_archive(self, file: Path, named: str) -> Path:
        """Return the folder that the archive *file* unpacks to."""
        check_file(file, named, self.rules.sha256)
        self.unpack(file, named)
        return self.into

    def web_archive(self, url: str) -> Path:
        """Return the folder that the archive at *url* unpacks to; a damaged one is downloaded once more."""
        part = Part(self.places.workspace / DOWNLOADS / key_of(url))
        file = download(url, part, self.rules, self.progress)
        try:
            try:
                self.unpack(file, printed(url))
            except Damaged:
                if self.rules.sha256:
                    raise  # these very bytes were asked for
                part.forget()
                self.unpack(download(url, part, self.rules, self.progress), printed(url))
        except Damaged as error:
            size = part.size
            part.forget()
            raise RunhiveError(f"{error}; all {size:,} bytes that the server announced came") from None
        except Refused:
            part.forget()
            raise
        return self.into

    def unpack(self, file: Path, named: str) -> None:
        extract(file, self.into, Limits(bytes=self.rules.max_bytes), named)


def key_of(url: str) -> str:
    """Return a file name for *url*, the same in every process."""
    return sha256(url.encode(errors="surrogateescape")).hexdigest()[:16]
