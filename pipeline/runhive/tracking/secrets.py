"""What looks like a secret is masked before it is written: what goes into the ledger stays there for ever.

The patterns of tokens are those of detect-secrets. Its entropy checks are left out: they take digests for secrets.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

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
NEWER = (  # kinds of tokens that the release of detect-secrets does not know yet
    r"\bgithub_pat_[0-9A-Za-z_]{22,}",
    r"\bhf_[0-9A-Za-z]{30,}",
    r"\bsk-(?:ant|proj)-[0-9A-Za-z_-]{20,}",
    r"\bAIza[0-9A-Za-z_-]{35}",
    r"\bya29\.[0-9A-Za-z_-]{20,}",
    r"\bdop_v1_[0-9a-f]{64}",
)
PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^-]*(?:(-----END [A-Z ]*PRIVATE KEY-----)|\Z)")
IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)")
SECRET_NAME = re.compile(
    r"(?:password|passwd|passphrase|secret|token|credentials?|(?:api|access|auth|account|private|secret)[_-]?key)$",
    re.IGNORECASE,
)
ASSIGNED = re.compile(  # a name that ends as a secret's does, then a quoted value, or a bare one that has a digit
    r"((?:password|passwd|passphrase|secret|token|credentials?|(?:api|access|auth|account|private|secret)[_-]?key)"
    r"['\"]?\s*[:=]\s*)(?:(['\"])[^'\"\s]{6,}\2|(?=[^\s'\"]*[0-9])[0-9A-Za-z+/_=.-]{12,}(?![0-9A-Za-z(\[]))",
    re.IGNORECASE,
)
SHORTEST = 8  # a shorter value of the environment stands in too many other words


def masked(text: str) -> str:
    """Return *text* with tokens, keys, passwords and secret values of the environment replaced."""
    for value in _secrets_of_environment():
        text = text.replace(value, MASK)
    text = PRIVATE_KEY.sub(rf"\1{MASK}\2", text)
    text = IN_URL.sub(rf"\1{MASK}\2", text)
    for pattern in _token_patterns():
        text = pattern.sub(_keep_space, text)
    return ASSIGNED.sub(rf"\1{MASK}", text)


def masked_bytes(content: bytes) -> bytes:
    """Return *content* as `masked` does, its bytes that are no UTF-8 untouched."""
    return masked(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def masked_tree(value: Any) -> Any:
    """Return *value* as JSON can hold it, with each text in it masked, and those under a secret's name altogether."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {masked(str(key)): _masked_entry(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked_tree(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float) else masked(str(value))


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
