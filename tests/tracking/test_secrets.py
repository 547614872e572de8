"""No secret reaches the ledger, and ordinary text does as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runhive.tracking.secrets import MASK, masked, masked_arguments, masked_bytes, masked_tree

BODY = "a1B2c3D4"  # joined below, so that no scanner takes this file for a leak
SECRETS = {
    "AWS": "AKIA" + "IOSFODNN7ABCDEFG",
    "GitHub": "ghp_" + BODY * 4 + "a1B2",
    "GitHub, fine": "github_pat_" + BODY * 8,
    "GitLab": "glpat-" + BODY * 2 + "a1B2",
    "Hugging Face": "hf_" + BODY * 4,
    "Slack": "xoxb-" + "123456789012-123456789012-" + BODY * 3,
    "Stripe": "sk_live_" + BODY * 3,
    "OpenAI project": "sk-proj-" + BODY * 4,
    "JWT": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + BODY * 5,
}
IN_CONTEXT = {
    'password = "{}"': "hunter2hunter",
    "WANDB_API_KEY={}": "0a1b2c3d" * 5,
    "aws_secret_access_key = {}": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYABCDEFGHIJ",
    "https://bee:{}@hive.example/data.zip": "pa55",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----": "MIIEpAIBAAKCAQEA\nabcd",
}
ORDINARY = [
    "epoch 3/25 loss 0.4321 accuracy 0.9412 12.3 images/s",
    "sha256 " + "0a1b2c3d" * 8,
    "+token = tokenizer(text)",
    "-    secret = os.environ['HIVE_SECRET']",
    "tokens: 1234567890123",
    "max_token: 512",
    "index 1a2b3c4..5d6e7f8 100644",
    "https://hive.example:8080/a@b",
]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_token_is_masked_wherever_it_stands(secret: str) -> None:
    for text in (secret, f"login with {secret} now\n", f"+KEY='{secret}'\n", f'{{"a": "{secret}"}}'):
        found = masked(text)

        assert MASK in found
        assert secret[8:] not in found


@pytest.mark.parametrize(("text", "secret"), IN_CONTEXT.items(), ids=IN_CONTEXT)
def test_what_is_named_a_secret_is_masked(text: str, secret: str) -> None:
    assert masked(text.format(secret)).count(MASK) == 1
    assert secret not in masked(text.format(secret))


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_the_lines_of_a_patch_stay_lines() -> None:
    patch = f" before\n+{SECRETS['GitHub']}\n after\n"

    assert masked(patch) == f" before\n+{MASK}\n after\n"


def test_a_secret_of_the_environment_is_masked_whatever_it_looks_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIVE_TOKEN", "queen of the hive")

    assert masked("I am the queen of the hive!") == f"I am the {MASK}!"


def test_parameters_under_a_secret_name_are_masked_and_numbers_stay() -> None:
    params = {"api_key": "letmein-now", "max_token": 512, "nested": [{"url": "s3://a:b@c"}], "pad_token": "<|pad|>"}

    assert masked_tree(params) == {
        "api_key": MASK,
        "max_token": 512,
        "nested": [{"url": f"s3://a:{MASK}@c"}],
        "pad_token": "<|pad|>",
    }


def test_arguments_that_hold_a_secret_are_masked() -> None:
    words = ["train.py", "--api-key", "abc", "--password=abc", "--lr", "0.1"]

    assert masked_arguments(words) == ["train.py", "--api-key", MASK, f"--password={MASK}", "--lr", "0.1"]


@given(st.binary(max_size=200))
def test_bytes_without_a_secret_stay_the_same_bytes(content: bytes) -> None:
    assert masked_bytes(content) == content
