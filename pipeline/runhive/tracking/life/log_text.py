"""What a program printed, as text to keep: no colours, no cursor moves, of a progress bar only its last state."""

import codecs
import re

ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: titles, links
    r"|\x1b[PX^_][^\x1b]*\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"
)
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LONGEST_LINE = 100_000


class LogText:
    """Output in pieces to whole clean lines; a line that is drawn over with carriage returns is kept once."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._open = ""

    def feed(self, piece: bytes) -> str:
        """Return the lines that *piece* ends, each with its line break."""
        *lines, self._open = (self._open + self._decode(piece)).split("\n")
        if len(self._open) > LONGEST_LINE:
            last = self._open.rfind("\r", 0, -1)
            self._open = self._open[last + 1 :][-LONGEST_LINE:]
        return "".join(f"{clean_line(line)}\n" for line in lines)

    def rest(self) -> str:
        """Return the last line, which no line break ended."""
        line = clean_line(self._open + self._decode(b"", True))
        self._open = ""
        return f"{line}\n" if line else ""


def clean_line(line: str) -> str:
    """Return what *line* shows at its end, without escapes and control characters, bidirectional ones included."""
    shown = ESCAPE.sub("", line).rstrip("\r").rpartition("\r")[2]
    return UNPRINTABLE.sub("", shown).rstrip()


def tail(text: str, most: int) -> str:
    """Return the last whole lines of *text* that take *most* bytes at most, under a line that says what is left out."""
    content = text.encode()
    if len(content) <= most:
        return text
    kept = content[-most:]
    kept = kept[kept.find(b"\n") + 1 :]
    return f"[{len(content) - len(kept)} bytes before this are left out]\n{kept.decode(errors='replace')}"
