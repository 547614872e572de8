"""The version that a person means: `name@v1.2.0`, `name@3`, `name#alias`, the name left out where there is one."""

from difflib import get_close_matches

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.registry.catalog import Catalog, Model, Version


def find_model(catalog: Catalog, name: str) -> Model:
    """The model of this name, the only one where it is empty. Raises RunhiveError with the nearest names."""
    if not catalog.models:
        raise RunhiveError(
            "no version of any model is here: `git pull` brings those of others, `runhive models register` makes one"
        )
    if name in catalog.models:
        return catalog.models[name]
    if not name and len(catalog.models) == 1:
        return next(iter(catalog.models.values()))
    known = ", ".join(catalog.models)
    if not name:
        raise RunhiveError(f"there are several models ({known}): write NAME@VERSION or NAME#ALIAS")
    near = get_close_matches(name, catalog.models, 1)
    raise RunhiveError(
        f"no model {one_line(name)[:80]!r}" + (f": did you mean {near[0]}?" if near else f" (there: {known})")
    )


def find_version(catalog: Catalog, word: str) -> Version:
    """The version that *word* names. Raises RunhiveError, with what there is, where none is."""
    if "#" in word:
        name, _, alias = word.partition("#")
        model = find_model(catalog, name)
        found = model.at(alias)
        if found is None:
            known = ", ".join(model.aliases) or "none"
            raise RunhiveError(f"{model.name} has no alias {one_line(alias)[:40]!r} (there: {known})")
        return found
    name, separator, version = word.rpartition("@")
    if not separator and (word in catalog.models or not _is_version(word)):
        name, version = word, "latest"
    model = find_model(catalog, name)
    return version_of(model, version)


def _is_version(word: str) -> bool:
    return word == "latest" or word.removeprefix("v").replace(".", "").isdecimal()


def version_of(model: Model, word: str) -> Version:
    """The version of *model* that *word* names: `v1.2.0`, `3` or `latest`. Raises RunhiveError where none is."""
    if word == "latest":
        if model.latest is None:
            raise RunhiveError(f"{model.name} has no version in use: name one (`runhive models list {model.name}`)")
        return model.latest
    for one in model.versions:
        if word in (str(one.version), f"v{one.version}") or (one.number and word == str(one.number)):
            return one
    known = ", ".join(str(one.version) for one in model.versions[-5:])
    raise RunhiveError(f"{model.name} has no version {one_line(word)[:40]!r} (the last: {known})")
