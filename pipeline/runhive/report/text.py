"""Text that a run carries, made fit to look at: nothing invisible, nothing endless. Escaping is the templates' part."""

import unicodedata
from math import isfinite

LONGEST = 2000
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, bidi overrides, lone surrogates, separators


def visible(text: str, longest: int = LONGEST) -> str:
    """Spell out every character that would not show, such as `⟨U+202E⟩`, and clip to *longest* characters."""
    clipped = clip(text, longest)
    return clipped if clipped.isprintable() else "".join(map(_spell, clipped))


def _spell(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in HIDDEN:
        return character
    return f"⟨U+{ord(character):04X}⟩"


def clip(text: object, longest: int) -> str:
    """The text of *text*, at most *longest* characters, with an ellipsis for what was cut off."""
    whole = str(text)
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"


def plain(value: object) -> str:
    """A parameter's value as params.yaml would show it; what is nested in a list stays closed."""
    if isinstance(value, list):
        return f"[{', '.join(map(_item, value[:50]))}{', …' if len(value) > 50 else ''}]"
    return _item(value)


def _item(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float() if not isfinite(value):
            return "not a number"
        case dict() | list():
            return "…" if value else "none"
    return str(value)
