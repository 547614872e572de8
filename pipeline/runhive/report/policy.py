"""The content security policy, as a `<meta>` tag on every page: static hosts send no headers.

Scripts come from the site alone. The theme has some of its own inside its pages; each is allowed by its hash. So an
inline script that a run's text might bring would not run, even where escaping failed.
"""

import base64
import hashlib
import re

INLINE = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
CHARSET = re.compile(r"<meta charset=\"?utf-8\"?>", re.IGNORECASE)
NOT_SCRIPTS = ("src=", 'type="application/json"')
WASM = " 'wasm-unsafe-eval'"
DIRECTIVES = (
    "default-src 'self'",
    "script-src 'self'{wasm}{hashes}",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
)


def with_policy(page: str) -> str:
    """Put the policy first into the head of a rendered *page*, with the hashes of the scripts that are in it."""
    return CHARSET.sub(lambda found: found[0] + _meta(page), page, count=1)


def with_wasm(page: str) -> str:
    """Let a *page* that has the policy compile WebAssembly too."""
    return page.replace("script-src 'self'", f"script-src 'self'{WASM}", 1)


def _meta(page: str) -> str:
    inline = [found["body"] for found in INLINE.finditer(page) if not _is_no_script(found["attributes"])]
    hashes = "".join(f" '{_hash(body)}'" for body in dict.fromkeys(inline))
    content = "; ".join(DIRECTIVES).format(wasm="", hashes=hashes)
    return f'<meta http-equiv="Content-Security-Policy" content="{content}">'


def _is_no_script(attributes: str) -> bool:
    return any(one in attributes for one in NOT_SCRIPTS)


def _hash(body: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}"
