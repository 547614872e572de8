"""File names that strangers chose: which of them can be kept, and how to print the others."""

import unicodedata

UNPRINTED = {"Cc", "Zl", "Zp"}


def shown(text: str) -> str:
    """Return *text* on one printable line, with everything else as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def listed(names: list[str], most: int = 5) -> str:
    """Return the first *most* of *names* as one printable line that says how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


def name_fault(name: str) -> str | None:
    """Say why *name* cannot be a file name of the data set, or None where it can."""
    categories = {unicodedata.category(c) for c in name}
    if "Cs" in categories:
        return "its name is not UTF-8"
    if categories & UNPRINTED:
        return "its name holds a control character or a line break"
    return None
