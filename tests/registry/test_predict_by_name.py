"""`runhive predict` and `Model.load` with what the registry calls a model."""

import csv

import pytest
from click.testing import CliRunner
from shop import Shop

from runhive import Model
from runhive.cli import commands
from runhive.errors import RunhiveError
from runhive.files import sha256_of

IMAGES = "data/images/val/rot"


@pytest.mark.parametrize("word", ["colours@v1.0.0", "colours@1.0.0", "colours@latest", "colours#prod"])
def test_a_version_is_found_by_each_of_its_names_and_is_in_every_row(word: str, shop: Shop) -> None:
    shop.call("register")
    shop.call("promote", "v1.0.0", "prod")
    digest = sha256_of(shop.root / "models/model.onnx")
    (shop.root / "models/model.onnx").unlink()  # the bytes are those that were registered, not those at hand
    done = CliRunner().invoke(commands, ["predict", word, IMAGES])
    rows = list(csv.DictReader(done.stdout.splitlines()))

    assert [row["label"] for row in rows] == ["rot"] * 10
    assert {(row["version"], row["model_sha256"]) for row in rows} == {("colours@v1.0.0", digest)}
    model = Model.load(word)
    assert (model.version, model.sha256) == ("colours@v1.0.0", digest)


def test_an_alias_that_moves_gives_the_other_version(second: Shop) -> None:
    before = Model.load("colours#prod").version
    second.call("promote", "v1.1.0", "prod", "--force", "--reason", "a demonstration")

    assert (before, Model.load("colours#prod").version) == ("colours@v1.0.0", "colours@v1.1.0")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("colours@v9.0.0", "v9.0.0"),
        ("colours#nope", "nope"),
        ("other@v1.0.0", "no model 'other' (there: colours)"),
    ],
)
def test_a_name_that_the_registry_does_not_know_is_one_line(word: str, said: str, second: Shop) -> None:
    with pytest.raises(RunhiveError) as raised:
        Model.load(word)
    assert said in str(raised.value) and len(str(raised.value).splitlines()) == 1


def test_a_variant_that_was_not_exported_is_one_line(second: Shop) -> None:
    with pytest.raises(RunhiveError, match=r"colours@v1\.0\.0 has no int8 model: it has fp32"):
        Model.load("colours#prod", "int8")
