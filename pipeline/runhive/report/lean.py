"""The shell of the run pages, lighter: there are thousands of them, and each has the whole of it.

Its icons, its inline scripts, and the search and the choice of colours, which do nothing without a script, move into
files that all share. The bar of tabs, which a small screen can push sideways, stands in for the drawer with the same
links. What the theme draws differently than known here stays.
"""

import json
import re

from runhive.report.compact import compact
from runhive.report.shell import Shell

ICONS = "assets/icons.css"
ICON = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg" viewBox="([\d. ]+)">((?:<path d="[^"]+"/>)+)</svg>')
SCRIPTED = re.compile(r'<form class="md-header__option".*?(?=</nav>\s*</header>)', re.DOTALL)
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
HASH = re.compile(r" 'sha256-[\w+/=]+'")
LEFT_OUT = re.compile(
    r'<label class="md-header__button md-icon" for="__drawer">.*?</label>\s*'
    r'|<div class="md-sidebar md-sidebar--(?:primary|secondary)".*?(?=<div class="md-(?:sidebar|content)\b)'
    r'|<footer class="md-footer">.*?</footer>\s*',
    re.DOTALL,
)
HEAD = "</head>"


def lean(shell: Shell, to_root: str) -> tuple[Shell, dict[str, str]]:
    """The lighter shell, and the files that it needs by their paths in the site; *to_root* is the way there."""
    icons: dict[tuple[str, str], str] = {}
    files: dict[str, str] = {}

    def move_icon(found: re.Match[str]) -> str:
        return f'<svg class="rh-icon {icons.setdefault((found[1], found[2]), f"rh-icon-{len(icons)}")}"></svg>'

    def script(code: str) -> str:
        path = f"assets/shell-{len(files)}.js"
        files[path] = code
        return f'<script src="{to_root}{path}"></script>'

    def lighter(part: str) -> str:
        part = ICON.sub(move_icon, LEFT_OUT.sub("", HASH.sub("", part)))
        part = SCRIPTED.sub(lambda found: script(_inserting(found[0])), part)
        return compact(INLINE.sub(lambda found: script(found[1]), part))

    before, after = lighter(shell.before), lighter(shell.after)
    link = f'<link rel="stylesheet" href="{to_root}{ICONS}">{HEAD}'
    rules = "".join(_rule(css, *icon) for icon, css in icons.items())
    return Shell(before.replace(HEAD, link, 1), after), {**files, ICONS: rules}


def _inserting(html: str) -> str:
    """A script that puts *html* in its own place and does what the scripts in it do."""
    markup = json.dumps(compact(INLINE.sub("", html)))
    return f"document.currentScript.insertAdjacentHTML('beforebegin',{markup});\n{';'.join(INLINE.findall(html))}"


def _rule(css: str, box: str, paths: str) -> str:
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='{box}'>{paths}</svg>".replace('"', "'")
    return f'.{css}{{mask-image:url("data:image/svg+xml,{drawing.replace("#", "%23")}")}}\n'
