"""The shell of the run pages, lighter: there are thousands of them, and each has the whole of it.

Its icons move into a style sheet that all share, and the bar of tabs, which a small screen can push sideways, stands in
for the drawer with the same links. What the theme draws differently than known here stays as it is.
"""

import re

from runhive.report.compact import compact
from runhive.report.shell import Shell

ICONS = "assets/icons.css"
ICON = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg" viewBox="([\d. ]+)">((?:<path d="[^"]+"/>)+)</svg>')
DRAWER = re.compile(
    r'<label class="md-header__button md-icon" for="__drawer">.*?</label>\s*'
    r'|<div class="md-sidebar md-sidebar--(?:primary|secondary)".*?(?=<div class="md-(?:sidebar|content)\b)',
    re.DOTALL,
)
HEAD = "</head>"


def lean(shell: Shell, to_root: str) -> tuple[Shell, str]:
    """The lighter shell, and the style sheet of its icons, which belongs at ICONS; *to_root* is the way there."""
    icons: dict[tuple[str, str], str] = {}

    def place(found: re.Match[str]) -> str:
        return f'<svg class="{icons.setdefault((found[1], found[2]), f"rh-icon rh-icon-{len(icons)}")}"></svg>'

    before, after = (ICON.sub(place, compact(DRAWER.sub("", part))) for part in (shell.before, shell.after))
    link = f'<link rel="stylesheet" href="{to_root}{ICONS}">{HEAD}'
    return Shell(before.replace(HEAD, link, 1), after), "".join(_rule(css, *icon) for icon, css in icons.items())


def _rule(css: str, box: str, paths: str) -> str:
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='{box}'>{paths}</svg>".replace('"', "'")
    return f'.{css.split()[1]}{{mask-image:url("data:image/svg+xml,{drawing.replace("#", "%23")}")}}\n'
