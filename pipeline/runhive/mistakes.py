"""What is wrong in params.yaml, in the words of the person who wrote it."""

import difflib
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # decoding an image needs `one_line` alone
    from pydantic import ValidationError

ANY = "*"  # in a key's path: a name that the person chose


def explain(error: "ValidationError", keys: Sequence[str]) -> list[str]:
    """One line a mistake, with the nearest of *keys*; a key that a misspelt one stands for is not missing too."""
    mistakes = error.errors()
    misspelt = [_key_path(one["loc"]) for one in mistakes if one["type"] == "extra_forbidden"]
    meant = {
        near
        for key in misspelt
        if (near := _nearest_key(key, keys)) and near.rpartition(".")[0] == key.rpartition(".")[0]
    }
    return [
        one_line(_explain(one, keys))
        for one in mistakes
        if one["type"] != "missing" or _key_path(one["loc"]) not in meant
    ]


def _explain(error: Mapping[str, Any], keys: Sequence[str]) -> str:
    """One mistake as `key: what is wrong: what to do`."""
    key = _key_path(error["loc"])
    given, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"{key}: missing: add it (`runhive use` lists presets that have it)"
        case "extra_forbidden":
            near = _nearest_key(key, keys)
            return f"{key}: unknown key: " + (f"did you mean {near}?" if near else "delete it")
        case "literal_error":
            return (
                f"{key}: {_show(given)} is not one of {context['expected']}{_nearest_value(given, context['expected'])}"
            )
        case "union_tag_invalid":
            tags = context["expected_tags"]
            return f"{key}.name: {_show(context['tag'])} is not one of {tags}{_nearest_value(context['tag'], tags)}"
        case "union_tag_not_found":
            return f"{key}.name: missing: add it"
        case "finite_number":
            return f"{key}: {given} is not a finite number: write one"
        case "string_pattern_mismatch":
            return f"{key}: {_show(given)} does not match {context['pattern']}"
        case "model_type" | "model_attributes_type":
            return f"{key}: holds keys and values, not {_show(given)}"
        case "float_type" | "int_type" | "int_from_float" if isinstance(given, str) and _as_number(given) is not None:
            return f"{key}: {_show(given)} is text, not a number: write {_as_number(given):g} without quotes"
    return f"{key}: {_plain(error['msg'])}, not {_show(given)}"


def _key_path(location: tuple[int | str, ...]) -> str:
    """The key's path as in the file; pydantic adds the union's tag, which is no key, after these three."""
    parts = [str(part) or "''" for part in location]
    if len(parts) > 2 and parts[1] in ("optimizer", "schedule", "compare"):
        del parts[2]
    if parts and parts[-1] == "[key]":  # pydantic's word for the key of an open map
        del parts[-1]
    return ".".join(parts) or "the file"


def _nearest_key(key: str, keys: Sequence[str]) -> str | None:
    leaf = key.rpartition(".")[2]
    filled = [_filled(path, key) for path in keys]
    near = difflib.get_close_matches(key, filled, 1, 0.75) or [
        path for path in filled if path.rpartition(".")[2] == leaf
    ]
    return near[0] if near else None


def _filled(path: str, key: str) -> str:
    """*path* with the names that *key* has in the places of ANY."""
    given = key.split(".")
    return ".".join(
        given[place] if part == ANY and place < len(given) else part for place, part in enumerate(path.split("."))
    )


def _nearest_value(given: object, expected: str) -> str:
    near = difflib.get_close_matches(str(given), re.findall(r"'(.*?)'", expected), 1, 0.5)
    return f": did you mean {near[0]}?" if near else ""


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _show(given: object) -> str:
    """A value as it was read, shortened."""
    try:
        text = repr(given)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:77]}..."


def one_line(text: str) -> str:
    """*text* with all that would break a line or steer a terminal spelt out."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _plain(message: str) -> str:
    return message.removeprefix("Input ")
