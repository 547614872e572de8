"""The keys that params.yaml may hold, for mistakes, presets, documents and editors."""

import json
from collections.abc import Iterator
from typing import Any, get_origin

from pydantic import BaseModel

from runhive.mistakes import ANY
from runhive.params.sections import Params


def known_keys(model: type[BaseModel] = Params, prefix: str = "") -> Iterator[str]:
    """Every key path that params.yaml may hold, sections and leaves; ANY stands for a name of the person's choice."""
    for name, field in model.model_fields.items():
        yield prefix + name
        inner = f"{prefix}{name}.{ANY}." if get_origin(field.annotation) is dict else f"{prefix}{name}."
        for section in _sections(field.annotation):
            yield from known_keys(section, inner)


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [
        part for part in getattr(annotation, "__args__", ()) if isinstance(part, type) and issubclass(part, BaseModel)
    ]


def json_schema() -> str:
    """The JSON schema of params.yaml, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Params.model_json_schema()}
    return json.dumps(schema, indent=2) + "\n"
