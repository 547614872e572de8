"""The one exception for what a user can mend, and the line for a disk that fails."""

import errno

OF_DISK = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE)


class RunhiveError(Exception):
    """A mistake in the input or the surroundings: one line with what, where and what to do next."""


def told_of_disk(error: OSError) -> str:
    """Return the line for an *error* of the disk itself; nothing for any other, which is a bug of ours."""
    if error.errno not in OF_DISK:
        return ""
    name = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(error.filename or ""))
    where = f"{name}: " if name else ""
    return f"{where}the disk failed ({error.strerror}): free or mend it, and run this again"
