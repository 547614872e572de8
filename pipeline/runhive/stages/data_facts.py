"""What a run keeps of its data: the facts in an event, the lists as files that Git stores once for all runs on them."""

from typing import Any

from runhive.files import read_whole
from runhive.formats.data_report import DataReport
from runhive.formats.manifest import read_manifest
from runhive.stages import paths
from runhive.tracking.data_versions import DATA_REPORT, MANIFEST, sampled
from runhive.tracking.ledger.entry import FILE_BYTES

DOUBTFUL = 40  # images that are shown at most
FILES = {MANIFEST: paths.MANIFEST, DATA_REPORT: paths.DATA_REPORT}


def data_facts() -> dict[str, Any]:
    """What the data were; `not_kept` names the files that are too large for the ledger."""
    report = DataReport.read(paths.DATA_REPORT)
    return {
        "source": report.source,
        "digest": report.digest,
        "bytes": report.bytes,
        "counts": report.counts,
        "left_out": len(report.left_out),
        "duplicates": len(report.duplicates),
        "not_kept": sorted(FILES.keys() - kept_data_files()),
    }


def kept_data_files() -> dict[str, bytes]:
    """The manifest and the report of the data, as far as the ledger takes them."""
    return {name: read_whole(path) for name, path in FILES.items() if path.stat().st_size <= FILE_BYTES}


def sample_images() -> dict[str, str]:
    """Paths, by SHA-256, of some images of each class and split."""
    return {image.sha256: image.path for image in sampled(read_manifest(paths.MANIFEST))}


def doubtful_images() -> dict[str, str]:
    """Paths, by SHA-256, of the first images that are in several splits or classes, for people to look at."""
    duplicates = DataReport.read(paths.DATA_REPORT).duplicates
    doubtful = [path for one in duplicates if len(one.splits) > 1 or len(one.labels) > 1 for path in one.images[:2]]
    wanted = set(doubtful[:DOUBTFUL])
    return {image.sha256: image.path for image in read_manifest(paths.MANIFEST) if image.path in wanted}
