"""What looks like a secret is masked before it is written: what goes into the ledger stays there for ever.

The patterns of tokens are those of detect-secrets. Its entropy checks are left out: they take digests for secrets.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from math import isfinite
from numbers import Integral, Real
from typing import Any

from runhive.tracking.repository import printable

MASK = "***"
DETECTORS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
NEWER = (  # which detect-secrets does not know yet; each begins with its own letters, as that is searched fast
    r"github_pat_[0-9A-Za-z_]{22,}",
    r"hf_(?<=\bhf_)[0-9A-Za-z]{30,}",
    r"sk-(?<=\bsk-)(?:ant|proj)-[0-9A-Za-z_-]{20,}",
    r"AIza[0-9A-Za-z_-]{35}",
    r"ya29\.[0-9A-Za-z_-]{20,}",
    r"dop_v1_[0-9a-f]{64}",
)
PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]*(?:(-----END [A-Z ]*PRIVATE KEY-----)|\Z)")
IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)")
SECRET_NAME = re.compile(
    r"(?:password|passwd|passphrase|secret|token|credentials?|(?:api|access|auth|account|private|secret)[_-]?key)$",
    re.IGNORECASE,
)
LONGEST_NAME = 11  # letters of `credentials` and `private_key`, which SECRET_NAME needs to see
ASSIGNMENT = re.compile(r"(?<=[dentsyDENTSY])['\"]?\s*[:=]\s*")  # the last letters of SECRET_NAME: searched fast
VALUE = re.compile(r"(['\"])[^'\"\s]{6,}\1|(?=[^\s'\"]*[0-9])[0-9A-Za-z+/_=.-]{12,}(?![0-9A-Za-z(\[])")
SHORTEST = 8  # a shorter value of the environment stands in too many other words


def masked(text: str) -> str:
    """Return *text* with tokens, keys, passwords and secret values of the environment replaced."""
    for value in _secrets_of_environment():
        text = text.replace(value, MASK)
    text = PRIVATE_KEY.sub(rf"\1{MASK}\2", text)
    text = IN_URL.sub(rf"\1{MASK}\2", text)
    for pattern in _token_patterns():
        text = pattern.sub(_keep_space, text)
    return _without_assigned(text)


def masked_bytes(content: bytes) -> bytes:
    """Return *content* as `masked` does, its bytes that are no UTF-8 untouched."""
    return masked(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def masked_tree(value: Any) -> Any:
    """Return *value* as JSON can hold it, with each text in it masked, and those under a secret's name altogether.

    NaN and infinities become text.
    """
    if isinstance(value, Mapping):
        return {masked(printable(str(key))): _masked_entry(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked_tree(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):  # NumPy's too
        return int(value)
    if isinstance(value, Real) and isfinite(value):
        return float(value)
    return masked(printable(str(value)))


def masked_arguments(words: list[str]) -> list[str]:
    """Return *words* of a command line masked, also `--password X` and `--api-key=X`."""
    found, is_secret = [], False
    for word in words:
        name, equals, _ = word.partition("=")
        named = bool(word.startswith("-") and SECRET_NAME.search(name))
        found.append(MASK if is_secret else f"{name}={MASK}" if named and equals else masked(word))
        is_secret = named and not equals
    return found


def _masked_entry(key: str, value: Any) -> Any:
    is_secret = isinstance(value, str) and SECRET_NAME.search(key) and re.fullmatch(r"[^\s<>\[\]|]{6,}", value)
    return MASK if is_secret else masked_tree(value)


def _without_assigned(text: str) -> str:
    """Mask what is given to a name that ends as a secret's does: a quoted value, or a bare one that has a digit."""
    pieces, done = [], 0
    for sign in ASSIGNMENT.finditer(text):
        is_secret = SECRET_NAME.search(text, max(done, sign.start() - LONGEST_NAME), sign.start())
        value = VALUE.match(text, sign.end()) if is_secret and sign.start() >= done else None
        if value:
            pieces += [text[done : sign.end()], MASK]
            done = value.end()
    return "".join([*pieces, text[done:]])


def _keep_space(match: re.Match[str]) -> str:
    """Patterns may begin with the white space before a token, a line break even."""
    whole = match.group()
    return whole[: len(whole) - len(whole.lstrip())] + MASK


def _secrets_of_environment() -> Iterator[str]:
    for name, value in os.environ.items():
        if SECRET_NAME.search(name) and len(value) >= SHORTEST:
            yield value


@cache
def _token_patterns() -> tuple[re.Pattern[str], ...]:
    classes = (getattr(import_module(f"detect_secrets.plugins.{name}"), kind) for name, kind in DETECTORS.items())
    known = [pattern for kind in classes for pattern in kind.denylist]
    return (*(re.compile(pattern) for pattern in NEWER), *known)
